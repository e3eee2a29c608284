//! From an offer to a plugin in use: fetch, compare, unpack, try, place, switch. Until the last step the old version is the one that is used.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::SystemTime;

use super::consent::{Consent, words};
use super::develop::try_out;
use super::offer::{Offer, archive_hash};
use crate::cli::context::Context;
use crate::client::{Provenance, library, provenance};
use crate::error::{Error, Kind, Result};
use crate::install::{
    Claim, Digest, Fetcher, Hashes, Lock, Locked, MAX_ARCHIVE, Stage, Store, Trust, Unpacked, this_target,
    unpack,
};
use crate::loader::{Asks, Manifest, manifest_of};
use crate::output::{ChangeLine, Line};
use crate::registry::{Edit, Registry, Section};

/// What was done.
pub(in crate::cli) struct Applied {
    pub(in crate::cli) manifest: Manifest,
    pub(in crate::cli) from: Option<String>,
    source: String,
    key: Option<String>,
    removed: Vec<String>,
}

/// Installs what is offered and switches to it. With `enable` it is used even if it was disabled.
pub(in crate::cli) async fn apply(
    context: &Context,
    fetcher: &Fetcher,
    offer: &Offer,
    consent: &Consent,
    enable: bool,
) -> Result<Applied> {
    let (paths, store) = (context.paths()?, Store::new(context.paths()?));
    let stage = store.stage()?;
    let package = fetch(context, fetcher, offer, &stage)?;
    let unpacked = open(context, offer, &stage, &package)?;
    super::is_free(context, Some(&unpacked.manifest.name))?;
    let locked = what_to_lock(offer, &unpacked);
    let manifest = unpacked.manifest;
    let before = version_in_use(context, &manifest.name)?;
    if let Some(asks) = asks_before(context, &manifest)? {
        consent.growth(context, &manifest.name, &asks, &manifest.asks)?;
    }
    try_out(&context.bitboot()?, &manifest, &unpacked.library).await?;
    let claim = store.claim(&manifest.name)?;
    trust(context, offer, &manifest.name)?;
    Lock::read(paths)?.compare(&manifest.name, &manifest.version, &locked)?;
    if let Some(proof) = &offer.proof {
        proof.keep(stage.folder(), &manifest.name, &manifest.version)?;
    }
    store.place(&claim, &stage, &manifest.name, &manifest.version)?;
    let key = locked.publisher.as_ref().map(ToString::to_string);
    Lock::change(paths, |lock| {
        lock.compare(&manifest.name, &manifest.version, &locked)?;
        lock.add(&manifest.name, &manifest.version, locked);
        Ok(())
    })?;
    switch(context, &claim, &manifest.name, &manifest.version, Some(&offer.source), enable)?;
    // It is installed, whatever becomes of the old ones: the next installation tries again.
    let removed = make_room(context, &store, &claim, &manifest.name).unwrap_or_else(|error| {
        context.screen.talk().warning(&error);
        Vec::new()
    });
    Ok(Applied { manifest, from: before, source: offer.source.clone(), key, removed })
}

/// Brings the package into the stage. Nothing of it is looked at before its hash is right.
fn fetch(context: &Context, fetcher: &Fetcher, offer: &Offer, stage: &Stage) -> Result<File> {
    let path = stage.beside("package");
    let failed = |error: std::io::Error| Error::file("write", &path, &error);
    let mut file = File::create_new(&path).map_err(failed)?;
    let (talk, most) = (context.screen.talk(), offer.size.unwrap_or(MAX_ARCHIVE));
    let what = format!("fetching {}", offer.place.file_name());
    fetcher.save(&offer.place, &mut file, most, &mut |came, of| {
        talk.progress_bytes(&what, came, of.or(offer.size));
    })?;
    talk.rest();
    let file = File::open(&path).map_err(failed)?;
    let digest = Digest::of_reader(&file).map_err(failed)?;
    if digest != offer.digest {
        return Err(archive_hash(&offer.place, offer.digest, digest));
    }
    File::open(&path).map_err(failed)
}

/// Unpacks, and holds what came out against what its publisher says.
fn open(context: &Context, offer: &Offer, stage: &Stage, package: &File) -> Result<Unpacked> {
    let talk = context.screen.talk();
    let what = format!("unpacking {}", offer.place.file_name());
    let unpacked = unpack(package, stage.folder(), |came| talk.progress_bytes(&what, came, None));
    talk.rest();
    let unpacked = unpacked?;
    let Some(release) = &offer.release else { return Ok(unpacked) };
    let manifest = &unpacked.manifest;
    let refuse = |gate, what: &str| {
        Err(Error::new(
            Kind::Integrity,
            format!("the package of {} is not what its release says: {what}", release.name),
        )
        .at(gate)
        .because("the publisher has signed something else than is in it")
        .fix("tell the publisher; nothing of it was installed"))
    };
    if release.archive(&this_target())?.library != unpacked.digest {
        return refuse("library-hash", "its library has another hash");
    }
    if (&release.name, &release.version, release.api) != (&manifest.name, &manifest.version, manifest.api) {
        return refuse("manifest", "it has another name, version or API");
    }
    if release.asks != manifest.asks {
        return refuse("manifest", "it asks for something else");
    }
    Ok(unpacked)
}

fn what_to_lock(offer: &Offer, unpacked: &Unpacked) -> Locked {
    let unsigned = || Locked {
        source: offer.source.clone(),
        publisher: None,
        api: unpacked.manifest.api,
        targets: BTreeMap::new(),
    };
    let mut locked = offer.locked().unwrap_or_else(unsigned);
    let hashes = Hashes { files: unpacked.files.clone(), ..Hashes::new(offer.digest, unpacked.digest) };
    locked.targets.insert(this_target(), hashes);
    locked
}

/// The plugin's name belongs to its publisher from now on. What nobody signed cannot take a name that somebody has.
fn trust(context: &Context, offer: &Offer, name: &str) -> Result<()> {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    Trust::change(context.paths()?, |trust| match &offer.release {
        Some(release) => {
            trust.judge(name, &release.publisher.key)?;
            // What the user calls a publisher goes before what it calls itself.
            let is_named =
                trust.publishers.get(&release.publisher.key).is_some_and(|known| !known.name.is_empty());
            let called = Some(release.publisher.name.as_str()).filter(|_| !is_named);
            trust.add(&release.publisher.key, called, Some(name), &now);
            Ok(())
        }
        None => match trust.publishers.iter().find(|(_, known)| known.plugins.contains(name)) {
            Some((key, _)) => Err(Error::new(
                Kind::Integrity,
                format!("plugin \"{name}\" was signed before, and is not now"),
            )
            .at("changed-key")
            .because(format!("the key was {key}"))
            .fix("take one that its publisher has signed")),
            None => Ok(()),
        },
    })
}

/// Makes a version the one that is used, in one step.
pub(in crate::cli) fn switch(
    context: &Context,
    _claim: &Claim,
    name: &str,
    version: &str,
    source: Option<&str>,
    enable: bool,
) -> Result<()> {
    let mut edit = Edit::begin(context.paths()?)?;
    let entry = edit.entry(Section::Plugins, name)?;
    let before = entry.get("version").and_then(|item| item.as_str()).map(ToOwned::to_owned);
    // A library that its author was working on gives way.
    entry.remove("path");
    entry.remove("dev");
    if let Some(before) = before.filter(|before| before != version) {
        entry.insert("previous", before.into());
    }
    entry.insert("version", version.into());
    if let Some(source) = source {
        entry.insert("source", source.into());
    }
    if enable {
        entry.remove("enabled");
    }
    edit.commit()
}

/// Keeps the version that is used and the one before; older ones go, and the lock forgets them.
fn make_room(context: &Context, store: &Store, claim: &Claim, name: &str) -> Result<Vec<String>> {
    let paths = context.paths()?;
    let registry = Registry::read(paths)?;
    let Some(Ok(entry)) = registry.plugins.get(name).map(|entry| &entry.value) else { return Ok(Vec::new()) };
    let keep: Vec<_> = [&entry.version, &entry.previous].into_iter().flatten().cloned().collect();
    let (removed, stay) = store.delete_others(claim, name, &keep)?;
    for error in &stay {
        context.screen.talk().warning(error);
    }
    if !removed.is_empty() {
        Lock::change(paths, |lock| {
            if let Some(versions) = lock.plugins.get_mut(name) {
                versions.retain(|version, _| !removed.contains(version));
            }
            Ok(())
        })?;
    }
    Ok(removed)
}

fn version_in_use(context: &Context, name: &str) -> Result<Option<String>> {
    let registry = Registry::read(context.paths()?)?;
    Ok(registry.plugins.get(name).and_then(|entry| entry.value.as_ref().ok()?.version.clone()))
}

/// What the version in use asks for: nothing, as far as anybody knows, where its library is gone or broken. `None` where nothing is in use, or it is
/// mended by what was agreed to when it was installed.
fn asks_before(context: &Context, now: &Manifest) -> Result<Option<Asks>> {
    let paths = context.paths()?;
    let registry = Registry::read(paths)?;
    let Some(entry) = registry.plugins.get(&now.name) else { return Ok(None) };
    let Ok(entry) = &entry.value else { return Ok(Some(Asks::default())) };
    let Some(origin) = provenance(entry) else { return Ok(None) };
    let before = library(paths, &now.name, entry).ok().and_then(|path| manifest_of(&path).ok());
    if let Some(before) = before {
        return Ok(Some(before.asks));
    }
    let is_mended = origin == Provenance::Installed
        && entry.version.as_ref() == Some(&now.version)
        && Lock::read(paths)?.vouched(&now.name, &now.version).is_ok();
    Ok((!is_mended).then(Asks::default))
}

impl Applied {
    pub(in crate::cli) fn print(&self, context: &Context) -> Result<()> {
        context.print(&Line::Change(ChangeLine {
            plugin: self.manifest.name.clone(),
            from: self.from.clone(),
            to: self.manifest.version.clone(),
            source: self.source.clone(),
            key: self.key.clone(),
            asks: words(&self.manifest.asks),
            removed: self.removed.clone(),
            done: true,
        }))
    }

    pub(in crate::cli) fn say_next(&self, context: &Context) {
        let Manifest { name, version, .. } = &self.manifest;
        let talk = context.screen.talk();
        let signed = self.key.as_ref().map_or("signed by nobody", |_| "signed");
        talk.say(&format!("plugin \"{name}\" {version} is installed ({signed})"));
        if !self.removed.is_empty() {
            talk.say(&format!("older versions are removed: {}", self.removed.join(", ")));
        }
        match &self.from {
            Some(from) if from != version => {
                talk.say(&format!("back to {from}: bitboot plugin rollback {name}"));
            }
            Some(_) => {}
            None => super::develop::say_backends(context, &self.manifest),
        }
    }
}
