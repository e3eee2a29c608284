use clap_complete::ArgValueCompleter;

use super::context::Context;
use super::exit::Exit;
use super::{complete, values};
use crate::error::{Error, Kind, Result};
use crate::keys::{Index, Item};
use crate::network::Network;
use crate::output::{Line, NetworkLine};
use crate::registry::{Edit, Entry, NetworkEntry, Registry, Section, unknown};

mod add;

/// What can be done with registered networks.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Add(add::Args),
    /// Print the invite of a secret network: whoever has it is a member
    Invite {
        /// The network's name
        #[arg(value_parser = values::network, add = ArgValueCompleter::new(complete::networks))]
        network: Network,
    },
    /// List the registered networks
    #[command(visible_alias = "ls")]
    List,
    /// Show how a network is found, registered or not
    Show {
        /// The network's name, 40 hexadecimal digits, or a magnet link
        #[arg(value_parser = values::network, add = ArgValueCompleter::new(complete::networks))]
        network: Network,
    },
    /// Forget a network; what is announced in it stays announced
    #[command(visible_alias = "rm")]
    Remove {
        /// The network's name
        #[arg(value_parser = values::network, add = ArgValueCompleter::new(complete::networks))]
        network: Network,
        /// Forget it too where its secret cannot be deleted from its store
        #[arg(long)]
        forget: bool,
    },
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        let registry = Registry::read(paths)?;
        match self {
            Self::Add(args) => return args.run(context, &registry),
            Self::Invite { network } => {
                let invite = context.bitboot()?.resolve(&network)?.invite().ok_or_else(|| {
                    let what =
                        format!("network \"{network}\" has no secret: its name is all that there is to know");
                    Error::new(Kind::Usage, what)
                        .fix("make a secret one: bitboot network add NAME --secret new")
                })?;
                context.raw(&invite)?;
            }
            Self::List => {
                let keys = context.keys()?.index()?;
                for (name, entry) in &registry.networks {
                    context.print(&Line::Network(line(name, Some(entry), &keys)))?;
                }
            }
            Self::Show { network } => {
                let (keys, entry) = (context.keys()?.index()?, registry.networks.get(network.name()));
                let mut line = line(network.name(), entry, &keys);
                if line.backends.is_empty() && line.invalid.is_none() {
                    line.backends = registry
                        .select(network.name(), &[])?
                        .choices
                        .into_iter()
                        .map(|choice| choice.backend)
                        .collect();
                }
                context.print(&Line::Network(line))?;
            }
            Self::Remove { network, forget } => {
                let mut edit = Edit::begin(paths)?;
                let was_there = edit.remove(Section::Networks, network.name());
                // A secret without an entry is what an add that was cut short leaves.
                let had_secret = context.keys()?.delete(&Item::Network(network.clone()), forget)?;
                if !was_there && !had_secret {
                    let error =
                        unknown("network", network.name(), registry.networks.keys().map(String::as_str));
                    return Err(Error { kind: Kind::Usage, ..error });
                }
                edit.commit()?;
                context.screen.talk().say(&format!("network \"{network}\" is no longer registered"));
            }
        }
        Ok(Exit::OK)
    }
}

fn line(name: &str, entry: Option<&Entry<NetworkEntry>>, keys: &Index) -> NetworkLine {
    let value = entry.map(|entry| &entry.value);
    let secret = value.and_then(|value| value.as_ref().ok()).is_some_and(|entry| entry.secret);
    let network = name.parse::<Network>().ok();
    let place =
        network.clone().filter(|_| secret).and_then(|network| Item::Network(network).place(keys).ok());
    NetworkLine {
        network: name.to_owned(),
        // A secret network lies elsewhere on each medium and in each hour.
        locator: network.filter(|_| !secret).map(|network| network.locator().to_hex()),
        secret,
        secret_store: place.map(|place| place.store.word().into()),
        backends: value
            .and_then(|value| value.as_ref().ok())
            .map(|entry| entry.backends.clone())
            .unwrap_or_default(),
        invalid: value.and_then(|value| value.as_ref().err()).map(ToString::to_string),
    }
}
