use std::future::pending;

use bitboot_plugin_api::{ActionInfo, Output, Result};
use serde_json::json;

use crate::dht::lab::{Lab, Spec};

pub(crate) const NAME: &str = "testnet";

pub(crate) fn info() -> ActionInfo {
    ActionInfo::new::<Spec>(
        NAME,
        "runs a private DHT on this machine until it is stopped, and tells its bootstrap hosts",
    )
}

/// Runs until nobody wants it any more; the nodes end with the future.
pub(crate) async fn run(spec: Spec, out: &Output) -> Result<()> {
    let lab = Lab::start(&spec).await?;
    let bootstrap = lab.bootstrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    // With the seed that was drawn where none was given: whoever sees something odd can have the same network again.
    let told = json!({
        "bootstrap": bootstrap,
        "nodes": spec.nodes,
        "dead": spec.dead,
        "rtt_ms": spec.rtt_ms,
        "jitter_ms": spec.jitter_ms,
        "loss": spec.loss,
        "ipv6": spec.ipv6,
        "strict": spec.strict,
        "seed": lab.seed(),
    });
    out.emit(&told).await?;
    pending().await
}
