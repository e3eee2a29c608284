//! What could be installed: a package somewhere, and what its publisher says of it.

use crate::error::{Error, Kind, Result};
use crate::install::{
    Archive, Digest, Fetcher, Hashes, Lock, Locked, MAX_RELEASE, MAX_SIGNATURE, Place, Proof, Release,
    SIGNATURE, package_name, release_of, this_target,
};

/// A package for this machine, whose release has a good signature or which nobody has signed.
pub(in crate::cli) struct Offer {
    pub(super) place: Place,
    /// As it is written into the registry and the lock.
    pub(in crate::cli) source: String,
    pub(in crate::cli) release: Option<Release>,
    /// The same as its publisher signed it.
    pub(super) proof: Option<Proof>,
    /// That the package has to have.
    pub(super) digest: Digest,
    pub(super) size: Option<u64>,
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
                    Ok(Self { place: place.clone(), source: place.to_string(), release: None, proof: None, digest, size: None })
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
        let signature =
            fetcher.read(&place.beside(&format!("{}.{SIGNATURE}", place.file_name())), MAX_SIGNATURE)?;
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
        let proof = Some(Proof { release: text.to_vec(), signature });
        Ok(Self { place: package, source, digest, size: Some(size), release: Some(release), proof })
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
        let hashes =
            |archive: &Archive| (archive.target.clone(), Hashes::new(archive.package, archive.library));
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
