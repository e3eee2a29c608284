//! The engine and other people's DHT clients, as nodes to each other and as clients of each other. See `peers/README.md`.
//!
//! What is missing is skipped with a line that says so, and fails where `CI` is set. All ends with the test, also when that is killed.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "interop/aria2.rs"]
mod aria2;
#[path = "interop/ours.rs"]
mod ours;
#[path = "interop/party.rs"]
mod party;
#[path = "interop/peer.rs"]
mod peer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use aria2::Aria2;
use bitboot_mainline::dht::Id;
use bitboot_mainline::dht::krpc::{self, Ask, Asking, Body, Contacts, Message, contacts};
use bitboot_mainline::dht::lab::{Lab, Spec};
use party::Party;
use peer::{KINDS, Kind, LIBTORRENT, own_ip};

/// Lengths of transaction ids that are tried: libtorrent and npm send 2, ours and the crates 4.
const LENGTHS: [usize; 5] = [1, 2, 4, 8, 20];

/// So many nodes of one client are a network.
const FEW: usize = 5;

fn hash() -> Id {
    Id(std::array::from_fn(|_| fastrand::u8(..)))
}

fn lab(spec: &Spec) -> Lab {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(Lab::start(spec)).unwrap()
}

/// Each of two announces and stores, and the other finds it; so does a second one of the same client, where there is one.
fn exchange(one: &mut Party, other: &mut Party, witness: Option<&mut Party>) {
    let (first, second, seed) = (hash(), hash(), std::array::from_fn(|_| fastrand::u8(..)));
    let at = one.announce(first, 4001);
    other.finds(first, at);
    let at = other.announce(second, 4002);
    one.finds(second, at);
    other.put(seed, b"theirs");
    one.gets(seed, b"theirs");
    let seed = std::array::from_fn(|_| fastrand::u8(..));
    one.put(seed, b"ours");
    other.gets(seed, b"ours");
    if let Some(witness) = witness {
        witness.finds(second, at);
        witness.gets(seed, b"ours");
    }
}

#[test]
fn our_nodes_serve_every_client() {
    let lab = lab(&Spec { nodes: 30, ..Spec::default() });
    let clients = KINDS.iter().filter(|kind| kind.is_there());
    scope(|threads| {
        for kind in clients {
            threads.spawn(|| {
                let client = |kind| Party::client(kind, lab.bootstrap(), own_ip());
                exchange(&mut client(None), &mut client(Some(kind)), Some(&mut client(Some(kind))));
            });
        }
        if Aria2::is_there() {
            threads.spawn(|| aria2_exchanges(lab.bootstrap()));
        }
    });
}

/// aria2 and ours find each other, and a second aria2 finds both.
fn aria2_exchanges(bootstrap: &[SocketAddr]) {
    let (mut ours, hash) = (Party::client(None, bootstrap, own_ip()), hash());
    let at = ours.announce(hash, 4001);
    let mut one = Aria2::start(Some(bootstrap[0]), &hash);
    one.finds(at);
    ours.finds(hash, one.at);
    let mut two = Aria2::start(Some(bootstrap[1]), &hash);
    two.finds(at);
    two.finds(one.at);
    ours.finds(hash, two.at);
}

#[test]
fn our_client_lives_among_nodes_of_every_other() {
    scope(|threads| {
        for kind in KINDS.iter().filter(|kind| kind.is_there()) {
            threads.spawn(move || {
                let nodes = network_of(kind, own_ip);
                let bootstrap: Vec<_> = nodes.iter().take(3).map(Party::at).collect();
                let client = |kind| Party::client(kind, &bootstrap, own_ip());
                exchange(&mut client(None), &mut client(Some(kind)), None);
            });
        }
        if Aria2::is_there() {
            threads.spawn(|| {
                let elsewhere = hash();
                let first = Aria2::start(None, &elsewhere);
                let rest: Vec<_> = (1..FEW).map(|_| Aria2::start(Some(first.at), &elsewhere)).collect();
                let bootstrap: Vec<_> =
                    [&first].into_iter().chain(&rest).take(3).map(|node| node.at).collect();
                aria2_exchanges(&bootstrap);
            });
        }
    });
}

/// Nodes of one client that know each other.
fn network_of(kind: &'static Kind, ip: impl Fn() -> IpAddr + Sync) -> Vec<Party> {
    let first = Party::node(Some(kind), &[], ip());
    let bootstrap = [first.at()];
    let rest = scope(|threads| {
        let starting: Vec<_> =
            (1..FEW).map(|_| threads.spawn(|| Party::node(Some(kind), &bootstrap, ip()))).collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect::<Vec<_>>()
    });
    [first].into_iter().chain(rest).collect()
}

/// Of the others only libtorrent and aria2 have IPv6 at all, and aria2 not on loopback alone.
#[test]
fn libtorrent_and_ours_meet_on_ipv6() {
    static KIND: Kind = LIBTORRENT;
    let one: IpAddr = Ipv6Addr::LOCALHOST.into();
    if UdpSocket::bind((one, 0)).is_err() || !KIND.is_there() {
        return;
    }
    let lab = lab(&Spec { nodes: 20, ipv6: true, ..Spec::default() });
    let client = |kind, bootstrap: &[SocketAddr]| Party::client(kind, bootstrap, one);
    let mut witness = client(Some(&KIND), lab.bootstrap());
    exchange(
        &mut client(None, lab.bootstrap()),
        &mut client(Some(&KIND), lab.bootstrap()),
        Some(&mut witness),
    );
    let nodes = network_of(&KIND, || one);
    let bootstrap: Vec<_> = nodes.iter().take(3).map(Party::at).collect();
    exchange(&mut client(None, &bootstrap), &mut client(Some(&KIND), &bootstrap), None);
}

/// Everybody with at least one node, and everybody a client: each finds what each announces.
#[test]
fn all_of_them_make_one_network() {
    let kinds: Vec<Option<&'static Kind>> =
        [None].into_iter().chain(KINDS.iter().filter(|kind| kind.is_there()).map(Some)).collect();
    let has_aria2 = Aria2::is_there();
    if kinds.len() == 1 && !has_aria2 {
        return;
    }
    // The doors: one of ours first, then one of everybody who answers everybody.
    let mut nodes = vec![Party::node(None, &[], own_ip())];
    let door = [nodes[0].at()];
    let open = kinds.iter().flatten().filter(|kind| kind.answers == LENGTHS);
    nodes.extend(open.map(|kind| Party::node(Some(kind), &door, own_ip())));
    let doors: Vec<_> = nodes.iter().map(Party::at).collect();
    nodes.extend(together(kinds.iter().chain(&kinds), |kind| Party::node(*kind, &doors, own_ip())));
    let aria2 = has_aria2.then(|| Aria2::start(Some(doors[0]), &hash()));

    scope(|threads| {
        if aria2.is_some() {
            threads.spawn(|| aria2_exchanges(&doors));
        }
        all_find_all(together(&kinds, |kind| Party::client(*kind, &doors, own_ip())));
    });
    let places = nodes.iter().map(|node| (node.name(), node.at()));
    let places: Vec<_> = places.chain(aria2.as_ref().map(|aria2| ("aria2", aria2.at))).collect();
    are_one_network(&places);
}

/// Each announces, and then each finds each.
fn all_find_all(clients: Vec<Party>) {
    let announced = together(clients, |mut client| {
        let hash = hash();
        let at = client.announce(hash, 4003);
        (client, hash, at)
    });
    let told: Vec<_> = announced.iter().map(|(_, hash, at)| (*hash, *at)).collect();
    together(announced, |(mut client, ..)| told.iter().for_each(|(hash, at)| client.finds(*hash, *at)));
}

/// Does something with each at the same time.
fn together<T: Send, R: Send>(all: impl IntoIterator<Item = T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    scope(|threads| {
        let running: Vec<_> = all.into_iter().map(|one| threads.spawn(|| act(one))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// Every node is told of by a node of another client, sooner or later.
fn are_one_network(places: &[(&str, SocketAddr)]) {
    let start = Instant::now();
    let mut unknown: Vec<_> = places.to_vec();
    while !unknown.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(240), "nobody else tells of {unknown:?}");
        for (name, at) in places {
            for target in [0x00, 0x55, 0xaa, 0xff] {
                let told = told_by(*at, Id([target; 20]));
                unknown.retain(|(other, place)| other == name || !told.contains(place));
            }
        }
        sleep(Duration::from_millis(500));
    }
}

/// The nodes that a node tells of.
fn told_by(at: SocketAddr, target: Id) -> Vec<SocketAddr> {
    let Some(answer) = answer(at, b"four", &Ask::FindNode(target)) else { return Vec::new() };
    match Message::read(&answer).map(|message| message.body) {
        Ok(Body::Reply(reply)) => contacts(reply.nodes, Contacts::V4).map(|contact| contact.at).collect(),
        _ => Vec::new(),
    }
}

/// What a node answers to who does not want to be remembered.
fn answer(at: SocketAddr, transaction: &[u8], ask: &Ask<'_>) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let asking = Asking { transaction, id: &hash(), read_only: true, both: false, token: None };
    socket.send_to(&krpc::query(asking, ask), at).unwrap();
    let mut buffer = [0; 2000];
    let length = socket.recv(&mut buffer).ok()?;
    Some(buffer[..length].to_vec())
}

/// What keeps libtorrent and npm out of a network of the crates' nodes, and why ours sends ids of four bytes: as soon as one of them
/// answers others, this fails, and the exception can go.
#[test]
fn nodes_answer_whom_they_are_said_to_answer() {
    let kinds = [None].into_iter().chain(KINDS.iter().filter(|kind| kind.is_there()).map(Some));
    together(kinds, |kind| {
        let node = Party::node(kind, &[], own_ip());
        let expected = kind.map_or(&LENGTHS[..], |kind| kind.answers);
        let is_answered = |length: &usize| {
            let transaction = vec![b't'; *length];
            // On a busy machine an answer may be late.
            let tries = if expected.contains(length) { 15 } else { 1 };
            (0..tries)
                .filter_map(|_| answer(node.at(), &transaction, &Ask::Ping))
                .any(|answer| Message::read(&answer).is_ok_and(|message| message.transaction == transaction))
        };
        let answered: Vec<_> = LENGTHS.into_iter().filter(is_answered).collect();
        assert_eq!(answered, expected, "{}", node.name());
    });
}
