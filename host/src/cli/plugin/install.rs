use std::path::{Path, PathBuf};

use crate::backend;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::install::place;
use crate::loader::{Manifest, Request, manifest_of, refused};
use crate::registry::{Edit, Origin, Section};

/// Install a plugin from its library
///
/// The library is opened once to see that it fits, copied into the user's data folder, and registered. A library is code that runs with your
/// rights: install only what you trust.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The library, such as ./libexample.so
    #[arg(value_name = "LIBRARY", value_hint = clap::ValueHint::FilePath)]
    library: PathBuf,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let given = std::path::absolute(&self.library).unwrap_or(self.library);
        let manifest = manifest_of(&given).map_err(|refusal| Error {
            fix: Some("give the path of a plugin's library".into()),
            ..refused(&given.display().to_string(), &given, &refusal)
        })?;
        if bitboot.registry().plugins.get(&manifest.name).is_some_and(|entry| entry.origin != Origin::User) {
            let what = format!("a plugin \"{}\" ships with bitboot", manifest.name);
            return Err(Error::new(Kind::Usage, what).fix("its author has to give it another name"));
        }
        // The copy is what is opened: nobody can change it between the look and the use.
        let staged = place::stage(context.paths()?, &manifest, &given)?;
        try_out(&bitboot, &manifest, staged.library()).await?;
        let library = staged.keep()?;
        let mut edit = Edit::begin(context.paths()?)?;
        let entry = edit.entry(Section::Plugins, &manifest.name)?;
        entry.insert("path", library.display().to_string().into());
        entry.insert("version", manifest.version.as_str().into());
        entry.remove("enabled");
        edit.commit()?;
        let talk = context.screen.talk();
        talk.say(&format!("plugin \"{}\" {} is installed", manifest.name, manifest.version));
        if let Some(first) = manifest.backends.first() {
            talk.say(&format!(
                "now: bitboot backend add {0} --plugin {1} --kind {0}",
                first.kind, manifest.name
            ));
        }
        Ok(Exit::OK)
    }
}

/// Opens the library as it will be opened, and asks each kind of backend for what it is.
async fn try_out(bitboot: &Bitboot, manifest: &Manifest, library: &Path) -> Result<()> {
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
