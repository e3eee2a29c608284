//! Nodes that are down, hang, lie or disagree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use bitboot_rpc::testing::{Proxy, Reply};
use data_encoding::BASE64;
use serde_json::Value;

use super::node::{Stranger, Surfnet};
use super::support::{RPC_LIES, Spender};
use super::{VIA, reader, rich, surfpool};

/// Of a node that hangs: much longer than a command may take.
const HANGING: Duration = Duration::from_secs(600);
/// So many bytes of an account are before its value; the last two of them are its length.
const HEAD: usize = 110;
const NOTHING: &[u8] = br#"{"jsonrpc":"2.0","id":0,"result":null}"#;

#[test]
fn a_node_that_is_down_or_lies_is_told() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    user.hears_of_silence();
    // About everything, then about what is found.
    for about in ["", "getProgramAccounts"] {
        user.hears_of_lies(node.port(), "a Solana node", about, &RPC_LIES);
    }
    assert!(node.stored().is_empty());
}

#[test]
fn several_nodes_are_read_and_told_and_none_hides_another() {
    let Some(surfpool) = surfpool() else { return };
    let [node, other] = [Surfnet::start(&surfpool), Surfnet::start(&surfpool)];
    let user = rich(&node);
    user.is_told_by_the_one_that_is_up(&node.url(), "192.0.2.7:4001");
    user.is_not_held_up(node.port(), &node.url(), "192.0.2.7:4001");
    // One that keeps something else: both are read, and that they disagree is told.
    user.set(&[&format!("rpc={},{}", other.url(), node.url())]);
    let found = user.home.run(&["lookup", "demo", "--via", VIA, "--json", "-v"]);
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains("do not keep the same accounts"), "{}", found.err());
    // A provider that has switched one way off is read in the other.
    let deed = |question: &str, body, _| {
        let off = br#"{"jsonrpc":"2.0","id":0,"error":{"code":-32011,"message":"no history"}}"#;
        Reply::Body(if question.contains("getSignaturesForAddress") { off.to_vec() } else { body })
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url())]);
    let found = user.lookup("demo");
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    user.set(&["mode=memo"]);
    assert!(user.lookup("demo").err().contains("no history"));
}

/// Accounts that nobody made, so many, in an answer that has one at least.
fn invented(count: u64, body: &[u8]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(body).unwrap();
    let data = BASE64.decode(answer["result"][0]["account"]["data"][0].as_str().unwrap().as_bytes()).unwrap();
    let account = |number: u64| {
        let mut account = answer["result"][0].clone();
        let data = [&data[..HEAD - 2], &[0, 8], &number.to_be_bytes()].concat();
        account["account"]["data"][0] = BASE64.encode(&data).into();
        account
    };
    answer["result"] = (0..count).map(account).collect();
    answer.to_string().into_bytes()
}

#[test]
fn a_node_that_invents_values_does_not_hide_what_a_slower_one_has() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    // A flood beside a node that is a bit slower; then one value, told at once, beside one that takes five seconds and answers all along.
    for (count, pause) in [(10_000, 500), (1, 1700)] {
        let deed = move |question: &str, body: Vec<u8>, _| {
            Reply::Body(if question.contains("getProgramAccounts") { invented(count, &body) } else { body })
        };
        let liar = Proxy::start(node.port(), Box::new(deed));
        let deed = move |_: &str, body, _| {
            std::thread::sleep(Duration::from_millis(pause));
            Reply::Body(body)
        };
        let slow = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&format!("{},{}", liar.url(), slow.url()));
        reader.set(&["timeout_s=20"]);
        let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "25s"]);
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{count}: {}", found.err());
        assert!(slow.asked("") >= 3, "{}", slow.asked(""));
    }
}

#[test]
fn what_was_read_of_a_node_is_found_although_it_hangs_then() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let [user, cheap] = [rich(&node), rich(&node)];
    user.announced("192.0.2.7:4001");
    cheap.set(&["mode=memo"]);
    cheap.announced("192.0.2.7:4002");
    let place: [u8; 32] = node.stored()[0].1[34..66].try_into().unwrap();
    let memo = |number: usize| format!("{number:05}{}", "A".repeat(219)).into_bytes();
    Stranger::new(&node, 1).write(&node, place, &(0..40).map(memo).collect::<Vec<_>>());
    node.wait(5);
    // After so many memos, which are read from the oldest on; then from the first on.
    for (most, peers) in [(20, &["192.0.2.7:4001", "192.0.2.7:4002"][..]), (0, &["192.0.2.7:4001"])] {
        let mut read = 0;
        let deed = move |question: &str, body, _| {
            read += usize::from(question.contains("getTransaction"));
            if read > most { Reply::Silence(HANGING) } else { Reply::Body(body) }
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&proxy.url());
        reader.set(&["timeout_s=600"]);
        let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "6s"]);
        assert_eq!((found.code(), found.peers()), (0, strings(peers)), "{}", found.err());
        assert!(found.err().contains("was not read to the end in time"), "{}", found.err());
    }
}

/// Two who have announced in memos, at ports 4001 and 4002.
fn writers_of_memos(node: &Surfnet) -> [Spender; 2] {
    ["192.0.2.7:4001", "192.0.2.7:4002"].map(|peer| {
        let user = rich(node);
        user.set(&["mode=memo"]);
        user.announced(peer);
        user
    })
}

#[test]
fn a_node_that_fails_once_hides_nothing_that_was_read_before_or_is_there_later() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let [user, other] = writers_of_memos(&node);
    let id = node.naming(&user.address())[0].clone();
    let theirs = transaction(&node, &node.naming(&other.address())[0]);
    // Both cannot be taken back any more.
    node.wait(40);
    let both = strings(&["192.0.2.7:4001", "192.0.2.7:4002"]);
    // What is listed is not handed out, or another one in its place; later it is.
    for instead in [NOTHING.to_vec(), theirs] {
        let lies = Arc::new(AtomicBool::new(true));
        let (ours, id) = (Arc::clone(&lies), id.clone());
        let deed = move |question: &str, body, _| {
            let is_it = question.contains("getTransaction") && question.contains(&id);
            Reply::Body(if is_it && ours.load(SeqCst) { instead.clone() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&proxy.url());
        for _ in 0..2 {
            let found = reader.lookup("demo");
            assert_eq!(found.peers(), both[1..], "{}", found.err());
            assert!(found.err().contains("does not hand out"), "{}", found.err());
        }
        lies.store(false, SeqCst);
        assert_eq!(reader.lookup("demo").peers(), both);
    }
    // It answers nothing about what is new: what is known is told.
    let busy = Arc::new(AtomicBool::new(false));
    let ours = Arc::clone(&busy);
    let deed = move |question: &str, body, _| {
        let is_it = question.contains("getSignature") && ours.load(SeqCst);
        if is_it { Reply::Status(429, Vec::new()) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    let reader = reader(&proxy.url());
    for mode in ["mode=account", "mode=memo"] {
        reader.set(&[mode]);
        assert_eq!(reader.lookup("demo").peers(), both);
        busy.store(true, SeqCst);
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), both, "{}", found.err());
        assert!(found.err().contains("it has too much to do"), "{}", found.err());
        busy.store(false, SeqCst);
    }
}

#[test]
fn what_one_node_hides_another_one_in_its_place_tells() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let [user, _] = writers_of_memos(&node);
    let id = node.naming(&user.address())[0].clone();
    node.wait(40);
    let deed = move |question: &str, body: Vec<u8>, _| {
        if !question.contains("getSignaturesForAddress") {
            return Reply::Body(body);
        }
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        answer["result"].as_array_mut().unwrap().retain(|line| line["signature"] != id.as_str());
        Reply::Body(answer.to_string().into_bytes())
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    let reader = reader(&proxy.url());
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4002"]);
    reader.set(&[&format!("rpc={}", node.url())]);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
}

/// A node's answer with the bytes of a transaction.
fn transaction(node: &Surfnet, id: &str) -> Vec<u8> {
    let wanted = serde_json::json!([id, { "encoding": "base64", "commitment": "confirmed" }]);
    let result = node.ask("getTransaction", wanted);
    serde_json::json!({ "jsonrpc": "2.0", "id": 0, "result": result }).to_string().into_bytes()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
