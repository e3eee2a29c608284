use clap_complete::ArgValueCompleter;

use super::list::line_of;
use crate::amount::Amount;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::keys::{Form, Grant, Item, KeyRing, NODE, no_node};
use crate::output::Line;

/// A key by its name.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The key's name
    #[arg(add = ArgValueCompleter::new(complete::keys))]
    name: String,
}

/// What removing takes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Remove {
    /// The key's name
    #[arg(add = ArgValueCompleter::new(complete::keys))]
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Forget it here too where its store cannot delete it, or does not have it any more
    #[arg(long)]
    forget: bool,
}

/// Print a private key, for another program
///
/// Wants a person at a terminal, who types the key's name. The key goes to stdout.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// The key's name
    #[arg(add = ArgValueCompleter::new(complete::keys))]
    name: String,
    /// In which form [default: hex, or jwk for rsa4096]
    #[arg(long)]
    form: Option<Form>,
}

/// Say which backends may use a key, and how much they may spend
///
/// Without limits a backend may sign what spends nothing. Without words it shows what is granted.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Policy {
    /// The key's name
    #[arg(add = ArgValueCompleter::new(complete::keys))]
    name: String,
    /// Let this backend use it
    #[arg(long, value_name = "BACKEND", conflicts_with = "deny")]
    allow: Option<String>,
    /// Let this backend use it no more
    #[arg(long, value_name = "BACKEND")]
    deny: Option<String>,
    /// The most that one transaction may spend, such as '0.002 TOL'
    #[arg(long, value_name = "AMOUNT", requires_all = ["allow", "per_day"])]
    per_transaction: Option<Amount>,
    /// The most that may be spent in a day (UTC)
    #[arg(long, value_name = "AMOUNT", requires_all = ["allow", "per_transaction"])]
    per_day: Option<Amount>,
}

impl Named {
    pub(super) fn show(&self, context: &Context, keys: &KeyRing) -> Result<()> {
        context.print(&Line::Key(line_of(context, keys, &self.name)?))
    }

    pub(super) fn make_default(&self, context: &Context, keys: &KeyRing) -> Result<()> {
        no_backend(&self.name)?;
        keys.change(|index| {
            let kind = index.entry(&self.name)?.kind;
            for (name, key) in index.keys.iter_mut().filter(|(_, key)| key.kind == kind) {
                key.default = *name == self.name;
            }
            Ok(())
        })?;
        context.screen.talk().say(&format!("the key \"{}\" is the default one of its kind", self.name));
        Ok(())
    }
}

impl Remove {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        let item = Item::named(&self.name);
        let place = item.place(&keys.index()?)?;
        if item == Item::Node && keys.known_identity()?.is_none() {
            return Err(no_node());
        }
        let question = format!("delete {item} from the store \"{}\", for ever?", place.store);
        let is_sure = self.yes || context.is_answered() && context.screen.talk().confirm(&question);
        if !is_sure {
            return Err(Error::new(Kind::NeedsHuman, "it was not confirmed, and nothing is deleted")
                .fix(format!("if you mean it: bitboot key remove {} --yes", self.name)));
        }
        keys.delete(&item, self.forget)?;
        context.screen.talk().say(&format!("{item} is removed"));
        Ok(())
    }
}

impl Export {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        let (item, index) = (Item::named(&self.name), keys.index()?);
        if item != Item::Node {
            index.entry(&self.name)?;
        }
        let question = "whoever has what is printed can spend all that the key can; type its name to go on: ";
        if !context.is_answered() || context.screen.talk().ask(question).trim() != self.name {
            return Err(Error::new(
                Kind::NeedsHuman,
                "a key is exported only to a person who types its name",
            )
            .fix("run it at a terminal"));
        }
        let text = match item {
            Item::Node => keys.node()?.export(self.form)?,
            _ => keys.unlock(&self.name, index.entry(&self.name)?)?.export(self.form)?,
        };
        context.raw(&text)
    }
}

impl Policy {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        if self.allow.is_some() || self.deny.is_some() {
            no_backend(&self.name)?;
            // A name that is spelled wrong would grant nothing, in silence.
            let served = |backend: &String| context.bitboot()?.registry().choice(backend.clone())?.entries;
            let plugin = self.allow.as_ref().map(served).transpose()?.map(|(entry, _)| entry.plugin);
            keys.change(|index| {
                index.entry(&self.name)?;
                let Some(entry) = index.keys.get_mut(&self.name) else { return Ok(()) };
                if let Some((backend, plugin)) = self.allow.zip(plugin) {
                    let (per_transaction, per_day) = (self.per_transaction, self.per_day);
                    entry.grants.insert(backend, Grant { plugin, per_transaction, per_day });
                }
                if let Some(backend) = &self.deny {
                    entry.grants.remove(backend);
                }
                Ok(())
            })?;
        }
        context.print(&Line::Key(line_of(context, keys, &self.name)?))
    }
}

/// The node's key is for records alone: one that signed for a backend as well would tie a payment to a node.
fn no_backend(name: &str) -> Result<()> {
    if name != NODE {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, "the node's key signs its records only, and nothing for a backend")
        .fix("make another key: bitboot key new NAME --kind KIND"))
}
