use std::path::PathBuf;

use clap_complete::ArgValueCompleter;

use crate::author::build;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;
use crate::error::{Error, Kind, Result};
use crate::loader::{manifest_of, refused};
use crate::output::Mode;
use crate::registry::{Edit, Registry, Section, unknown};

/// Use a plugin of your own where it is built, for development
///
/// Registers the library at its place, shown as `dev`: neither copied nor locked nor signed. Whenever it is built anew, the next command uses
/// the new one. `bitboot plugin unlink NAME` ends that.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder of its crate, which is built, or its library
    #[arg(value_name = "FOLDER|LIBRARY", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// Build and use the release profile
    #[arg(long)]
    release: bool,
}

/// Forget a plugin that was linked; its crate stays as it is
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct UnlinkArgs {
    /// The plugin's name
    #[arg(add = ArgValueCompleter::new(complete::plugins))]
    name: String,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let quiet = context.screen.mode == Mode::Json || context.screen.talk().is_quiet();
        let mut signals = Signals::new();
        let built = tokio::select! {
            exit = signals.stopped() => return Ok(exit),
            built = build(&self.path, self.release, quiet) => built?,
        };
        let manifest = manifest_of(&built.library).map_err(|refusal| Error {
            fix: Some("see what a plugin has: bitboot plugin new NAME".into()),
            ..refused(&built.library.display().to_string(), &built.library, &refusal)
        })?;
        let mut edit = Edit::begin(context.paths()?)?;
        if edit.preview()?.plugins.get(&manifest.name).is_some_and(|entry| !entry.is_dev()) {
            let what = format!("a plugin \"{}\" is there already", manifest.name);
            return Err(Error::new(Kind::Usage, what).fix(format!(
                "give yours another name, or remove that one: bitboot plugin remove {}",
                manifest.name
            )));
        }
        let entry = edit.entry(Section::Plugins, &manifest.name)?;
        entry.insert("path", built.library.display().to_string().into());
        entry.remove("enabled");
        edit.commit()?;
        let talk = context.screen.talk();
        talk.say(&format!(
            "plugin \"{}\" {} is linked to {}",
            manifest.name,
            manifest.version,
            built.library.display()
        ));
        for kind in manifest.backends.iter().take(1) {
            talk.say(&format!(
                "now: bitboot backend add {0} --plugin {1} --kind {0}",
                kind.kind, manifest.name
            ));
        }
        Ok(Exit::OK)
    }
}

impl UnlinkArgs {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let mut edit = Edit::begin(context.paths()?)?;
        let registry: Registry = edit.preview()?;
        let Some(entry) = registry.plugins.get(&self.name) else {
            return Err(unknown("plugin", &self.name, registry.plugin_names()));
        };
        if !entry.is_dev() {
            let what = format!("plugin \"{}\" is not linked", self.name);
            return Err(
                Error::new(Kind::Usage, what).fix(format!("remove it: bitboot plugin remove {}", self.name))
            );
        }
        edit.remove(Section::Plugins, &self.name);
        edit.commit()?;
        let talk = context.screen.talk();
        talk.say(&format!("plugin \"{}\" is linked no more", self.name));
        for (backend, entry) in &registry.backends {
            if entry.value.as_ref().is_ok_and(|entry| entry.plugin == self.name) {
                talk.say(&format!(
                    "backend \"{backend}\" has no plugin now; remove it: bitboot backend remove {backend}"
                ));
            }
        }
        Ok(Exit::OK)
    }
}
