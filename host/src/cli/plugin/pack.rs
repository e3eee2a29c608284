use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::author::{Crate, build};
use crate::backend;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::install::{Digest, Parts, pack, package_name, this_target, version};
use crate::loader::{Manifest, Request, manifest_of, refused};
use crate::output::{Line, MadeLine, Mode};

/// What a licence's text is usually called; the first one is taken.
const LICENSES: [&str; 6] =
    ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE-MIT", "LICENSE-APACHE", "COPYING"];

/// Make a package (.bbp) of a plugin, for its author
///
/// Holds the library, its manifest, the schema of its settings, the licence and, if there is one, a man page. The same files make the same bytes. Make
/// one on each system that you build for, then sign them all at once: `bitboot plugin sign`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder of its crate, which is built for release, or its library
    #[arg(value_name = "FOLDER|LIBRARY", default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// Where the package is written
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// The licence's text [default: LICENSE in the crate's folder]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    license: Option<PathBuf>,
    /// A man page [default: NAME.7 in the crate's folder]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    man: Option<PathBuf>,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let mut signals = Signals::new();
        // What builds it, and what has it open, end with the future that waits for them.
        tokio::select! {
            biased;
            exit = signals.stopped() => Ok(exit),
            packed = self.pack(context) => packed.map(|()| Exit::OK),
        }
    }

    async fn pack(&self, context: &Context) -> Result<()> {
        let quiet = context.screen.mode == Mode::Json || context.screen.talk().is_quiet();
        let built = build(&self.path, true, quiet).await?;
        let library = &built.library;
        let manifest = manifest_of(library).map_err(|refusal| Error {
            fix: Some("pack a plugin's library, or the folder of its crate".into()),
            ..refused(&library.display().to_string(), library, &refusal)
        })?;
        version(&manifest.version).map_err(|why| {
            Error::new(Kind::Usage, "the plugin cannot be packed").because(why).fix("mend it in plugin.toml")
        })?;
        let parts = self.parts(context, &built, &manifest).await?;
        let packed = pack(&manifest, &this_target(), &parts)?;
        let file = self.out.join(package_name(&manifest.name, &manifest.version, &this_target()));
        files::publish(&file, &packed)?;
        context.print(&Line::Made(made(&file, &packed)))?;
        let talk = context.screen.talk();
        if parts.license.is_none() {
            talk.say("it has no licence's text; give one: --license FILE");
        }
        talk.say(&format!(
            "try it: bitboot plugin install {} --allow-unsigned --sha256 {}",
            file.display(),
            Digest::of(&packed)
        ));
        talk.say(&format!("sign it: bitboot plugin sign {} --key FILE", file.display()));
        Ok(())
    }

    async fn parts(&self, context: &Context, built: &Crate, manifest: &Manifest) -> Result<Parts> {
        let library = &built.library;
        let text = bitboot_plugin_api::ffi::outside::inspect(library);
        let crate_file = |names: &[&str]| {
            let folder = built.folder.as_ref()?;
            names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
        };
        let optional = |given: &Option<PathBuf>, usual: Option<PathBuf>| match (given, usual) {
            (Some(given), _) => read(given).map(Some),
            (None, Some(usual)) => files::read(&usual),
            (None, None) => Ok(None),
        };
        Ok(Parts {
            manifest: text.map_err(|refusal| refused(&manifest.name, library, &refusal))?,
            library: std::fs::read(library).map_err(|error| Error::file("read", library, &error))?,
            schema: Some(schema(context, library, manifest).await?),
            license: optional(&self.license, crate_file(&LICENSES))?,
            man_page: optional(&self.man, crate_file(&[&format!("{}.7", manifest.name)]))?,
        })
    }
}

pub(in crate::cli) fn made(file: &Path, bytes: &[u8]) -> MadeLine {
    MadeLine {
        file: file.display().to_string(),
        sha256: Digest::of(bytes).to_string(),
        size: bytes.len() as u64,
    }
}

fn read(path: &Path) -> Result<String> {
    files::read(path)?
        .ok_or_else(|| Error::new(Kind::Usage, format!("there is no {}", path.display())).fix("name a file"))
}

/// What each kind of backend can be set to, as the library tells it.
async fn schema(context: &Context, library: &Path, manifest: &Manifest) -> Result<String> {
    let bitboot = context.bitboot()?;
    let mut schemas = Map::new();
    for offer in &manifest.backends {
        let request =
            Request { kind: Some(offer.kind.clone()), ..Request::new(&manifest.name, library.to_owned()) };
        let created = bitboot.loader().create(&request).await?;
        let told =
            backend::describe(&*created).await.map_err(|error| Error::of_backend(&manifest.name, error))?;
        schemas.insert(offer.kind.clone(), told.schema);
    }
    serde_json::to_string_pretty(&Value::Object(schemas))
        .map(|text| text + "\n")
        .map_err(|error| Error::new(Kind::Plugin, "its settings cannot be written down").because(error))
}
