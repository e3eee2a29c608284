use clap_complete::ArgValueCompleter;

use super::context::Context;
use super::exit::Exit;
use super::{complete, values};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::output::{Line, NetworkLine};
use crate::registry::{Edit, Entry, NetworkEntry, Registry, Section, unknown};

/// What can be done with registered networks.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Register a network, with backends of its own
    Add {
        /// The network's name
        #[arg(value_parser = values::network)]
        network: Network,
        /// Its backends; several may be given, separated by commas
        #[arg(long, required = true, value_name = "BACKEND", value_delimiter = ',', add = ArgValueCompleter::new(complete::backends))]
        via: Vec<String>,
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
    },
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        let registry = Registry::read(paths)?;
        match self {
            Self::Add { network, via } => {
                for backend in &via {
                    registry.choice(backend.clone())?;
                }
                let mut edit = Edit::begin(paths)?;
                let entry = edit.entry(Section::Networks, network.name())?;
                entry.insert("backends", via.iter().collect::<toml_edit::Array>().into());
                edit.commit()?;
                context.screen.talk().say(&format!("network \"{network}\" uses {}", via.join(", ")));
            }
            Self::List => {
                for (name, entry) in &registry.networks {
                    context.print(&Line::Network(line(name, Some(entry))))?;
                }
            }
            Self::Show { network } => {
                let mut line = line(network.name(), registry.networks.get(network.name()));
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
            Self::Remove { network } => {
                let mut edit = Edit::begin(paths)?;
                if !edit.remove(Section::Networks, network.name()) {
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

fn line(name: &str, entry: Option<&Entry<NetworkEntry>>) -> NetworkLine {
    let value = entry.map(|entry| &entry.value);
    NetworkLine {
        network: name.to_owned(),
        locator: name.parse::<Network>().map(|network| network.locator().to_hex()).unwrap_or_default(),
        backends: value
            .and_then(|value| value.as_ref().ok())
            .map(|entry| entry.backends.clone())
            .unwrap_or_default(),
        invalid: value.and_then(|value| value.as_ref().err()).map(ToString::to_string),
    }
}
