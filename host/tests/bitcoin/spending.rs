//! What is paid, and what must not be.

use bitboot_rpc::testing::{Proxy, Reply};
use serde_json::{Value, json};

use super::node::Bitcoind;
use super::support::Ran;
use super::{VIA, bitcoind, poor, reader, rich};

#[test]
fn a_quote_spends_nothing_and_holds() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let before = (node.waiting(), user.wallet());
    let dry = user.announce("192.0.2.7:4001", &["--dry-run"]);
    let quote = dry.of_type("quote")[0].clone();
    assert_eq!((dry.code(), &quote["test_network"]), (0, &true.into()), "{}", dry.err());
    assert_eq!((node.waiting(), user.wallet()), before);

    for (peer, bytes) in [("192.0.2.7:4001", 35), ("[2001:db8::7]:4001", 47)] {
        let quoted =
            bitcoin_amount(user.announce(peer, &["--dry-run"]).of_type("quote")[0]["fee"].as_str().unwrap());
        let ran = user.announced(peer);
        let [id] = &node.waiting()[..] else { panic!("{:?}", node.waiting()) };
        let (real, told) =
            (paid(&node, id), bitcoin_amount(ran.of_type("receipt")[0]["fee"].as_str().unwrap()));
        assert!(real <= quoted && quoted * 10 <= real * 12 && real == told, "{real} {told} {quoted}");
        let transaction = node.ask("getrawtransaction", json!([id, 2]));
        let script = transaction["vout"][0]["scriptPubKey"]["hex"].as_str().unwrap();
        assert_eq!((&script[..4], script.len() / 2 - 2), (format!("6a{bytes:02x}").as_str(), bytes));
        node.mine(1);
    }
}

#[test]
fn coins_that_are_only_enough_together_are_signed_for_one_by_one() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = poor(&node.url(), &node.cookie());
    let address = user.address();
    (0..2).for_each(|_| node.fund(&address, 0.000_004));
    let dry = user.announce("192.0.2.7:4001", &["--dry-run"]);
    assert_eq!(dry.of_type("quote")[0]["signatures"], 2, "{}", dry.err());
    user.announced("192.0.2.7:4001");
    let transaction = node.ask("getrawtransaction", json!([node.waiting()[0], 2]));
    assert_eq!(transaction["vin"].as_array().unwrap().len(), 2);
}

#[test]
fn what_must_not_be_spent_is_not() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let refused = |ran: &Ran, code: i32, says: &str| {
        ran.is_refused(code, says);
        assert_eq!(node.waiting(), Vec::<String>::new());
    };
    let all = user.agreed();
    refused(
        &user.announce("192.0.2.7:4001", &["--yes", "--max-fee", "0.00000001 BTC"]),
        12,
        "over the limit",
    );
    refused(&user.announce("192.0.2.7:4001", &[]), 8, "was not confirmed");
    refused(&user.announce("peer.example:4001", &all), 2, "room for one IPv4 or IPv6 address only");

    // Another chain, and a real one: by the first block, whatever it calls itself.
    user.home.ok(&["backend", "set", VIA, "chain=signet"]);
    refused(&user.announce("192.0.2.7:4001", &all), 10, "is on another chain");
    let real = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    let lie = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| {
            let is_first = question.contains("getblockhash") && question.contains("[0]");
            Reply::Body(if is_first { format!(r#"{{"id":0,"result":"{real}"}}"#).into_bytes() } else { body })
        }),
    );
    user.home.ok(&["backend", "set", VIA, "chain=main", &format!("rpc={}", lie.url())]);
    refused(&user.announce("192.0.2.7:4001", &all), 13, "would spend real money");
    user.home.ok(&["backend", "set", VIA, "chain=regtest", &format!("rpc={}", node.url())]);

    let pauper = poor(&node.url(), &node.cookie());
    refused(&pauper.announce("192.0.2.7:4001", &all), 11, "which is not enough");
    std::fs::write(&user.passphrase, "another passphrase").unwrap();
    refused(&user.announce("192.0.2.7:4001", &all), 4, "");
    let keyless = reader(&node.url(), &node.cookie());
    refused(&keyless.announce("192.0.2.7:4001", &all), 4, "there is no secp256k1 key");
    let stranger = poor(&node.url(), &node.cookie());
    stranger.home.ok(&["key", "policy", "mine", "--deny", VIA]);
    refused(&stranger.announce("192.0.2.7:4001", &all), 8, "may not use the key");
}

/// What the chain knows of a transaction that an announcement made: its fee, in satoshi.
pub(super) fn paid(node: &Bitcoind, id: &str) -> u64 {
    let entry = node.ask("getmempoolentry", json!([id]));
    satoshi(&entry["fees"]["base"])
}

pub(super) fn satoshi(coins: &Value) -> u64 {
    bitcoin_amount(&coins.to_string())
}

/// Whole coins as decimal text, without a float in between.
pub(super) fn bitcoin_amount(text: &str) -> u64 {
    let text = text.trim_matches('"').trim_end_matches(" BTC");
    if let Some((digits, power)) = text.split_once(['e', 'E']) {
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let power = 8 + power.parse::<i32>().unwrap() - i32::try_from(places).unwrap();
        return digits.replace('.', "").parse::<u64>().unwrap() * 10u64.pow(power.try_into().unwrap());
    }
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<8}").parse().unwrap()
}
