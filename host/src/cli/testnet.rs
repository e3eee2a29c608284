use clap_complete::ArgValueCompleter;

use super::announce::Spending;
use super::backend::{Fields, of_plugin, run_action};
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
    /// How many more that the others know and that never answer
    #[arg(long, value_name = "N")]
    dead: Option<u32>,
    /// How long an answer takes
    #[arg(long, value_name = "MILLISECONDS")]
    rtt: Option<f64>,
    /// How much longer or shorter an answer may take
    #[arg(long, value_name = "MILLISECONDS")]
    jitter: Option<f64>,
    /// Which share of the messages is lost, 0 to 1
    #[arg(long, value_name = "SHARE")]
    loss: Option<f64>,
    /// On IPv6, in the place of IPv4
    #[arg(long)]
    ipv6: bool,
    /// Nodes that treat this machine as nodes of the internet treat strangers
    #[arg(long)]
    strict: bool,
    /// The same number makes the same network
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u32>,
    /// Another setting of the plugin's test networks
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let plugin = match &self.plugin {
            Some(plugin) => plugin.clone(),
            None => first_with_testnet(&bitboot)?,
        };
        let settings = self.settings();
        context.screen.talk().busy("starting the nodes");
        let (request, spending) = (of_plugin(&bitboot, &plugin)?, Spending::default());
        let told = |fields: &Fields| {
            if let Some(next) = next(&plugin, fields) {
                context.screen.talk().say(&format!("it runs until Ctrl-C; use it: {next}"));
            }
        };
        run_action(context, &bitboot, &request, ACTION, &settings, &spending, told).await
    }

    /// What has an option of its own is a setting like any other; `--set` has the last word.
    fn settings(self) -> Vec<Assignment> {
        let named = [
            ("nodes", self.nodes.map(|nodes| nodes.to_string())),
            ("dead", self.dead.map(|dead| dead.to_string())),
            ("rtt_ms", self.rtt.map(|rtt| rtt.to_string())),
            ("jitter_ms", self.jitter.map(|jitter| jitter.to_string())),
            ("ipv6", self.ipv6.then(|| true.to_string())),
            ("strict", self.strict.then(|| true.to_string())),
            ("loss", self.loss.map(|loss| loss.to_string())),
            ("seed", self.seed.map(|seed| seed.to_string())),
        ];
        let given = named.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.map(|(key, value)| Assignment { key: key.into(), value }).chain(self.set).collect()
    }
}

/// The command that makes a backend of the network.
fn next(plugin: &str, fields: &Fields) -> Option<String> {
    let first = fields.get("bootstrap")?.get(0)?.as_str()?;
    let here = if first.starts_with('[') { "::1" } else { "127.0.0.1" };
    Some(format!("bitboot backend add lab --plugin {plugin} --set bootstrap={first} --set bind={here}"))
}

/// By the manifests alone, so that no plugin is loaded in vain.
fn first_with_testnet(bitboot: &Bitboot) -> Result<String> {
    let registry = bitboot.registry();
    let has_testnet = |name: &&str| {
        let library = registry.plugin(name).and_then(|plugin| library(bitboot.paths(), name, &plugin));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_told() {
        let fields = |first: &str| Fields::from_iter([("bootstrap".to_owned(), vec![first, "x:1"].into())]);
        let next = |first| next("example", &fields(first)).unwrap();
        assert!(
            next("127.1.2.3:4")
                .ends_with("--plugin example --set bootstrap=127.1.2.3:4 --set bind=127.0.0.1")
        );
        assert!(next("[::1]:4").ends_with("--set bootstrap=[::1]:4 --set bind=::1"));
    }
}
