mod apply;
mod consent;
mod develop;
mod named;
mod offer;
mod source;

use clap_complete::ArgValueCompleter;

pub(super) use apply::{apply, switch};
pub(super) use consent::{Consent, words};
pub(super) use named::Named;
pub(super) use offer::Offer;
pub(super) use source::Source;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::install::{Digest, Fetcher, Lock, PublisherKey};
use crate::output::{ChangeLine, Line};
use crate::registry::{Origin, Registry};

/// Install a plugin
///
/// From an index by its name, from a package (.bbp) in a folder or on a web server, or, while you write one, from its library. A package is
/// checked before anything of it is used: who signed it, its hashes, what is in it; then it is opened once, and only then it counts. A plugin is
/// code of strangers: install only what you trust.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Args {
    /// NAME[@VERSION], INDEX/NAME[@VERSION], ./x.bbp, https://…/x.bbp, or ./libx.so
    #[arg(value_name = "SOURCE", value_hint = clap::ValueHint::AnyPath, add = ArgValueCompleter::new(complete::plugins))]
    source: Source,
    /// Trust this publisher's key, which you know from elsewhere
    #[arg(long, value_name = "KEY")]
    trust: Option<PublisherKey>,
    /// Take a package that nobody has signed; wants its hash, which you know from elsewhere
    #[arg(long, requires = "sha256")]
    allow_unsigned: bool,
    /// The SHA-256 that the package has to have
    #[arg(long, value_name = "HEX")]
    sha256: Option<Digest>,
    /// Do not ask whether a trusted publisher's plugin may have what it asks for, or a library may take the place of a package
    #[arg(long)]
    yes: bool,
    /// Take exactly what bitboot.lock has, or nothing
    #[arg(long)]
    locked: bool,
    /// Check who signed it and say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let fetcher = Fetcher::default();
        let consent = Consent { trust: self.trust.clone(), yes: self.yes, locked: self.locked };
        let offer = match &self.source {
            Source::Library(path) if self.locked => {
                return Err(Error::new(
                    Kind::Usage,
                    format!("{} is a library, which no lock knows", path.display()),
                )
                .fix("leave --locked out, or name a package"));
            }
            Source::Library(path) => return develop::install(context, path, self.yes, self.dry_run).await,
            Source::Package(place) => Offer::of_package(&fetcher, place, self.sha256, self.allow_unsigned)?,
            Source::Named { index, name, version } => {
                let named = Named { index: index.as_deref(), name, version: version.as_deref() };
                let offer = named.find(context, &fetcher, self.locked)?;
                offer.has(self.sha256)?;
                offer
            }
        };
        is_free(context, offer.name())?;
        if self.locked {
            offer.is_locked(&Lock::read(context.paths()?)?)?;
        }
        consent.publisher(context, &offer)?;
        if self.dry_run {
            print_plan(context, &offer)?;
            return Ok(Exit::OK);
        }
        let applied = apply(context, &fetcher, &offer, &consent, true).await?;
        applied.print(context)?;
        applied.say_next(context);
        Ok(Exit::OK)
    }
}

/// What ships with bitboot keeps its name.
fn is_free(context: &Context, name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let registry = Registry::read(context.paths()?)?;
    if registry.plugins.get(name).is_some_and(|entry| entry.origin != Origin::User) {
        return Err(Error::new(Kind::Usage, format!("a plugin \"{name}\" ships with bitboot"))
            .fix("its author has to give it another name"));
    }
    Ok(())
}

pub(super) fn print_plan(context: &Context, offer: &Offer) -> Result<()> {
    let Some(release) = &offer.release else {
        context.screen.talk().say("it is signed by nobody; what it is shows when it is unpacked");
        return Ok(());
    };
    let registry = Registry::read(context.paths()?)?;
    let entry = registry.plugins.get(&release.name).and_then(|entry| entry.value.as_ref().ok());
    context.print(&Line::Change(ChangeLine {
        plugin: release.name.clone(),
        from: entry.and_then(|entry| entry.version.clone()),
        to: release.version.clone(),
        source: offer.source.clone(),
        key: Some(release.publisher.key.to_string()),
        asks: words(&release.asks),
        removed: Vec::new(),
        done: false,
    }))
}
