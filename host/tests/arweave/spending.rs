//! What is spent, and what is not.

use std::time::Duration;

use bitboot_rpc::testing::{Proxy, Reply};

use super::node::started;
use super::support::Ran;
use super::{PEER, VIA, ids, poor, reader, rich, winston};

#[test]
fn a_quote_spends_nothing_and_holds() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    let address = user.address();
    user.set(&["confirm_s=30"]);
    for peer in [PEER, "[2001:db8::7]:4001", "peer.example:4001"] {
        let (had, before) = (node.balance(&address), node.announced());
        let dry = user.announce(peer, &["--dry-run"]);
        let quote = dry.of_type("quote")[0].clone();
        assert_eq!((dry.code(), &quote["test_network"]), (0, &true.into()), "{}", dry.err());
        assert_eq!((node.balance(&address), node.announced()), (had, before));
        let quoted = winston(&quote["fee"]);

        // Blocks come while the announcement waits for one.
        let ran = std::thread::scope(|scope| {
            let announcing = scope.spawn(|| user.announced(peer));
            while !announcing.is_finished() {
                node.mine(1);
                std::thread::sleep(Duration::from_millis(200));
            }
            announcing.join().unwrap()
        });
        let receipt = ran.of_type("receipt")[0].clone();
        assert!(receipt["notes"][0].as_str().unwrap().contains(", in block "), "{receipt}");
        let (real, told) = (had - node.balance(&address), winston(&receipt["fee"]));
        let listed: u64 = node.announced()[0]["fee"]["winston"].as_str().unwrap().parse().unwrap();
        assert!(real <= quoted && quoted * 10 <= real * 12, "{real} {quoted}");
        assert_eq!((told, listed), (real, real));
    }
}

#[test]
fn what_must_not_be_spent_is_not() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    let all = user.agreed();
    let refused = |ran: &Ran, code: i32, says: &str| {
        ran.is_refused(code, says);
        assert_eq!(ids(&node), Vec::<String>::new());
    };
    refused(&user.announce(PEER, &["--yes", "--max-fee", "0.000000000001 AR"]), 12, "over the limit");
    refused(&user.announce(PEER, &[]), 8, "was not confirmed");

    // Another network, and the real one, which a gateway only has to claim.
    user.set(&["network=arweave.N.1"]);
    refused(&user.announce(PEER, &all), 10, "is of another network, \"arlocal.N.1\"");
    let lie = Proxy::start(
        node.port(),
        Box::new(|_, body, _| {
            Reply::Body(String::from_utf8(body).unwrap().replace("arlocal.N.1", "arweave.N.1").into_bytes())
        }),
    );
    user.set(&[&format!("rpc={}", lie.url())]);
    refused(&user.announce(PEER, &all), 13, "would spend real money");
    // Nobody knows what is worth something in any other one.
    let other = Proxy::start(
        node.port(),
        Box::new(|_, body, _| {
            Reply::Body(String::from_utf8(body).unwrap().replace("arlocal.N.1", "other.N.1").into_bytes())
        }),
    );
    user.set(&["network=other.N.1", &format!("rpc={}", other.url())]);
    refused(&user.announce(PEER, &all), 13, "would spend real money");
    user.set(&["network=arlocal.N.1", &format!("rpc={}", lie.url())]);
    refused(&user.announce(PEER, &all), 10, "is of another network, \"arweave.N.1\"");
    user.set(&[&format!("rpc={}", node.url())]);

    refused(&poor(&node.url(), 2).announce(PEER, &all), 11, "which is not enough");
    // One that has nothing, and a gateway that says it has: the gateway behind it knows better.
    let lie = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            Reply::Body(if question.contains("/balance") { b"1000000000000".to_vec() } else { body })
        }),
    );
    refused(&poor(&lie.url(), 3).announce(PEER, &all), 11, "the wallet has not enough");
    // What the gateway takes for forged or tampered with.
    let lie = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            Reply::Body(if question.starts_with("/tx_anchor") { b"A".repeat(64) } else { body })
        }),
    );
    user.set(&[&format!("rpc={}", lie.url())]);
    refused(&user.announce(PEER, &all), 1, "Bad Request (status 400)");
    user.set(&[&format!("rpc={}", node.url())]);

    std::fs::write(&user.passphrase, "another passphrase").unwrap();
    refused(&user.announce(PEER, &all), 4, "the passphrase does not open");
    refused(&reader(&node.url()).announce(PEER, &all), 4, "there is no rsa4096 key");
    let stranger = poor(&node.url(), 2);
    stranger.home.ok(&["key", "policy", "mine", "--deny", VIA]);
    refused(&stranger.announce(PEER, &all), 8, "may not use the key");
}
