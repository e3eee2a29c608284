//! What is spent, and what is not.

use bitboot_rpc::testing::{Proxy, Reply};

use super::node::Surfnet;
use super::support::Ran;
use super::{VIA, lamports, poor, reader, rich, surfpool};

#[test]
fn a_quote_spends_nothing_and_holds() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let owner = user.address();
    // A new account, the same one changed, a memo; then a larger record, which has no room in the account.
    let many: Vec<String> = (1..20).flat_map(|port| ["--peer".into(), format!("192.0.2.9:{port}")]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (mode, more, signatures) in [
        ("account", &[][..], 2),
        ("account", &[], 1),
        ("memo", &[], 1),
        ("account", &many, 2),
        ("account", &[], 1),
    ] {
        user.set(&[&format!("mode={mode}")]);
        let before = (node.balance(&owner), node.naming(&owner));
        let dry = user.announce("192.0.2.7:4001", &[more, &["--dry-run"]].concat());
        let quote = dry.of_type("quote")[0].clone();
        assert_eq!((dry.code(), &quote["test_network"]), (0, &true.into()), "{}", dry.err());
        assert_eq!(quote["signatures"].as_u64().unwrap_or(1), signatures, "{quote}");
        assert_eq!((node.balance(&owner), node.naming(&owner)), before);

        let ran = user.announce("192.0.2.7:4001", &[more, &user.agreed()].concat());
        assert_eq!(ran.code(), 0, "{}", ran.err());
        let (quoted, told) = (lamports(&quote["fee"]), lamports(&ran.of_type("receipt")[0]["fee"]));
        let real = node.paid(&transaction(&ran));
        assert!(real <= quoted && quoted * 10 <= real * 12 && real == told, "{real} {told} {quoted}");
        assert_eq!(before.0 - node.balance(&owner), real);
    }
    assert_eq!(node.stored().len(), 2);
}

/// The transaction of an announcement.
fn transaction(ran: &Ran) -> String {
    let note = ran.of_type("receipt")[0]["notes"][0].as_str().unwrap().to_owned();
    note.strip_prefix("transaction ").unwrap().to_owned()
}

#[test]
fn what_must_not_be_spent_is_not() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let owner = user.address();
    let before = node.naming(&owner);
    let refused = |ran: &Ran, code: i32, says: &str| {
        ran.is_refused(code, says);
        assert_eq!(node.naming(&owner), before);
        assert!(node.stored().is_empty());
    };
    let all = user.agreed();
    refused(&user.announce("192.0.2.7:4001", &["--yes", "--max-fee", "0.000001 SOL"]), 12, "over the limit");
    refused(&user.announce("192.0.2.7:4001", &[]), 8, "was not confirmed");

    // Another chain, and a real one: by the first block, whatever it calls itself.
    let url = format!("rpc={}", node.url());
    user.set(&["chain=devnet", &url]);
    refused(&user.announce("192.0.2.7:4001", &all), 10, "is on another chain");
    let real = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
    let lie = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| {
            let answer = format!(r#"{{"jsonrpc":"2.0","id":0,"result":"{real}"}}"#);
            Reply::Body(if question.contains("getGenesisHash") { answer.into_bytes() } else { body })
        }),
    );
    user.set(&["chain=main", &format!("rpc={}", lie.url())]);
    refused(&user.announce("192.0.2.7:4001", &all), 13, "would spend real money");
    // Nor is the real chain taken for one of one's own.
    user.set(&["chain=local"]);
    refused(&user.announce("192.0.2.7:4001", &all), 10, "is on another chain");
    assert_eq!(lie.asked("sendTransaction"), 0);
    user.set(&[&url]);
    let elsewhere = rich(&node);
    elsewhere.set(&["genesis=11111111111111111111111111111112"]);
    refused(&elsewhere.announce("192.0.2.7:4001", &all), 10, "is on another chain");

    let poor = poor(&node.url());
    refused(&poor.announce("192.0.2.7:4001", &all), 11, "the wallet has 0 SOL");
    // What is left would not be enough to keep the wallet.
    node.fund(&poor.address(), 3_000_000);
    refused(&poor.announce("192.0.2.7:4001", &all), 11, "is needed");
    std::fs::write(&user.passphrase, "another passphrase").unwrap();
    refused(&user.announce("192.0.2.7:4001", &all), 4, "the passphrase does not open");
    let keyless = reader(&node.url());
    refused(&keyless.announce("192.0.2.7:4001", &all), 4, "there is no ed25519 key");
    let stranger = rich(&node);
    stranger.home.ok(&["key", "policy", "mine", "--deny", VIA]);
    refused(&stranger.announce("192.0.2.7:4001", &all), 8, "may not use the key");
}
