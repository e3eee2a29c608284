//! A plugin of an index, or of the lock, by its name.

use std::time::SystemTime;

use super::Offer;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::install::{
    Digest, Fetcher, Index, IndexEntry, Indexes, Listed, Lock, MAX_RELEASE, Place, package_name, this_target,
};
use crate::paths::Paths;
use crate::registry::{Registry, nearest};

/// A plugin as somebody names it.
pub(in crate::cli) struct Named<'a> {
    pub(in crate::cli) index: Option<&'a str>,
    pub(in crate::cli) name: &'a str,
    pub(in crate::cli) version: Option<&'a str>,
}

impl Named<'_> {
    /// Finds it in the indexes; with `locked` as the lock has it.
    pub(in crate::cli) fn find(&self, context: &Context, fetcher: &Fetcher, locked: bool) -> Result<Offer> {
        let paths = context.paths()?;
        if locked && self.index.is_none() {
            return self.as_locked(context, fetcher);
        }
        let indexes = Indexes::read(paths)?;
        let (mut found, mut broken) = (Vec::new(), None);
        for (name, entry) in &indexes.entries {
            if self.index.is_some_and(|index| index != name) {
                continue;
            }
            match self.find_in(paths, fetcher, &indexes, name, locked) {
                Ok(listed) => found.extend(listed.map(|listed| (name, entry, listed))),
                // What is wrong with one index hides no other.
                Err(error) => {
                    context.screen.talk().warning(&error);
                    broken.get_or_insert(error);
                }
            }
        }
        if let (true, Some(error)) = (found.is_empty(), broken) {
            return Err(error);
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

    fn find_in(
        &self,
        paths: &Paths,
        fetcher: &Fetcher,
        indexes: &Indexes,
        name: &str,
        locked: bool,
    ) -> Result<Option<Listed>> {
        // One that was never fetched is fetched now.
        let index = match indexes.cached(paths, name)? {
            Some(index) => index,
            None => indexes.get(name)?.update(paths, fetcher, name)?,
        };
        let listed = self.pick(&index).cloned();
        // What is locked is known by its hash, however old the list is.
        if listed.is_some() && !locked {
            index.not_expired(name, SystemTime::now())?;
        }
        Ok(listed)
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

    fn not_found(&self, indexes: &Indexes, paths: &Paths) -> Error {
        let wanted =
            self.version.map_or_else(|| self.name.to_owned(), |version| format!("{}@{version}", self.name));
        let error = Error::new(Kind::NotFound, format!("no index has a plugin {wanted} for this machine"));
        if indexes.entries.is_empty() {
            return error.fix("add an index: bitboot index add NAME URL; or name a package: ./x.bbp");
        }
        let all: Vec<_> =
            indexes.entries.keys().filter_map(|name| indexes.cached(paths, name).ok()?).collect();
        let known = all.iter().flat_map(|index| &index.releases).map(|listed| listed.name.as_str());
        match nearest(self.name, known) {
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
