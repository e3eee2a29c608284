//! Who announced is found, in both ways, and nobody hides them.

use std::time::Duration;

use bitboot_rpc::testing::Proxy;
use data_encoding::BASE64;

use super::node::{Stranger, Surfnet, stranger};
use super::support::Spender;
use super::{lamports, reader, rich, surfpool};

const WAYS: [(&str, &str); 2] = [("account", "demo"), ("memo", "other")];

#[test]
fn three_keys_are_found_in_both_ways_and_one_is_taken_back() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    for (mode, network) in WAYS {
        let users: Vec<Spender> = (0..3).map(|_| rich(&node)).collect();
        for (user, port) in users.iter().zip(4001..) {
            user.set(&[&format!("mode={mode}")]);
            let ran = user.announce_in(network, &format!("192.0.2.7:{port}"), &user.agreed());
            assert_eq!(ran.code(), 0, "{}", ran.err());
        }
        // Whoever looks up need not know in which way the others announce.
        let reader = reader(&node.url());
        let found = reader.lookup(network);
        assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"], "{}", found.err());
        for (user, port) in users.iter().zip(4001..) {
            let peer = format!("192.0.2.7:{port}");
            let line = found.of_type("peer").into_iter().find(|line| line["peer"] == peer.as_str()).unwrap();
            assert_eq!((&line["signed_by"], &line["verified"]), (&user.home.identity().into(), &true.into()));
        }
        let words = ["withdraw", network, "--json", "--passphrase-file", &users[0].passphrase];
        let taken = users[0].home.ok(&[&words[..], &users[0].agreed()].concat());
        assert_eq!(lamports(&taken.of_type("receipt")[0]["fee"]), 5000);
        assert_eq!(reader.lookup(network).peers(), ["192.0.2.7:4002", "192.0.2.7:4003"]);
    }
    // Who withdrew in an account wrote over what had stood there.
    assert_eq!(node.stored().len(), 3);
}

#[test]
fn one_that_has_expired_is_not_found() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let (user, reader) = (rich(&node), reader(&node.url()));
    for (mode, network) in WAYS {
        user.set(&[&format!("mode={mode}")]);
        // Half a minute is the shortest life of a record.
        let short = [&["--ttl", "1s"], &user.agreed()[..]].concat();
        let ran = user.announce_in(network, "192.0.2.7:4001", &short);
        assert_eq!(ran.code(), 0, "{}", ran.err());
        assert_eq!(reader.lookup(network).peers(), ["192.0.2.7:4001"]);
    }
    std::thread::sleep(Duration::from_secs(31));
    for (_, network) in WAYS {
        assert_eq!(reader.lookup(network).peers(), Vec::<String>::new());
    }
}

#[test]
fn a_secret_network_is_found_by_its_members_only() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    user.is_found_by_members_only("192.0.2.7:4001", || reader(&node.url()));
    // A node that withdrew wrote over what it had said.
    assert_eq!(node.stored().len(), 1);
}

#[test]
fn junk_and_the_records_of_others_hide_nobody() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let [user, other, cheap] = [rich(&node), rich(&node), rich(&node)];
    user.announced("192.0.2.7:4001");
    let [(_, ours)] = &node.stored()[..] else { panic!("one account") };
    let ran = other.announce_in("another", "192.0.2.8:1", &other.agreed());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let stored = node.stored();
    let (_, theirs) = stored.iter().find(|(_, data)| data != ours).unwrap();
    cheap.set(&["mode=memo"]);
    cheap.announced("192.0.2.7:4002");

    // Under the same place: nothing, noise, another form, a record of another network, one that was changed, too short, much too long.
    let start = &ours[..67];
    let mut changed = ours.clone();
    *changed.last_mut().unwrap() ^= 1;
    let strange: Vec<Vec<u8>> = vec![
        start.to_vec(),
        [start, &[0xff; 300]].concat(),
        [start, &theirs[67..]].concat(),
        changed,
        ours[..ours.len() - 1].to_vec(),
        ours[..109].to_vec(),
        [&ours[..], &[0; 100_000]].concat(),
        [&[2], &ours[1..]].concat(),
    ];
    let spam = (0..1000_u16).map(|number| [&ours[..110], &number.to_be_bytes(), &[0x5a; 166]].concat());
    for (number, data) in (0..).zip(strange.into_iter().chain(spam)) {
        node.plant(&stranger::address(number), &data);
    }
    // And as memos: what is no text of ours, what is, copies, and a thousand more.
    let place: [u8; 32] = ours[34..66].try_into().unwrap();
    let value = |data: &[u8]| BASE64.encode(&data[110..]).trim_end_matches('=').to_owned();
    let mut memos: Vec<Vec<u8>> =
        ["", "hello", "=", "AA", "{\"a\":1}"].map(|text| text.as_bytes().to_vec()).to_vec();
    memos.extend([value(ours).into_bytes(), value(theirs).into_bytes()]);
    memos.extend((0..1000_u16).map(|number| format!("{number:05}{}", "A".repeat(219)).into_bytes()));
    Stranger::new(&node, 1).write(&node, place, &memos);

    let reader = reader(&node.url());
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002"], "{}", found.err());
    }
    assert_eq!(reader.lookup("another").peers(), ["192.0.2.8:1"]);
    // Whoever announces does not write into an account of somebody else.
    let planted = node.stored();
    user.announced("192.0.2.7:4003");
    let after = node.stored();
    assert_eq!(after.iter().filter(|account| !planted.contains(account)).count(), 1);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"]);
}

#[test]
fn only_new_memos_are_read_again() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    let place: [u8; 32] = node.stored()[0].1[34..66].try_into().unwrap();
    let stranger = Stranger::new(&node, 1);
    let memo = |number: usize| format!("{number:05}{}", "A".repeat(219)).into_bytes();
    stranger.write(&node, place, &(0..300).map(memo).collect::<Vec<_>>());
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url());
    let look = || {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        (proxy.counted().0, proxy.asked("getTransaction"))
    };
    // One that the node does not have at once, or not in time, is asked for again.
    let (all, first) = look();
    assert!(first >= 300, "{first}");
    // What can be taken back is listed again, but not read.
    let (_, second) = look();
    node.wait(40);
    look();
    let (nothing, third) = look();
    assert_eq!((second, third), (first, first));
    stranger.write(&node, place, &[memo(300)]);
    let (one, fourth) = look();
    assert!((1..30).contains(&(fourth - third)), "{third} {fourth}");
    assert!(all > 200_000 && nothing < all / 20 && one < all / 20, "{all} {nothing} {one}");
}
