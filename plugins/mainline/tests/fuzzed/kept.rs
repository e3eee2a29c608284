use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bitboot_mainline::dht::krpc::{Contact, Contacts, bencode::Value, contacts};
use bitboot_mainline::dht::{Family, Goal, Id, Mode, Node, Settings};

use super::witness::is_public;

/// More than the tables of both families can hold.
const MOST: usize = 4000;

/// What was kept makes a node that works, whatever it is; what is good of it is there at the next start.
pub(crate) fn warm(bytes: &[u8]) {
    let now = Instant::now();
    for wide in [false, true] {
        let mut node = start(wide, now);
        node.remember(bytes);
        let known: Vec<SocketAddr> =
            [Family::V4, Family::V6].into_iter().flat_map(|family| node.known(family)).collect();
        assert!(known.len() <= MOST.min(bytes.len() / 26));
        assert!(known.iter().all(|at| at.port() != 0 && (!wide || is_public(*at))));
        lives_on(node, bytes, now);
    }
}

fn lives_on(mut node: Node, bytes: &[u8], now: Instant) {
    for family in [Family::V4, Family::V6] {
        node.search(Goal::Peers(Id([1; 20])), family, now);
        let known = node.known(family);
        while let Some(sent) = node.transmit() {
            assert!(known.contains(&sent.to));
        }
    }
    // What is written is what is read, once somebody has been heard of.
    let heard = told(bytes);
    node.introduce(&heard, now);
    let kept = node.keep(now);
    assert!(kept.len() <= 100 + MOST * 38);
    let mut again = start(true, now);
    again.remember(&kept);
    for family in [Family::V4, Family::V6] {
        assert_eq!(again.id(family), node.id(family));
        assert!(again.known(family).iter().all(|at| node.known(family).contains(at)));
    }
    let later = now + Duration::from_secs(3600);
    node.due(later);
    assert!(node.keep(later).len() <= 100, "who was not heard of for an hour is not kept");
}

fn start(wide: bool, now: Instant) -> Node {
    let settings = Settings { wide, mode: Mode::Client, families: [true, true], ..Settings::default() };
    Node::new(settings, 1, now)
}

fn told(bytes: &[u8]) -> Vec<Contact> {
    let Ok((kept, _)) = Value::split(bytes) else { return Vec::new() };
    let lists = kept.entries().filter_map(|(key, value)| Some((key, value.bytes()?)));
    let lists = lists.flat_map(|(key, list)| {
        contacts(list, if key == b"n6" { Contacts::V6 } else { Contacts::V4 }).collect::<Vec<_>>()
    });
    lists.take(500).collect()
}
