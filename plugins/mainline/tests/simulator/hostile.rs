//! Those who answer what no honest node answers.

use std::net::SocketAddr;

use bitboot_mainline::dht::Id;
use bitboot_mainline::dht::krpc::{self, Answer, Ask, Asking, Body, Contact, Message};

use crate::host::Hostile;
use crate::world::World;

/// How many kinds of [`liar`] there are.
pub(crate) const KINDS: usize = 7;

/// Whom lies are about: one that never asked for anything, and those that are dead or nobody's.
#[derive(Clone)]
pub(crate) struct Poison {
    pub(crate) victim: SocketAddr,
    dead: Vec<SocketAddr>,
}

impl Poison {
    pub(crate) fn new(world: &mut World) -> Self {
        Self { victim: world.address(), dead: (0..32).map(|_| world.address()).collect() }
    }

    /// Nodes just beside a target that are all no nodes.
    fn nodes(&self, target: &Id, chance: &mut fastrand::Rng) -> Vec<u8> {
        const NOBODY: [&str; 14] = [
            "10.1.2.3:6881",
            "172.16.5.5:6881",
            "192.168.1.1:53",
            "127.0.0.1:6881",
            "169.254.1.1:6881",
            "100.64.0.1:6881",
            "100.127.255.1:6881",
            "224.0.0.1:6881",
            "239.255.255.250:1900",
            "255.255.255.255:6881",
            "0.0.0.0:6881",
            "8.8.8.8:0",
            "198.18.0.1:6881",
            "240.0.0.1:6881",
        ];
        let mut out = Vec::new();
        let nobody = chance.choose_multiple(NOBODY, 5).into_iter().filter_map(|at| at.parse().ok());
        let dead = chance.choose_multiple(&self.dead, 8).into_iter().copied();
        for at in nobody.chain(dead).chain([self.victim; 3]).collect::<Vec<_>>() {
            let bits = chance.usize(20..150);
            krpc::push_contact(&mut out, &Contact { id: target.sharing(bits, chance), at });
        }
        out
    }
}

/// One that lies in one of [`KINDS`] ways. `known` is whose name it takes.
pub(crate) fn liar(kind: usize, seed: u64, own: Id, known: Id, poison: Poison) -> Hostile {
    let mut chance = fastrand::Rng::with_seed(seed);
    Box::new(move |from, datagram| {
        let Some((transaction, target)) = question(datagram) else { return Vec::new() };
        let nodes = poison.nodes(&target, &mut chance);
        let said = |transaction: &[u8], id: &Id| {
            krpc::answer(
                transaction,
                id,
                Some(from),
                &Answer { nodes: &nodes, token: b"lie", ..Answer::default() },
            )
        };
        let lies = match kind % KINDS {
            0 => vec![(0..chance.usize(..1400)).map(|_| chance.u8(..)).collect()],
            1 => vec![broken(said(&transaction, &own), &mut chance)],
            // Somebody else in every answer.
            2 => vec![said(&transaction, &Id::random(&mut chance))],
            // Always as near to what is sought as can be.
            3 => vec![said(&transaction, &target.sharing(150, &mut chance))],
            // The question itself, an answer to another one, an answer under an honest name.
            4 => vec![datagram.to_vec(), said(b"zz", &own), said(&transaction, &known)],
            // More than anybody asked for, and an error at the end.
            5 => {
                let mut flood = vec![said(&transaction, &own); 10];
                flood.push(krpc::error(&transaction, 201, "no"));
                flood
            }
            // Lists in lists in lists, and lengths beyond everything.
            _ => vec![vec![b'l'; 1400], b"d1:rd2:id99999999999999999999:".to_vec()],
        };
        lies.into_iter().map(|lie| (from, lie)).collect()
    })
}

/// One of many around a hash: it knows only its own kind, takes whatever is to be stored, and has never heard of it.
pub(crate) fn sybil(own: Id, kind: Vec<Contact>) -> Hostile {
    Box::new(move |from, datagram| {
        let Some((transaction, target)) = question(datagram) else { return Vec::new() };
        let mut near = kind.clone();
        near.sort_by_key(|contact| contact.id.distance(&target));
        let mut nodes = Vec::new();
        near.iter().take(8).for_each(|contact| krpc::push_contact(&mut nodes, contact));
        let answer = Answer { nodes: &nodes, token: b"sybil", ..Answer::default() };
        vec![(from, krpc::answer(&transaction, &own, Some(from), &answer))]
    })
}

/// Where 60 Sybils sit: ids beside a hash, and addresses that the ids may fit (BEP 42) as far as one can choose them.
pub(crate) fn seats(world: &mut World, hash: &Id, fit: bool) -> Vec<Contact> {
    let seat = |world: &mut World| loop {
        let at = world.address();
        if !fit {
            let bits = world.chance.usize(20..100);
            return Contact { id: hash.sharing(bits, &mut world.chance), at };
        }
        let id = Id::secure(at.ip(), &mut world.chance);
        // Nearer than any honest node of a few hundred.
        if hash.shared_bits(&id) >= 14 {
            return Contact { id, at };
        }
    };
    (0..60).map(|_| seat(world)).collect()
}

/// How a node makes itself known.
pub(crate) fn knock(own: &Id, target: &Id) -> Vec<u8> {
    let asking = Asking { transaction: b"kn", id: own, read_only: false, both: false, token: None };
    krpc::query(asking, &Ask::FindNode(*target))
}

/// The transaction and the target of a question.
fn question(datagram: &[u8]) -> Option<(Vec<u8>, Id)> {
    let message = Message::read(datagram).ok()?;
    let Body::Query(query) = message.body else { return None };
    let target = match query.ask {
        Ask::FindNode(target) | Ask::GetPeers(target) | Ask::Get { target, .. } => target,
        _ => query.id,
    };
    Some((message.transaction.to_vec(), target))
}

fn broken(mut bytes: Vec<u8>, chance: &mut fastrand::Rng) -> Vec<u8> {
    for _ in 0..chance.usize(1..8) {
        let at = chance.usize(..bytes.len());
        bytes[at] = chance.u8(..);
    }
    bytes.truncate(chance.usize(1..=bytes.len()));
    bytes
}

/// Questions of each kind, as short as they can be, so that an answer has the least room.
pub(crate) fn shortest_questions(hash: &Id, target: &Id, immutable: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let id = [b"2:id20:".as_slice(), &[7; 20]].concat();
    let question = |arguments: &[&[u8]], method: &[u8], rest: &[u8]| {
        [b"d1:ad".as_slice(), &arguments.concat(), b"e1:q", method, rest, b"1:t0:1:y1:qe"].concat()
    };
    let hash = [b"9:info_hash20:".as_slice(), &hash.0].concat();
    let at = |id: &Id| [b"6:target20:".as_slice(), &id.0].concat();
    let announce: [&[u8]; 4] = [&id, &hash, b"4:porti1e", b"5:token1:x"];
    vec![
        ("ping", question(&[&id], b"4:ping", b"")),
        ("ping, read-only", question(&[&id], b"4:ping", b"2:roi1e")),
        ("find_node", question(&[&id, &at(target)], b"9:find_node", b"")),
        ("find_node of both", question(&[&id, &at(target), b"4:wantl2:n42:n6e"], b"9:find_node", b"")),
        ("get_peers", question(&[&id, &hash], b"9:get_peers", b"")),
        ("get_peers with a token", question(&[&id, &hash, b"5:token8:12345678"], b"9:get_peers", b"")),
        ("announce_peer", question(&announce, b"13:announce_peer", b"")),
        ("get", question(&[&id, &at(target)], b"3:get", b"")),
        ("put", question(&[&id, b"5:token1:x1:v", immutable], b"3:put", b"")),
        ("unknown", question(&[&id], b"1:x", b"")),
        ("unknown with a target", question(&[&id, &at(target)], b"4:vote", b"")),
        ("no id", question(&[b""], b"4:ping", b"")),
        ("no target", question(&[&id], b"9:find_node", b"")),
        ("an answer", [b"d1:rd".as_slice(), &id, b"e1:t0:1:y1:re"].concat()),
        ("an error", b"d1:eli201e1:xe1:t0:1:y1:ee".to_vec()),
        ("junk", b"x".to_vec()),
    ]
}

/// The same with a transaction id that has to be told back.
pub(crate) fn with_transaction(question: &[u8], length: usize) -> Vec<u8> {
    let Some(at) = question.windows(5).position(|part| part == b"1:t0:") else { return question.to_vec() };
    let transaction = format!("1:t{length}:{}", "t".repeat(length));
    [&question[..at], transaction.as_bytes(), &question[at + 5..]].concat()
}
