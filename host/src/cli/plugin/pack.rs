use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::backend;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::install::{Digest, Parts, pack, package_name, this_target, version};
use crate::loader::{Manifest, Request, file_name, manifest_of, refused};
use crate::output::{Line, MadeLine};

/// What a licence's text is usually called; the first one is taken.
const LICENSES: [&str; 6] =
    ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE-MIT", "LICENSE-APACHE", "COPYING"];

/// Make a package (.bbp) of a plugin, for its author
///
/// Holds the library, its manifest, the schema of its settings, the licence and, if there is one, a man page. The same files make the same bytes. Make
/// one on each system that you build for, then sign them all at once: `bitboot plugin sign`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The library, or the folder of its crate, built with `cargo build --release`
    #[arg(value_name = "PATH", default_value = ".", value_hint = clap::ValueHint::AnyPath)]
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
        let library = library_of(&self.path)?;
        let manifest = manifest_of(&library).map_err(|refusal| Error {
            fix: Some("pack a plugin's library, or the folder of its crate".into()),
            ..refused(&library.display().to_string(), &library, &refusal)
        })?;
        version(&manifest.version).map_err(|why| {
            Error::new(Kind::Usage, "the plugin cannot be packed").because(why).fix("mend it in plugin.toml")
        })?;
        let parts = self.parts(context, &library, &manifest).await?;
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
        Ok(Exit::OK)
    }

    async fn parts(&self, context: &Context, library: &Path, manifest: &Manifest) -> Result<Parts> {
        let text = bitboot_plugin_api::ffi::outside::inspect(library);
        let crate_file = |names: &[&str]| {
            let mut paths = names.iter().map(|name| self.path.join(name));
            paths.find(|path| self.path.is_dir() && path.is_file())
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

/// The library itself, or that of a crate's folder.
fn library_of(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    }
    let manifest = read(&path.join("Cargo.toml"))
        .map_err(|error| error.fix("name the library, or the folder of a crate"))?;
    let table: toml::Table = toml::from_str(&manifest)
        .map_err(|error| Error::new(Kind::Usage, "Cargo.toml cannot be read").because(error.message()))?;
    let text = |section: &str| table.get(section)?.get("name")?.as_str();
    let name = text("lib").or_else(|| text("package")).unwrap_or_default().replace('-', "_");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| path.join("target"), PathBuf::from);
    let library = target.join("release").join(file_name(&name));
    if library.is_file() {
        return Ok(std::path::absolute(&library).unwrap_or(library));
    }
    Err(Error::new(Kind::Usage, format!("there is no {}", library.display()))
        .fix("build it first: cargo build --release; or name the library"))
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
