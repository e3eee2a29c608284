use super::line;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::install::{Fetcher, IndexEntry, Indexes, Place, PublisherKey, Signed, Trust};
use crate::output::Line;
use crate::registry::entry_name;

/// Add an index, a signed list of plugins
///
/// An index is a folder with files, here or on any web server. Its key is asked about once; a key that changes is refused. That it lists a plugin does
/// not mean that it vouches for it: each plugin is signed by its own publisher.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What you call the index
    #[arg(value_parser = entry_name)]
    name: String,
    /// Its folder: a path, file:///… or https://…
    #[arg(value_name = "URL", value_hint = clap::ValueHint::AnyPath)]
    url: String,
    /// The key that signs it, which you know from elsewhere
    #[arg(long)]
    key: Option<PublisherKey>,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let (paths, fetcher) = (context.paths()?, Fetcher::default());
        let place = Place::parse(&self.url)?;
        self.is_free(&Indexes::read(paths)?)?;
        let signed = Signed::fetch(&fetcher, &place)?;
        let key = signed.index.publisher.key.clone();
        Trust::read(paths)?.not_revoked(&self.name, &key)?;
        self.agree(context, &signed, &key)?;
        let entry = IndexEntry { url: place.to_string(), key };
        let indexes = Indexes::change(paths, |indexes| {
            // Another `index add` may have been faster.
            self.is_free(indexes)?;
            entry.keep(paths, &self.name, signed)?;
            indexes.entries.insert(self.name.clone(), entry.clone());
            Ok(indexes.clone())
        })?;
        context.print(&Line::Index(line(paths, &indexes, &self.name, &entry)))?;
        context.screen.talk().say("see what it has: bitboot plugin search");
        Ok(Exit::OK)
    }

    fn is_free(&self, indexes: &Indexes) -> Result<()> {
        if !indexes.entries.contains_key(&self.name) {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, format!("there is an index \"{}\" already", self.name))
            .fix(format!("give it another name, or remove the old one: bitboot index remove {}", self.name)))
    }

    fn agree(&self, context: &Context, signed: &Signed, key: &PublisherKey) -> Result<()> {
        match &self.key {
            Some(wanted) if wanted == key => return Ok(()),
            Some(wanted) => {
                return Err(Error::new(
                    Kind::Integrity,
                    format!("the index \"{}\" is not signed by the key that you named", self.name),
                )
                .at("changed-key")
                .because(format!("expected {wanted}, got {key}"))
                .fix("ask its keeper for its key, in another way than by the index"));
            }
            None => {}
        }
        let name = &signed.index.publisher.name;
        let talk = context.screen.talk();
        if context.is_answered() {
            talk.say(&format!("the index is signed by a key that is new here: {key}"));
            talk.say(&format!("its keeper is called {name}, by itself"));
            if talk.confirm("use this index, as long as this key signs it?") {
                return Ok(());
            }
        }
        Err(Error::new(Kind::NeedsHuman, format!("the key of the index \"{}\" is new here", self.name))
            .at("new-publisher")
            .because(format!("it is signed by {name}, with the key {key}"))
            .fix(format!("if you know the key from elsewhere, the same again with --key {key}")))
    }
}
