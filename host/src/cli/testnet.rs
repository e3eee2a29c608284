use clap_complete::ArgValueCompleter;

use super::backend::{of_plugin, run_action};
use super::complete;
use super::context::Context;
use super::exit::Exit;
use crate::client::{Bitboot, library};
use crate::error::{Error, Kind, Result};
use crate::loader::manifest_of;
use crate::registry::Assignment;

/// The action that this command is short for.
const ACTION: &str = "testnet";

/// Start a private test network on this machine, until Ctrl-C
///
/// Prints its bootstrap hosts and stays. Short for the action `testnet` of a plugin.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Then: bitboot backend add lab --plugin PLUGIN --set bootstrap=HOST:PORT --set bind=127.0.0.1"
)]
pub(super) struct Args {
    /// The plugin [default: the first one that has test networks]
    #[arg(long, add = ArgValueCompleter::new(complete::plugins))]
    plugin: Option<String>,
    /// How many nodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    nodes: Option<u32>,
    /// Another setting of the plugin's test networks
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let plugin = match self.plugin {
            Some(plugin) => plugin,
            None => first_with_testnet(&bitboot)?,
        };
        let nodes = self.nodes.map(|nodes| Assignment { key: "nodes".into(), value: nodes.to_string() });
        let settings = nodes.into_iter().chain(self.set).collect::<Vec<_>>();
        context.screen.talk().busy("starting the nodes");
        run_action(context, &bitboot, &of_plugin(&bitboot, &plugin)?, ACTION, &settings).await
    }
}

/// By the manifests alone, so that no plugin is loaded in vain.
fn first_with_testnet(bitboot: &Bitboot) -> Result<String> {
    let registry = bitboot.registry();
    let has_testnet = |name: &&str| {
        let library = registry.plugin(name).and_then(|plugin| library(name, &plugin));
        let manifest = library.ok().and_then(|library| manifest_of(&library).ok());
        manifest.is_some_and(|manifest| {
            manifest.backends.iter().any(|kind| kind.actions.iter().any(|action| action == ACTION))
        })
    };
    registry.plugin_names().find(has_testnet).map(ToOwned::to_owned).ok_or_else(|| {
        Error::new(Kind::Plugin, "no plugin here has test networks")
            .fix("see what is wrong with the plugins: bitboot plugin list")
    })
}
