//! Several nodes of which some say nothing, or lie: the right one is found, and nobody waits for the others.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::testing::{Deed, Proxy, Reply, free_port};
use bitboot_rpc::{Endpoint, JsonRpc, Login, Node, Patience, Words, first, read};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

const WORDS: Words = Words { node: "a node", silent: "is it running?", setting: "rpc=URL" };
/// Of a node that hangs, much longer than a test may take.
const HANGING: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(60);

/// On the chain 1, or not.
struct Chain(JsonRpc);

impl Node for Chain {
    async fn check(&self) -> Result<()> {
        match read::<u8>(self.0.ask("chain", json!([])).await?)? {
            1 => Ok(()),
            chain => Err(Error::new(ErrorKind::Config, format!("it is on {chain}"))),
        }
    }
}

fn node(mut reply: impl FnMut() -> Reply + Send + 'static) -> Proxy {
    let deed: Deed = Box::new(move |_, _, _| reply());
    Proxy::start(free_port(), deed)
}

fn on(chain: u8) -> Proxy {
    node(move || Reply::Status(200, json!({ "id": 0, "result": chain }).to_string().into_bytes()))
}

fn hanging() -> Proxy {
    node(|| Reply::Silence(HANGING))
}

/// The place of the node that is taken, or why none is. What still hangs is left to its threads, which end with the test.
fn taken(proxies: &[&Proxy]) -> Result<usize> {
    let patience = Patience { timeout: HANGING, retries: 2 };
    let of =
        |proxy: &&Proxy| Chain(JsonRpc::new(Endpoint::new(&proxy.url(), Login::none(), patience, WORDS)));
    let nodes: Vec<Chain> = proxies.iter().map(of).collect();
    let runtime: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, first(&nodes)).await });
    runtime.shutdown_background();
    let found = found.expect("it waits for a node that hangs")?;
    Ok(nodes.iter().position(|node| std::ptr::eq(node, found)).unwrap())
}

#[test]
fn a_node_that_hangs_holds_nobody_up() {
    let (silent, right) = (hanging(), on(1));
    assert_eq!(taken(&[&silent, &right]).unwrap(), 1);
    let another = hanging();
    assert_eq!(taken(&[&silent, &another, &right]).unwrap(), 2);
    // Neither does one that says nonsense, or is not there.
    let nonsense = node(|| Reply::Status(200, b"<html>".to_vec()));
    let gone = node(|| Reply::Close);
    assert_eq!(taken(&[&silent, &nonsense, &gone, &right]).unwrap(), 3);
}

#[test]
fn a_node_of_a_wrong_chain_is_told_while_others_are_silent() {
    let (silent, wrong) = (hanging(), on(2));
    for nodes in [[&wrong, &silent], [&silent, &wrong]] {
        let error = taken(&nodes).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Config, "it is on 2"));
    }
}
