//! Who announced is found, as long as it is true.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use bitboot_rpc::testing::{Proxy, Reply};
use serde_json::json;

use super::node::Bitcoind;
use super::support::Spender;
use super::{VIA, bitcoind, data_of, reader, rich};

/// A question for one block, alone or among others.
pub(super) const BLOCK: &str = r#""method":"getblock","#;

#[test]
fn three_keys_are_found_and_one_is_taken_back() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let users: Vec<Spender> = (0..3).map(|_| rich(&node)).collect();
    for (user, port) in users.iter().zip(4001..) {
        user.announced(&format!("192.0.2.7:{port}"));
    }
    let reader = reader(&node.url(), &node.cookie());
    // Unconfirmed, then confirmed.
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"], "{}", found.err());
        for (user, line) in users.iter().zip(4001..).map(|(user, port)| {
            let peer = format!("192.0.2.7:{port}");
            (user, found.of_type("peer").into_iter().find(|line| line["peer"] == peer.as_str()).unwrap())
        }) {
            assert_eq!((&line["signed_by"], &line["verified"]), (&user.public_key().into(), &true.into()));
        }
        node.mine(1);
    }
}

#[test]
fn one_that_is_withdrawn_or_expired_is_not_found() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [first, second] = [rich(&node), rich(&node)];
    let reader = reader(&node.url(), &node.cookie());
    // A minute is the shortest life of a note. It passes while other things are looked at.
    for (user, peer, ttl) in [(&first, "192.0.2.7:1", "60s"), (&second, "192.0.2.7:2", "1h")] {
        let ran = user.announce_in("brief", peer, &[&user.agreed()[..], &["--ttl", ttl]].concat());
        assert_eq!(ran.code(), 0, "{}", ran.err());
    }
    let announced = Instant::now();
    assert_eq!(reader.lookup("brief").peers(), ["192.0.2.7:1", "192.0.2.7:2"]);
    node.mine(1);

    first.announced("192.0.2.7:4001");
    second.announced("192.0.2.7:4002");
    node.mine(1);
    assert_eq!(reader.lookup("demo").peers().len(), 2);
    // Without a word about spending nothing is spent.
    let before = node.waiting();
    let free = first.home.ok(&["withdraw", "demo", "--json"]);
    assert!(
        free.of_type("receipt")[0]["notes"][0].as_str().unwrap().contains("costs money"),
        "{}",
        free.out()
    );
    assert_eq!(node.waiting(), before);

    // It can still be taken back, by whoever agrees to what that costs.
    let taken = first.withdrawn();
    assert!(taken.of_type("receipt")[0]["fee"].as_str().unwrap().ends_with(" BTC"), "{}", taken.out());
    for _ in 0..2 {
        assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4002"]);
        node.mine(1);
    }
    std::thread::sleep(Duration::from_secs(61).saturating_sub(announced.elapsed()));
    assert_eq!(reader.lookup("brief").peers(), ["192.0.2.7:2"]);
}

#[test]
fn junk_and_the_records_of_others_hide_nobody() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [user, other] = [rich(&node), rich(&node)];
    user.announced("192.0.2.7:4001");
    let data = data_of(&node);
    let ran = other.announce_in("another", "192.0.2.8:1", &other.agreed());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    node.mine(1);

    // Under the same tag: nothing, noise, a note that somebody copied, one that was changed, another length, another program's.
    let tag = &data[..16];
    let changed = format!("{}{}", &data[..data.len() - 2], "00");
    let strange =
        [tag.to_owned(), format!("{tag}ff"), format!("{tag}{}", "5a".repeat(27)), data.clone(), changed];
    node.write(&strange);
    node.write(&["626974626f6f74".into()]);
    for some in 0..4 {
        let spam: Vec<String> =
            (0..250).map(|number| format!("{tag}{}{:06x}", "5a".repeat(24), some * 250 + number)).collect();
        node.write(&spam);
    }
    let reader = reader(&node.url(), &node.cookie());
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.public_key());
    }
    assert_eq!(reader.lookup("another").peers(), ["192.0.2.8:1"]);
}

#[test]
fn a_reorganization_is_followed() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let [stays, goes] = [rich(&node), rich(&node)];
    stays.announced("192.0.2.7:4001");
    node.mine(1);
    goes.announced("192.0.2.7:4002");
    let id = node.waiting()[0].clone();
    node.mine(3);
    let reader = reader(&node.url(), &node.cookie());
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
    // Three blocks are replaced by four others, in which the second announcement is not.
    let height = node.height();
    let hash = node.ask("getblockhash", json!([height - 2]));
    node.ask("invalidateblock", json!([hash]));
    for _ in 0..4 {
        node.ask("generateblock", json!([node.address(), []]));
    }
    assert_eq!(node.height(), height + 1);
    assert_eq!(node.waiting(), [id]);
    // It waits again; then it is confirmed in another block.
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
    reader.home.ok(&["backend", "set", VIA, "mempool=false"]);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    node.mine(1);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
}

#[test]
fn only_new_blocks_are_read_again() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(1000);
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url(), &node.cookie());
    let look = || {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"]);
        proxy.counted()
    };
    let (all, _) = look();
    let (nothing, _) = look();
    node.mine(1);
    let (one, _) = look();
    assert!(all > 400_000 && nothing < 2_000 && one < nothing + 3_000, "{all} {nothing} {one}");
}

#[test]
fn who_looks_further_back_than_before_finds_what_is_there() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(50);
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url(), &node.cookie());
    let read = |lookback: &str, expected: &[&str]| {
        reader.set(&[&format!("lookback_blocks={lookback}")]);
        let before = proxy.times(BLOCK);
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), expected, "{}", found.err());
        proxy.times(BLOCK) - before
    };
    assert_eq!(read("10", &[]), 10);
    let all = usize::try_from(node.height()).unwrap() + 1;
    // Only what was not read yet; and once.
    assert_eq!(read("2000", &["192.0.2.7:4001"]), all - 10);
    assert_eq!(read("2000", &["192.0.2.7:4001"]), 0);
    // What is not wanted any more is forgotten, and read again when it is.
    node.mine(1);
    assert_eq!(read("10", &[]), 1);
    assert_eq!(read("60", &["192.0.2.7:4001"]), 50);
}

#[test]
fn a_secret_network_is_found_by_its_members_only() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.home.ok(&["network", "add", "demo", "--secret", "new"]);
    user.announced("192.0.2.7:4001");
    let member = reader(&node.url(), &node.cookie());
    member.home.ok(&["network", "add", &user.home.invite("demo")]);
    for _ in 0..2 {
        let found = member.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.public_key());
        assert_eq!(reader(&node.url(), &node.cookie()).lookup("demo").peers(), Vec::<String>::new());
        node.mine(1);
    }
    user.withdrawn();
    assert_eq!(member.lookup("demo").peers(), Vec::<String>::new());
}

/// As Core 24 is, and others where what is needed to undo a block is missing.
#[test]
fn a_block_whose_spent_outputs_are_not_told_is_not_passed_over() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Bitcoind::start(&bitcoind);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(2);
    let old = |body: Vec<u8>| {
        Reply::Body(String::from_utf8(body).unwrap().replace(r#""prevout":"#, r#""other":"#).into_bytes())
    };
    let refuses = |body: Vec<u8>| {
        let mut answers: serde_json::Value = serde_json::from_slice(&body).unwrap();
        if let Some(answer) = answers.get_mut(0) {
            answer["result"].take();
            answer["error"] = json!({ "code": -1, "message": "Undo data expected but can't be read" });
        }
        Reply::Body(answers.to_string().into_bytes())
    };
    for index in ["off", "only"] {
        for lie in [old, refuses] {
            // In the same place as far as the cache is concerned: afterwards it tells the truth.
            let is_over = Arc::new(AtomicBool::new(false));
            let over = Arc::clone(&is_over);
            let deed = move |question: &str, body, _| {
                let lies = question.contains("getrawtransaction") && !over.load(SeqCst);
                if lies { lie(body) } else { Reply::Body(body) }
            };
            let proxy = Proxy::start(node.port(), Box::new(deed));
            let reader = reader(&proxy.url(), &node.cookie());
            reader.set(&["mempool=false", &format!("index={index}")]);
            let ran = reader.lookup("demo");
            assert!(ran.code() != 0 && ran.err().contains("Core 25 or newer"), "{}", ran.err());
            is_over.store(true, SeqCst);
            let found = reader.lookup("demo");
            assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        }
    }
}
