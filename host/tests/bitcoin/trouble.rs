//! Nodes that are down, lie or disagree.

use std::path::Path;
use std::time::Duration;

use bitboot_conformance::Desk;
use bitboot_plugin_api::Scheme;
use bitboot_rpc::testing::{Proxy, Reply, free_port};
use serde_json::json;

use super::finding::BLOCK;
use super::node::Bitcoind;
use super::support::{Home, RPC_LIES, Ran, library};
use super::{VIA, bitcoind, reader, rich};

#[test]
fn a_node_that_is_down_or_lies_makes_no_announcement_twice() {
    let Some(bitcoind) = bitcoind() else { return };
    let mut node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let set = |url: &str| user.set(&[&format!("rpc={url}"), "timeout_s=1"]);
    user.hears_of_silence();
    user.hears_of_lies(node.port(), "a Bitcoin node", "", &RPC_LIES);
    // It happens, the answer is lost: the same transaction once, and it is told as done.
    for lost in [|| Reply::Close, || Reply::Silence(Duration::from_secs(2)), || Reply::Body(b"{".to_vec())] {
        let proxy = Proxy::start(
            node.port(),
            Box::new(
                move |question, body, _| {
                    if question.contains("sendrawtransaction") { lost() } else { Reply::Body(body) }
                },
            ),
        );
        set(&proxy.url());
        user.announced("192.0.2.7:4001");
        assert_eq!(node.waiting().len(), 1);
        assert!(proxy.asked("sendrawtransaction") <= 3);
        node.mine(1);
    }
    // Restarted in the middle: with another cookie, found again by itself.
    set(&node.url());
    node.restart();
    user.announced("192.0.2.7:4001");
    let found = user.lookup("demo");
    assert_eq!(
        (found.peers(), node.waiting().len()),
        (vec!["192.0.2.7:4001".to_owned()], 1),
        "{}",
        found.err()
    );
}

#[test]
fn several_nodes_are_read_and_told_and_none_hides_another() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.is_told_by_the_one_that_is_up(&node.url(), "192.0.2.7:4001");
    user.is_not_held_up(node.port(), &node.url(), "192.0.2.7:4001");
    // Two that are not connected: both are read, and that they disagree is told.
    let other = Bitcoind::start(&bitcoind);
    let login = [("BITBOOT_PLUGIN_BITCOIN_RPC", "test:test")];
    user.home.ok(&["backend", "set", VIA, &format!("rpc={},{}", other.url(), node.url())]);
    let mut command = user.home.bitboot(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
    let found = Ran(command.envs(login).output().unwrap());
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains("the nodes disagree about block"), "{}", found.err());
    // What is told of credentials: where they are, never they.
    let cookie = std::fs::read_to_string(node.cookie()).unwrap();
    let secret = cookie.split(':').nth(1).unwrap();
    user.home.ok(&["backend", "set", VIA, &format!("rpc={}", node.url()), "cookie=/nowhere/.cookie"]);
    let ran = user.lookup("demo");
    assert!(ran.code() == 10 && ran.err().contains("refuses the credentials"), "{}", ran.err());
    let mut command = user.home.bitboot(&["-vv", "lookup", "demo", "--via", VIA, "--json"]);
    let ran = Ran(command.env("BITBOOT_PLUGIN_BITCOIN_RPC", &cookie).output().unwrap());
    assert_eq!(ran.peers(), ["192.0.2.7:4001"], "{}", ran.err());
    assert!(!ran.err().contains(secret) && !ran.out().contains(secret));
    let ran = user.home.run(&["backend", "set", VIA, &format!("rpc=http://{}@127.0.0.1:1", cookie.trim())]);
    ran.is_refused(10, "credentials do not belong into the address");
}

/// Longer than any command takes.
const HANGING: Duration = Duration::from_secs(600);

#[test]
fn a_node_that_stops_answering_hides_nothing_of_another_one() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(1);
    for about in ["getrawmempool", "getblockcount", r#""getblock""#] {
        let deed = move |question: &str, body, _| {
            if question.contains(about) { Reply::Silence(HANGING) } else { Reply::Body(body) }
        };
        let silent = Proxy::start(node.port(), Box::new(deed));
        for order in [[silent.url(), node.url()], [node.url(), silent.url()]] {
            let reader = reader(&order.join(","), &node.cookie());
            reader.set(&["timeout_s=600"]);
            let found = reader.lookup("demo");
            assert_eq!((found.code(), found.peers()), (0, vec!["192.0.2.7:4001".into()]), "{}", found.err());
        }
        assert!(silent.asked(about) > 0);
    }
}

#[test]
fn what_was_read_when_the_time_is_over_is_told_and_kept() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(30);
    let tip = node.ask("getblockhash", json!([node.height()])).as_str().unwrap().to_owned();
    let deed = move |question: &str, body, _| {
        let is_last = question.contains(r#""getblock""#) && question.contains(&tip);
        if is_last { Reply::Silence(HANGING) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    let reader = reader(&proxy.url(), &node.cookie());
    reader.set(&["timeout_s=600", "mempool=false"]);
    for _ in 0..2 {
        let blocks = proxy.times(BLOCK);
        let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "15s"]);
        assert_eq!((found.code(), found.peers()), (0, vec!["192.0.2.7:4001".into()]), "{}", found.err());
        assert!(found.err().contains("not read to the end in time"), "{}", found.err());
        // The second time only what is left is asked for.
        assert!(blocks == 0 || proxy.times(BLOCK) <= blocks + 8, "{blocks}");
    }
}

#[test]
fn a_height_that_is_not_true_drops_nothing_that_was_read() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(3);
    // Once in each lookup.
    for height in [3000, 0] {
        let mut lies = 0;
        let deed = move |question: &str, body, _| {
            lies += u32::from(question.contains("getblockcount"));
            let is_lie = question.contains("getblockcount") && lies.is_multiple_of(2);
            let lie = || json!({ "id": 0, "result": height }).to_string().into_bytes();
            Reply::Body(if is_lie { lie() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&proxy.url(), &node.cookie());
        reader.set(&["mempool=false", "lookback_blocks=200"]);
        for _ in 0..4 {
            let found = reader.lookup("demo");
            assert_eq!(found.peers(), ["192.0.2.7:4001"], "{height}: {}", found.err());
        }
        // What was read is not read again either.
        assert_eq!(proxy.times(BLOCK) as u64, node.height() + 1);
    }
}

#[test]
fn a_transaction_that_may_be_out_is_named_before_the_time_is_over() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let deed = |question: &str, body, _| {
        let is_silent =
            ["sendrawtransaction", "getrawtransaction"].iter().any(|word| question.contains(word));
        if is_silent { Reply::Silence(HANGING) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url()), "timeout_s=600"]);
    let ran = user.announce("192.0.2.7:4001", &[&user.agreed()[..], &["--timeout", "15s"]].concat());
    let [id] = &node.waiting()[..] else { panic!("{:?}: {}", node.waiting(), ran.err()) };
    assert!(ran.code() != 0 && ran.err().contains("may be out"), "{}", ran.err());
    assert!(ran.err().contains(id.as_str()), "{}", ran.err());
}

#[test]
fn a_node_that_was_not_told_of_a_transaction_does_not_have_it() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let deed = |question: &str, body, _| {
        let refusal = br#"{"jsonrpc":"2.0","id":0,"error":{"code":-26,"message":"of no use"}}"#;
        Reply::Body(if question.contains("sendrawtransaction") { refusal.to_vec() } else { body })
    };
    let refuses = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={},http://127.0.0.1:{}", refuses.url(), free_port())]);
    let ran = user.announce("192.0.2.7:4001", &user.agreed());
    assert!(ran.code() != 0 && ran.err().contains("of no use"), "{}", ran.err());
    assert!(!ran.err().contains("may be out"), "{}", ran.err());
}

#[test]
fn heights_that_no_chain_has_are_lies() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::with_filters(&bitcoind);
    for about in ["getblockcount", "getindexinfo"] {
        let deed = move |question: &str, body, _| {
            let most = u32::MAX;
            let lie = match about {
                "getblockcount" => json!({ "id": 0, "result": most }),
                _ => {
                    json!({ "id": 0, "result": { "basic block filter index": { "best_block_height": most } } })
                }
            };
            Reply::Body(if question.contains(about) { lie.to_string().into_bytes() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&proxy.url(), &node.cookie());
        reader.set(&["index=only"]);
        let ran = reader.lookup("demo");
        assert!(ran.err().contains("not what was asked for"), "{about}: {}", ran.err());
        assert_eq!(ran.code() == 7, about == "getblockcount", "{}", ran.err());
    }
}

#[test]
fn what_a_node_hid_is_found_by_another_one_in_its_place() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(3);
    // No signature fits to an amount that is not true.
    let deed = |question: &str, body: Vec<u8>, _| {
        let text = String::from_utf8(body).unwrap();
        let is_lie = question.contains("getrawtransaction");
        Reply::Body(if is_lie { text.replace(r#""value":"#, r#""value":1"#) } else { text }.into_bytes())
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    let reader = reader(&proxy.url(), &node.cookie());
    reader.set(&["mempool=false"]);
    let hidden = reader.lookup("demo");
    assert_eq!(
        (hidden.peers(), proxy.times("getrawtransaction") > 0),
        (Vec::new(), true),
        "{}",
        hidden.err()
    );
    reader.set(&[&format!("rpc={}", node.url())]);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
}

/// As on the main chain, where it takes minutes.
#[test]
fn a_search_of_coins_that_takes_long_is_asked_for_once_and_waited_for() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    let slow = |question: &str, body, _| {
        if question.contains("scantxoutset") {
            std::thread::sleep(Duration::from_secs(4));
        }
        Reply::Body(body)
    };
    let mut searches = 0;
    let busy = move |question: &str, body, _| {
        searches += u32::from(question.contains("scantxoutset"));
        let is_busy = question.contains("scantxoutset") && searches < 3;
        let told = r#"{"id":0,"error":{"code":-8,"message":"Scan already in progress, use action \"abort\" or \"status\""}}"#;
        Reply::Body(if is_busy { told.into() } else { body })
    };
    let silent = |question: &str, body, _| {
        if question.contains("scantxoutset") { Reply::Silence(HANGING) } else { Reply::Body(body) }
    };
    let set = |proxy: &Proxy| user.set(&[&format!("rpc={}", proxy.url()), "timeout_s=1"]);
    let proxy = Proxy::start(node.port(), Box::new(silent));
    set(&proxy);
    let ran = user.announce("192.0.2.7:4001", &["--dry-run", "--timeout", "10s"]);
    assert!(ran.code() != 0 && ran.err().contains("--timeout 10m"), "{}", ran.err());
    assert_eq!(proxy.asked("scantxoutset"), 1);
    let proxy = Proxy::start(node.port(), Box::new(slow));
    set(&proxy);
    assert_eq!(user.wallet()["coins"], 1);
    assert_eq!(proxy.asked("scantxoutset"), 1);
    let proxy = Proxy::start(node.port(), Box::new(busy));
    set(&proxy);
    assert_eq!(user.wallet()["coins"], 1);
    assert_eq!(proxy.asked("scantxoutset"), 3);
}

/// The cookie lies where the process of a test must not look: it is read for it, as for a user's worker.
#[test]
fn the_plugin_is_tested_confined() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let key = data_encoding::HEXLOWER.encode(&Desk::public_key(Scheme::EcdsaDer).unwrap());
    let described = node.ask("getdescriptorinfo", json!([format!("wpkh({key})")]));
    let addresses = node.ask("deriveaddresses", json!([described["descriptor"]]));
    node.fund(addresses[0].as_str().unwrap(), 0.1);
    let cookie = node.cookie();
    let test = |cookie: &Path| {
        let library = library("bitboot_bitcoin");
        let settings =
            ["chain=regtest", &format!("rpc={}", node.url()), &format!("cookie={}", cookie.display())]
                .map(ToOwned::to_owned);
        let settings = settings.iter().flat_map(|set| ["--config", set.as_str()]);
        let only = "health_is_told_or_unsupported,quote_is_given,announced_peer_is_found";
        let words =
            ["plugin", "test", library.to_str().unwrap(), "--json", "--only", only, "--patience", "2s"];
        Home::new().run(&words.into_iter().chain(settings).collect::<Vec<_>>())
    };
    let ran = test(&cookie);
    let tested = &ran.of_type("tested")[0];
    assert_eq!((ran.code(), &tested["kept"], &tested["broken"]), (0, &4.into(), &0.into()), "{}", ran.out());
    assert_eq!(test(Path::new("/nowhere/.cookie")).code(), 6);
}
