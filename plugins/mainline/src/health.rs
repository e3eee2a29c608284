use std::time::Instant;

use bitboot_plugin_api::{ErrorKind, Health, Result};

use crate::engine::{Answers, Engine, Facts};
use crate::nodes::{Node, Nodes};

/// The distances between so few nodes tell nothing of how many there are.
const FEW: usize = 10;

/// Enters the DHT, where that is still to be done, and asks some of the nodes found whether they are there.
pub(crate) async fn examine(nodes: &Nodes) -> Result<Health> {
    let (since, node) = (Instant::now(), nodes.ready().await);
    let node = match node {
        Ok(node) => node,
        Err(error) if error.kind == ErrorKind::Unreachable => {
            return Ok(Health::new(false, format!("{}: is DNS reachable?", error.message)));
        }
        Err(error) => return Err(error),
    };
    if node.dht.facts().await.public_address.is_none() {
        node.dht.entered().await;
    }
    let (answers, facts) = (node.dht.ask_around(|asked| asked).await, node.dht.facts().await);
    if answers.answered == 0 {
        nodes.forget(&node).await;
    }
    Ok(describe(&node, &facts, answers, since))
}

fn describe(node: &Node, facts: &Facts, answers: Answers, since: Instant) -> Health {
    let health = if answers.answered > 0 {
        Health::new(true, format!("{} of {} nodes asked answer", answers.answered, answers.asked))
    } else {
        let error = node.unreachable(since);
        Health::new(false, format!("{}: is outgoing UDP blocked?", error.message))
    };
    let health = health.with_fact("nodes", &facts.nodes).with_fact("bound to", &facts.bound_to).with_fact(
        "bootstrap hosts",
        &format!("{} of {} resolved", node.bootstrap.resolved, node.bootstrap.hosts.len()),
    );
    if answers.answered == 0 {
        // What was known of a DHT that is gone is no fact any more.
        return health;
    }
    let address = facts.public_address.map_or_else(|| "unknown".into(), |address| address.to_string());
    let health = health
        .with_fact("public address", &address)
        .with_fact("firewalled", if facts.firewalled { &"yes" } else { &"no" });
    if facts.nodes < FEW {
        return health;
    }
    health.with_fact("network size", &format!("about {}", facts.network_size))
}
