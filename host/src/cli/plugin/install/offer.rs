//! What could be installed: a package somewhere, and what its publisher says of it.

use std::time::SystemTime;

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::install::{
    Archive, Digest, Fetcher, Hashes, Index, IndexEntry, Indexes, Listed, Lock, Locked, MAX_RELEASE, Place,
    Release, SIGNATURE, package_name, release_of, this_target,
};
use crate::registry::Registry;

/// A package for this machine, whose release has a good signature or which nobody has signed.
pub(in crate::cli) struct Offer {
    pub(super) place: Place,
    /// As it is written into the registry and the lock.
    pub(in crate::cli) source: String,
    pub(in crate::cli) release: Option<Release>,
    /// That the package has to have.
    pub(super) digest: Digest,
    pub(super) size: Option<u64>,
}

/// A plugin as somebody names it.
pub(in crate::cli) struct Named<'a> {
    pub(in crate::cli) index: Option<&'a str>,
    pub(in crate::cli) name: &'a str,
    pub(in crate::cli) version: Option<&'a str>,
}

impl Offer {
    /// A package by its place, with the release that lies beside it.
    pub(in crate::cli) fn of_package(
        fetcher: &Fetcher,
        place: &Place,
        sha256: Option<Digest>,
        allow_unsigned: bool,
    ) -> Result<Self> {
        let name = place.file_name();
        let release = release_of(&name).ok_or_else(|| {
            Error::new(Kind::Integrity, format!("{name} is no package for this machine"))
                .at("target")
                .because(format!("such packages are called NAME-VERSION-{}.bbp", this_target()))
                .fix("take the one for this machine, under the name that it had")
        })?;
        let release = place.beside(&release);
        match fetcher.read(&release, MAX_RELEASE)? {
            Some(text) => {
                let offer = Self::signed(fetcher, &release, &text, release.to_string())?;
                offer.has(sha256)?;
                Ok(offer)
            }
            None => match sha256.filter(|_| allow_unsigned) {
                Some(digest) => {
                    Ok(Self { place: place.clone(), source: place.to_string(), release: None, digest, size: None })
                }
                None => Err(Error::new(Kind::Integrity, format!("nobody has signed {name}"))
                    .at("unsigned")
                    .because(format!("there is no {release}"))
                    .fix("take one that is signed; or, if you know its hash from elsewhere: --allow-unsigned --sha256 HEX")),
            },
        }
    }

    /// The package for this machine of a release.
    pub(in crate::cli) fn signed(
        fetcher: &Fetcher,
        place: &Place,
        text: &[u8],
        source: String,
    ) -> Result<Self> {
        let release = Release::parse(text)?;
        let signature = fetcher.read(&place.beside(&format!("{}.{SIGNATURE}", place.file_name())), 4096)?;
        let signature = signature.ok_or_else(|| {
            Error::new(Kind::Integrity, format!("the signature of {} is not there", release.file_name()))
                .at("signature")
                .because(format!("it should be {place}.{SIGNATURE}"))
                .fix("get it from the publisher, and put it beside the release")
        })?;
        release.publisher.key.verify(&release.file_name(), text, &String::from_utf8_lossy(&signature))?;
        if place.file_name() != release.file_name() {
            return Err(Error::new(
                Kind::Integrity,
                format!("{} says that it is {}", place.file_name(), release.file_name()),
            )
            .at("release")
            .fix("somebody has renamed it; take it under the name that it had"));
        }
        let &Archive { size, package: digest, .. } = release.archive(&this_target())?;
        let package = place.beside(&package_name(&release.name, &release.version, &this_target()));
        Ok(Self { place: package, source, digest, size: Some(size), release: Some(release) })
    }

    pub(in crate::cli) fn name(&self) -> Option<&str> {
        self.release.as_ref().map(|release| release.name.as_str())
    }

    /// Holds it against a hash that somebody knows from elsewhere.
    pub(in crate::cli) fn has(&self, sha256: Option<Digest>) -> Result<()> {
        match sha256 {
            Some(wanted) if wanted != self.digest => Err(archive_hash(&self.place, wanted, self.digest)),
            _ => Ok(()),
        }
    }

    /// What the lock will say of it, for all machines.
    pub(super) fn locked(&self) -> Option<Locked> {
        let release = self.release.as_ref()?;
        let hashes = |archive: &Archive| {
            (archive.target.clone(), Hashes { archive: archive.package, library: archive.library })
        };
        Some(Locked {
            source: self.source.clone(),
            publisher: Some(release.publisher.key.clone()),
            api: release.api,
            targets: release.archives.iter().map(hashes).collect(),
        })
    }

    /// Whether the lock has exactly this already.
    pub(in crate::cli) fn is_locked(&self, lock: &Lock) -> Result<()> {
        let has = match &self.release {
            Some(release) => lock.get(&release.name, &release.version).is_some_and(|known| {
                let hash = known.targets.get(&this_target()).map(|hashes| hashes.archive);
                known.publisher.as_ref() == Some(&release.publisher.key) && hash == Some(self.digest)
            }),
            None => lock.plugins.values().flat_map(|versions| versions.values()).any(|known| {
                let hash = known.targets.get(&this_target()).map(|hashes| hashes.archive);
                known.publisher.is_none() && hash == Some(self.digest)
            }),
        };
        if has {
            return Ok(());
        }
        let what = self.release.as_ref().map_or_else(
            || self.place.to_string(),
            |release| format!("{} {}", release.name, release.version),
        );
        Err(Error::new(Kind::Integrity, format!("bitboot.lock would have to change for {what}"))
            .at("locked")
            .because("with --locked only what it has already is installed")
            .fix("if it is in order: the same without --locked"))
    }
}

pub(super) fn archive_hash(place: &Place, wanted: Digest, got: Digest) -> Error {
    Error::new(Kind::Integrity, format!("{} has another hash than it should have", place.file_name()))
        .at("archive-hash")
        .because(format!("expected {wanted}, got {got}"))
        .fix("get it again; if that does not help, somebody has changed it: tell its publisher")
}

impl Named<'_> {
    /// Finds it in the indexes; with `locked` as the lock has it.
    pub(in crate::cli) fn find(&self, context: &Context, fetcher: &Fetcher, locked: bool) -> Result<Offer> {
        let paths = context.paths()?;
        if locked && self.index.is_none() {
            return self.as_locked(context, fetcher);
        }
        let indexes = Indexes::read(paths)?;
        let mut found = Vec::new();
        for (name, entry) in &indexes.entries {
            if self.index.is_some_and(|index| index != name) {
                continue;
            }
            // One that was never fetched is fetched now.
            let index = match indexes.cached(paths, name)? {
                Some(index) => index,
                None => entry.update(paths, fetcher, name)?,
            };
            if let Some(listed) = self.pick(&index).cloned() {
                index.not_expired(name, SystemTime::now())?;
                found.push((name, entry, listed));
            }
        }
        // Of several indexes the one from which it is installed.
        let source = Registry::read(paths)?
            .plugins
            .get(self.name)
            .and_then(|entry| entry.value.as_ref().ok()?.source.clone());
        if found.len() > 1 {
            let before: Vec<_> =
                found.iter().filter(|(name, ..)| source == Some(of_index(name))).cloned().collect();
            if !before.is_empty() {
                found = before;
            }
        }
        match found.as_slice() {
            [(name, entry, listed)] => fetch(fetcher, name, entry, listed),
            [] => Err(self.not_found(&indexes, paths)),
            several => {
                let names: Vec<_> =
                    several.iter().map(|(name, ..)| format!("{name}/{}", self.name)).collect();
                Err(Error::new(Kind::Usage, format!("several indexes have a plugin \"{}\"", self.name))
                    .fix(format!("say which: {}", names.join(", "))))
            }
        }
    }

    fn pick<'a>(&self, index: &'a Index) -> Option<&'a Listed> {
        match self.version {
            Some(version) => index.usable(self.name).into_iter().find(|listed| listed.version == version),
            None => index.newest(self.name),
        }
    }

    fn as_locked(&self, context: &Context, fetcher: &Fetcher) -> Result<Offer> {
        let paths = context.paths()?;
        let lock = Lock::read(paths)?;
        let registered = Registry::read(paths)?
            .plugins
            .get(self.name)
            .and_then(|entry| entry.value.as_ref().ok()?.version.clone());
        let versions = lock.plugins.get(self.name);
        let only = versions
            .filter(|versions| versions.len() == 1)
            .and_then(|versions| versions.keys().next().cloned());
        let version = self.version.map(Into::into).or(registered).or(only);
        let locked = version.as_ref().and_then(|version| Some((version, versions?.get(version)?)));
        let Some((version, locked)) = locked else {
            return Err(Error::new(
                Kind::Integrity,
                format!("bitboot.lock would have to change for {}", self.name),
            )
            .at("locked")
            .because("it does not say which version, or has none")
            .fix(format!("name a version: {}@VERSION; or the same without --locked", self.name)));
        };
        if let Some(index) = locked.source.strip_prefix("index:") {
            return Named { index: Some(index), version: Some(version), ..*self }
                .find(context, fetcher, true);
        }
        let place = Place::parse(&locked.source)?;
        let hash = locked.targets.get(&this_target()).map(|hashes| hashes.archive);
        let package = if locked.publisher.is_none() {
            place
        } else {
            place.beside(&package_name(self.name, version, &this_target()))
        };
        Offer::of_package(fetcher, &package, hash, locked.publisher.is_none())
    }

    fn not_found(&self, indexes: &Indexes, paths: &crate::Paths) -> Error {
        let wanted =
            self.version.map_or_else(|| self.name.to_owned(), |version| format!("{}@{version}", self.name));
        let error = Error::new(Kind::NotFound, format!("no index has a plugin {wanted} for this machine"));
        if indexes.entries.is_empty() {
            return error.fix("add an index: bitboot index add NAME URL; or name a package: ./x.bbp");
        }
        let all: Vec<_> =
            indexes.entries.keys().filter_map(|name| indexes.cached(paths, name).ok()?).collect();
        let known = all.iter().flat_map(|index| &index.releases).map(|listed| listed.name.as_str());
        match crate::registry::nearest(self.name, known) {
            Some(near) if near != self.name => error.fix(format!("did you mean \"{near}\"?")),
            Some(near) => {
                error.fix(format!("see which versions there are: bitboot plugin search {near} --all"))
            }
            None => error.fix(
                "get the newest indexes: bitboot index update; see what there is: bitboot plugin search",
            ),
        }
    }
}

/// How the registry and the lock name an index as a source.
pub(in crate::cli) fn of_index(name: &str) -> String {
    format!("index:{name}")
}

fn fetch(fetcher: &Fetcher, name: &str, entry: &IndexEntry, listed: &Listed) -> Result<Offer> {
    let place = listed.place(&entry.place()?);
    let text = fetcher.need(&place, MAX_RELEASE)?;
    if Digest::of(&text) != listed.release {
        return Err(Error::new(
            Kind::Integrity,
            format!("{} is not what the index \"{name}\" says", place.file_name()),
        )
        .at("release-hash")
        .because(format!("expected {}, got {}", listed.release, Digest::of(&text)))
        .fix(format!(
            "get the newest index: bitboot index update {name}; if that does not help, tell its keeper"
        )));
    }
    Offer::signed(fetcher, &place, &text, of_index(name))
}
