//! A library that its author is working on: copied, not locked, and shown as `dev`.

use std::path::Path;

use super::{is_free, words};
use crate::backend;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::install::{Store, Trust, library_name, this_target};
use crate::loader::{Manifest, Request, manifest_of, refused};
use crate::output::{ChangeLine, Line};
use crate::registry::{Edit, Registry, Section};

pub(super) async fn install(context: &Context, given: &Path, yes: bool, dry_run: bool) -> Result<Exit> {
    let manifest = manifest_of(given).map_err(|refusal| Error {
        fix: Some("give the path of a plugin's library, or of a package".into()),
        ..refused(&given.display().to_string(), given, &refusal)
    })?;
    is_free(context, Some(&manifest.name))?;
    if dry_run {
        context
            .screen
            .talk()
            .say(&format!("plugin \"{}\" {} would be installed as dev", manifest.name, manifest.version));
        return Ok(Exit::OK);
    }
    may_stand_before(context, &manifest.name, yes)?;
    // The copy is what is opened: nobody can change it between the look and the use.
    let store = Store::new(context.paths()?);
    let stage = store.stage()?;
    let copy = stage.folder().join(library_name(&manifest.name, &this_target()));
    std::fs::copy(given, &copy).map_err(|error| Error::file("copy", given, &error))?;
    try_out(&context.bitboot()?, &manifest, &copy).await?;
    let claim = store.claim(&manifest.name)?;
    let library = store.place(&claim, &stage, &manifest.name, DEV)?;
    let mut edit = Edit::begin(context.paths()?)?;
    let entry = edit.entry(Section::Plugins, &manifest.name)?;
    entry.insert("path", library.display().to_string().into());
    entry.remove("enabled");
    edit.commit()?;
    context.print(&Line::Change(ChangeLine {
        plugin: manifest.name.clone(),
        from: None,
        to: manifest.version.clone(),
        source: given.display().to_string(),
        key: None,
        asks: words(&manifest.asks),
        removed: Vec::new(),
        done: true,
    }))?;
    let talk = context.screen.talk();
    talk.say(&format!(
        "plugin \"{}\" {} is installed for development: it is not locked",
        manifest.name, manifest.version
    ));
    say_backends(context, &manifest);
    Ok(Exit::OK)
}

/// A library is signed by nobody: it takes the name of a publisher's plugin only where a person says so.
fn may_stand_before(context: &Context, name: &str, yes: bool) -> Result<()> {
    let paths = context.paths()?;
    let trust = Trust::read(paths)?;
    let registry = Registry::read(paths)?;
    let of = match (trust.owner(name), registry.plugins.get(name)) {
        (Some((key, known)), _) => format!("its name is that of {}, whose key is {key}", known.name),
        (None, Some(entry)) if !entry.is_dev() => "a package with its name is installed".to_owned(),
        _ => return Ok(()),
    };
    let question = format!("plugin \"{name}\": {of}; use the library in its place, which nobody has signed?");
    if yes || context.is_answered() && context.screen.talk().confirm(&question) {
        return Ok(());
    }
    Err(Error::new(Kind::NeedsHuman, format!("the library would stand before plugin \"{name}\""))
        .because(of)
        .fix("if you mean it, the same again with --yes"))
}

/// The folder of a library that has no version to be relied on.
const DEV: &str = "dev";

pub(super) fn say_backends(context: &Context, manifest: &Manifest) {
    if let Some(first) = manifest.backends.first() {
        let text = format!("now: bitboot backend add {0} --plugin {1} --kind {0}", first.kind, manifest.name);
        context.screen.talk().say(&text);
    }
}

/// Opens the library as it will be opened, and asks each kind of backend for what it is.
pub(super) async fn try_out(bitboot: &Bitboot, manifest: &Manifest, library: &Path) -> Result<()> {
    for kind in &manifest.backends {
        let request =
            Request { kind: Some(kind.kind.clone()), ..Request::new(&manifest.name, library.to_owned()) };
        let created = bitboot.loader().create(&request).await?;
        let described =
            backend::describe(&*created).await.map_err(|error| Error::of_backend(&manifest.name, error))?;
        if described.kind != kind.kind {
            let what = format!(
                "plugin \"{}\" says that it is \"{}\" where its manifest says \"{}\"",
                manifest.name, described.kind, kind.kind
            );
            return Err(Error::new(Kind::Plugin, what).fix("tell its author"));
        }
    }
    Ok(())
}
