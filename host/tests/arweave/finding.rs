//! Who announced is found, as long as it is true, and nobody hides them.

use std::time::{Duration, Instant};

use bitboot_rpc::testing::Proxy;

use super::node::started;
use super::support::Spender;
use super::{PEER, ids, last, reader, rich, winston};

#[test]
fn three_keys_are_found_and_one_is_taken_back() {
    let Some(node) = started() else { return };
    let users: Vec<Spender> = (1..=3).map(|number| rich(&node, number)).collect();
    let peers = ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"];
    for (user, peer) in users.iter().zip(peers) {
        let ran = user.announced(peer);
        let told = ran.of_type("receipt")[0]["notes"][0].as_str().unwrap().to_owned();
        assert!(told.contains("provisional until it is in a block"), "{told}");
    }
    let reader = reader(&node.url());
    // In no block yet, then in one.
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), peers, "{}", found.err());
        for (user, peer) in users.iter().zip(peers) {
            let lines = found.of_type("peer");
            let line = lines.iter().find(|line| line["peer"] == peer).unwrap();
            assert_eq!((&line["signed_by"], &line["verified"]), (&user.home.identity().into(), &true.into()));
        }
        node.mine(1);
    }
    // Without a word about spending nothing is spent.
    let before = node.announced();
    let free = users[0].home.ok(&["withdraw", "demo", "--json"]);
    assert!(free.out().contains("costs money"), "{}", free.out());
    assert_eq!(node.announced(), before);
    assert!(winston(&users[0].withdrawn().of_type("receipt")[0]["fee"]) > 0);
    for _ in 0..2 {
        assert_eq!(reader.lookup("demo").peers(), peers[1..]);
        node.mine(1);
    }
}

#[test]
fn one_that_has_expired_is_not_found() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    let ran = user.announce(PEER, &[&["--ttl", "30s"][..], &user.agreed()].concat());
    let start = Instant::now();
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let reader = reader(&node.url());
    assert_eq!(reader.lookup("demo").peers(), [PEER]);
    std::thread::sleep(Duration::from_secs(32).saturating_sub(start.elapsed()));
    assert_eq!(reader.lookup("demo").peers(), Vec::<String>::new());
}

#[test]
fn a_secret_network_is_found_by_its_members_only() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    user.home.ok(&["network", "add", "demo", "--secret", "new"]);
    user.announced(PEER);
    let member = reader(&node.url());
    member.home.ok(&["network", "add", &user.home.invite("demo")]);
    for _ in 0..2 {
        let found = member.lookup("demo");
        assert_eq!(found.peers(), [PEER], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.home.identity());
        assert_eq!(reader(&node.url()).lookup("demo").peers(), Vec::<String>::new());
        node.mine(1);
    }
    user.withdrawn();
    assert_eq!(member.lookup("demo").peers(), Vec::<String>::new());
}

#[test]
fn junk_and_the_records_of_others_hide_nobody() {
    let Some(node) = started() else { return };
    let [user, other] = [rich(&node, 1), rich(&node, 2)];
    let ran = other.announce_in("another", "192.0.2.8:1", &other.agreed());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let (_, copied) = last(&node);
    node.mine(1);
    user.announced(PEER);
    let (topic, data) = last(&node);
    node.mine(1);

    // A byte, text, a page, another network's record, ours once more, ours changed, one that is too long; then a thousand by fifteen owners.
    let changed = format!("{}{}", &data[..data.len() - 4], "AAAA");
    let strange = ["AA", "e30", "PGh0bWw-", &copied, &data, &changed, &"A".repeat(4000)].map(str::to_owned);
    let spam = (0..1000).map(|number| format!("{}{number:04}", "bitboot_".repeat(27)));
    node.write(&topic, &strange.into_iter().chain(spam).collect::<Vec<_>>(), 0);
    node.mine(1);
    let reader = reader(&node.url());
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), [PEER], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.home.identity());
    }
    assert_eq!(reader.lookup("another").peers(), ["192.0.2.8:1"]);
}

#[test]
fn what_was_read_is_not_read_again_and_what_is_gone_is_forgotten() {
    let Some(node) = started() else { return };
    let [user, other] = [rich(&node, 1), rich(&node, 2)];
    user.announced(PEER);
    node.mine(100);
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url());
    // How many bytes a lookup reads, and how often it asks for a transaction or its data.
    let look = |peers: &[&str]| {
        let before = proxy.asked("/tx/");
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), peers, "{}", found.err());
        (proxy.counted().0, proxy.asked("/tx/") - before)
    };
    let (all, read) = look(&[PEER]);
    assert!(read >= 2, "{read}");
    let (nothing, read) = look(&[PEER]);
    assert!(read == 0 && nothing < all / 2, "{all} {nothing} {read}");
    // In no block it is read each time, in one once more.
    other.announced("192.0.2.7:4002");
    let both = [PEER, "192.0.2.7:4002"];
    let id = ids(&node)[0].clone();
    for _ in 0..2 {
        assert!(look(&both).1 >= 2);
    }
    node.mine(1);
    assert!(look(&both).1 >= 2);
    assert_eq!(look(&both).1, 0);
    // What is settled is believed; what is not has to be there still.
    node.delete(&id);
    look(&[PEER]);
    reader.set(&["pending=false"]);
    other.announced("192.0.2.7:4003");
    look(&[PEER]);
    node.mine(1);
    // The other one's node says again what was forgotten: it has one record.
    look(&[both[0], both[1], "192.0.2.7:4003"]);
}
