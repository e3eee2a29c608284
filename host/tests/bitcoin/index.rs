//! Finding by the filters that a node keeps of its blocks.

use std::time::Duration;

use bitboot_rpc::testing::{Proxy, Reply};
use serde_json::json;

use super::finding::BLOCK;
use super::node::Bitcoind;
use super::spending::{bitcoin_amount, paid};
use super::support::Spender;
use super::{VIA, bitcoind, data_of, reader, rich};

const FALLS_BACK: &str = "the index is not used, every block is read instead";

fn indexing(node: &Bitcoind) -> Spender {
    let user = rich(node);
    user.set(&["index_output=true"]);
    user
}

fn reader_of(proxy: &Proxy, node: &Bitcoind, index: &str) -> Spender {
    let reader = reader(&proxy.url(), &node.cookie());
    reader.set(&[&format!("index={index}")]);
    reader
}

#[test]
fn three_writers_are_found_and_hardly_a_block_is_read() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let users: Vec<Spender> = (0..3).map(|_| indexing(&node)).collect();
    for (user, port) in users.iter().zip(4001..) {
        user.announced(&format!("192.0.2.7:{port}"));
        node.mine(1);
    }
    let plain = rich(&node);
    plain.announced("192.0.2.7:4004");
    node.mine(1000);

    let proxy = Proxy::counting(node.port());
    let only = reader_of(&proxy, &node, "only");
    let found = only.lookup("demo");
    assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"], "{}", found.err());
    for line in found.of_type("peer") {
        let port = line["peer"].as_str().unwrap().chars().last().and_then(|last| last.to_digit(10)).unwrap();
        assert_eq!(line["signed_by"], users[port as usize - 1].public_key());
    }
    // One in 784931 filters says by chance that its block has something (BIP 158).
    let read = proxy.times(BLOCK);
    assert!((3..=4).contains(&read), "{read}");
    // What was read is remembered; what is new is found.
    assert_eq!(only.lookup("demo").peers().len(), 3);
    assert_eq!(proxy.times(BLOCK), read);
    users[0].withdrawn();
    assert_eq!(only.lookup("demo").peers(), ["192.0.2.7:4002", "192.0.2.7:4003"]);
    node.mine(1);
    assert_eq!(only.lookup("demo").peers(), ["192.0.2.7:4002", "192.0.2.7:4003"]);
    assert_eq!(proxy.times(BLOCK), read + 1);

    // Who paid no index output is found by reading all blocks, each peer is told once.
    let all = reader_of(&proxy, &node, "first").lookup("demo");
    assert_eq!(all.peers(), ["192.0.2.7:4002", "192.0.2.7:4003", "192.0.2.7:4004"], "{}", all.err());
    assert!(proxy.times(BLOCK) > 1000 && all.of_type("peer_confirmed").is_empty(), "{}", all.out());
}

#[test]
fn what_the_index_leads_to_is_told_before_any_other_block_is_read() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let user = indexing(&node);
    user.announced("192.0.2.7:4001");
    node.mine(20);
    // The hashes of many blocks at once are asked for when all of them are read.
    let deed = |question: &str, body, _| {
        let is_walk = question.contains("getblockhash") && question.contains(r#""id":1,"#);
        if is_walk { Reply::Silence(Duration::from_secs(600)) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    let reader = reader_of(&proxy, &node, "first");
    let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "15s"]);
    assert_eq!((found.code(), found.peers()), (0, vec!["192.0.2.7:4001".into()]), "{}", found.err());
    assert_eq!((proxy.asked("scanblocks"), proxy.times(BLOCK)), (1, 1));
}

#[test]
fn what_is_lost_on_the_index_is_quoted() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let user = indexing(&node);
    let before = user.wallet();
    let dry = user.announce("192.0.2.7:4001", &["--dry-run"]);
    let quote = dry.of_type("quote")[0].clone();
    assert!(quote["writes"].as_str().unwrap().contains("0.00000294 BTC for its index"), "{quote}");
    assert_eq!(user.wallet(), before);
    let ran = user.announced("192.0.2.7:4001");
    let [id] = &node.waiting()[..] else { panic!("{:?}", node.waiting()) };
    let outputs = node.ask("getrawtransaction", json!([id, 2]))["vout"].clone();
    assert_eq!(outputs.as_array().unwrap().len(), 3);
    assert_eq!(bitcoin_amount(&outputs[1]["value"].to_string()), 294);
    assert!(outputs[1]["scriptPubKey"]["hex"].as_str().unwrap().starts_with("0014"));
    let real = paid(&node, id) + 294;
    let told = bitcoin_amount(ran.of_type("receipt")[0]["fee"].as_str().unwrap());
    let quoted = bitcoin_amount(quote["fee"].as_str().unwrap());
    assert!(real <= quoted && quoted * 10 <= real * 12 && real == told, "{real} {told} {quoted}");
}

#[test]
fn dust_of_others_on_the_index_output_hides_nobody() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let user = indexing(&node);
    user.announced("192.0.2.7:4001");
    let data = data_of(&node);
    let output =
        node.ask("getrawtransaction", json!([node.waiting()[0], 2]))["vout"][1]["scriptPubKey"].clone();
    let address = output["address"].as_str().unwrap();
    node.mine(1);
    for _ in 0..40 {
        node.ask("sendtoaddress", json!([address, 0.000_002_94]));
        node.mine(1);
    }
    // In the same block as noise under the same tag.
    node.ask("sendtoaddress", json!([address, 0.01]));
    node.write(&[format!("{}{}", &data[..16], "5a".repeat(27)), data.clone()]);
    node.mine(200);
    let proxy = Proxy::counting(node.port());
    let only = reader_of(&proxy, &node, "only");
    for _ in 0..2 {
        let found = only.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.public_key());
        // Some forty, as payments come into blocks; all others of the 246 are left alone.
        assert!((30..100).contains(&proxy.times(BLOCK)), "{}", proxy.times(BLOCK));
    }
}

#[test]
fn where_the_index_cannot_be_used_every_block_is_read() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = indexing(&node);
    user.announced("192.0.2.7:4001");
    node.mine(1);
    user.set(&["index=only"]);
    let found = user.lookup("demo");
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains(FALLS_BACK) && found.err().contains("keeps no filters"), "{}", found.err());
}

#[test]
fn an_index_that_is_busy_behind_or_lying_hides_nobody() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let user = indexing(&node);
    user.announced("192.0.2.7:4001");
    node.mine(3);
    // One search at a time, as nodes of this version tell it.
    let busy = r#"{"id":0,"result":null,"error":{"code":-8,"message":"Scan already in progress, use action \"abort\" or \"status\""}}"#;
    let lost = r#"{"id":0,"result":{"from_height":0,"to_height":1,"relevant_blocks":[],"completed":false}}"#;
    let much = format!(
        r#"{{"id":0,"result":{{"completed":true,"relevant_blocks":[{}]}}}}"#,
        vec![format!("\"{}\"", "11".repeat(32)); 3000].join(",")
    );
    let behind = r#"{"id":0,"result":{"basic block filter index":{"synced":false,"best_block_height":102}}}"#;
    let early = r#"{"id":0,"result":{"basic block filter index":{"synced":false,"best_block_height":0}}}"#;
    let cases = [
        ("scanblocks", busy, 2, true, 3),
        ("scanblocks", busy, u64::MAX, false, 4),
        ("scanblocks", lost, u64::MAX, false, 1),
        ("scanblocks", &much, u64::MAX, false, 1),
        ("scanblocks", "<html>", u64::MAX, false, 3),
        // The blocks that have no filter yet are read.
        ("getindexinfo", behind, u64::MAX, true, 1),
        ("getindexinfo", early, u64::MAX, false, 0),
    ];
    for (method, lie, most, is_used, scans) in cases {
        let (lie, mut lies) = (lie.to_owned(), 0);
        let deed = move |question: &str, body, _| {
            let is_asked = question.contains(method);
            lies += u64::from(is_asked);
            Reply::Body(if is_asked && lies <= most { lie.clone().into_bytes() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let found = reader_of(&proxy, &node, "only").lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{method} {lies}: {}", found.err());
        assert_eq!(found.err().contains(FALLS_BACK), !is_used, "{method}: {}", found.err());
        assert_eq!(proxy.asked("scanblocks"), scans, "{}", found.err());
    }
}

#[test]
fn what_a_reorganization_takes_out_is_not_found_by_the_index() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    let user = indexing(&node);
    user.announced("192.0.2.7:4001");
    node.mine(2);
    let reader = reader(&node.url(), &node.cookie());
    reader.set(&["index=only", "mempool=false"]);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    let hash = node.ask("getblockhash", json!([node.height() - 1]));
    node.ask("invalidateblock", json!([hash]));
    for _ in 0..3 {
        node.ask("generateblock", json!([node.address(), []]));
    }
    assert_eq!(reader.lookup("demo").peers(), Vec::<String>::new());
    node.mine(1);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    // The first block is found again as well, where the old branch wins after all.
    node.ask("reconsiderblock", json!([hash]));
    reader.home.ok(&["backend", "info", VIA]);
}
