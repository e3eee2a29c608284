use std::future::pending;

use bitboot_plugin_api::{ActionInfo, Error, ErrorKind, Output, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::engine::PrivateDht;

pub(crate) const NAME: &str = "testnet";

/// Each node wakes up twenty times a second: so many are an eighth of a processor.
const MAX_NODES: u16 = 500;

/// What a private DHT is started with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TestnetArgs {
    /// How many nodes, 1 to 500; each is a thread and 0.1 MB.
    #[schemars(range(min = 1, max = 500))]
    nodes: u16,
}

impl Default for TestnetArgs {
    fn default() -> Self {
        Self { nodes: 20 }
    }
}

pub(crate) fn info() -> ActionInfo {
    ActionInfo::new::<TestnetArgs>(
        NAME,
        "runs a private DHT on this machine until it is stopped, and tells its bootstrap hosts",
    )
}

/// Runs until nobody wants it any more; the nodes end with the future.
pub(crate) async fn run(args: TestnetArgs, out: &Output) -> Result<()> {
    if !(1..=MAX_NODES).contains(&args.nodes) {
        return Err(Error::new(
            ErrorKind::Config,
            format!("a DHT of {} nodes is not started here", args.nodes),
        )
        .fix(format!("ask for 1 to {MAX_NODES}")));
    }
    let dht = PrivateDht::start(args.nodes).await?;
    let bootstrap = dht.bootstrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    out.emit(&json!({ "bootstrap": bootstrap, "nodes": args.nodes })).await?;
    pending().await
}
