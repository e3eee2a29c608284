use std::net::SocketAddr;
use std::time::Instant;

use fastrand::Rng;

use super::spec::Spec;
use crate::dht::krpc::Contact;
use crate::dht::{Family, Id, Mode, Node, Settings};

/// Everybody in the network, dead or alive, by their ids.
#[derive(Debug)]
pub(super) struct Settled {
    all: Vec<Contact>,
    family: Family,
}

/// The most that a table keeps of those that share the same number of bits with it.
const SIDE: usize = 128;

/// One node for each of the first addresses; the rest are dead. Each knows the others as if it had long been there.
///
/// The seed alone decides the ids; those of the nodes are the same whatever else is in the spec.
pub(super) fn settle(
    spec: &Spec,
    chance: &mut Rng,
    addresses: &[SocketAddr],
    now: Instant,
) -> (Vec<Node>, Settled) {
    let (alive, dead) = addresses.split_at(addresses.len().min(spec.nodes.into()));
    let family = if spec.ipv6 { Family::V6 } else { Family::V4 };
    let families = [!spec.ipv6, spec.ipv6];
    let (wide, inside) = (spec.strict, spec.strict);
    let settings = Settings { wide, inside, mode: Mode::Server, families, ..Settings::default() };
    let mut nodes: Vec<Node> =
        alive.iter().map(|_| Node::new(settings.clone(), chance.u64(..), now)).collect();
    let living = alive.iter().zip(&nodes).map(|(at, node)| Contact { id: node.id(family), at: *at });
    let dead = dead.iter().map(|at| Contact { id: Id::random(chance), at: *at });
    let mut all: Vec<_> = living.chain(dead).collect();
    all.sort_unstable_by_key(|contact| contact.id);
    let settled = Settled { all, family };
    for node in &mut nodes {
        settled.meet(node, chance, now);
    }
    (nodes, settled)
}

impl Settled {
    /// Tells a node who is there, without a datagram. Told again and again, nodes neither forget the dead nor each other, however long the
    /// network runs unused.
    pub(super) fn meet(&self, node: &mut Node, chance: &mut Rng, now: Instant) {
        node.introduce(&around(&node.id(self.family), &self.all, chance), now);
    }
}

/// Of all that share no bit with an id, of all that share one, two, and so on: as many as any table keeps, in a random order. In a small
/// network these are all others. `sorted` is by id.
fn around(own: &Id, sorted: &[Contact], chance: &mut Rng) -> Vec<Contact> {
    let (mut near, mut found) = (sorted, Vec::new());
    for bit in 0..8 * Id::LENGTH {
        let split = near.partition_point(|contact| !is_set(&contact.id, bit));
        let (zeros, ones) = near.split_at(split);
        let (same, other) = if is_set(own, bit) { (ones, zeros) } else { (zeros, ones) };
        found.extend(chance.choose_multiple(other, SIDE).into_iter().copied());
        near = same;
        if near.len() <= 1 {
            break;
        }
    }
    chance.shuffle(&mut found);
    found
}

fn is_set(id: &Id, bit: usize) -> bool {
    id.0[bit / 8] & (0x80 >> (bit % 8)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_knows_all_of_a_few_and_enough_of_many() {
        let mut chance = Rng::with_seed(1);
        let at = "127.1.2.3:1".parse().unwrap();
        for count in [1, 2, 100, 3000] {
            let mut all: Vec<_> = (0..count).map(|_| Contact { id: Id::random(&mut chance), at }).collect();
            all.sort_unstable_by_key(|contact| contact.id);
            let own = all[count / 2].id;
            let known = around(&own, &all, &mut chance);
            assert!(known.iter().all(|contact| contact.id != own));
            for bits in 0..160 {
                let share =
                    |list: &[Contact]| list.iter().filter(|other| own.shared_bits(&other.id) == bits).count();
                assert_eq!(share(&known), share(&all).min(SIDE), "{bits} of {count}");
            }
        }
    }

    #[test]
    fn a_seed_is_a_network_whatever_else_is_asked_for() {
        let addresses: Vec<_> = (1..=30).map(|port| SocketAddr::from(([127, 1, 2, 3], port))).collect();
        let ids = |spec: &Spec, seed| {
            let (nodes, settled) = settle(spec, &mut Rng::with_seed(seed), &addresses, Instant::now());
            assert_eq!(settled.all.len(), 30);
            nodes.iter().map(|node| node.id(settled.family)).collect::<Vec<_>>()
        };
        let small = Spec { nodes: 10, dead: 20, ..Spec::default() };
        let large = Spec { nodes: 30, loss: 0.5, ..Spec::default() };
        assert_eq!(ids(&small, 1), ids(&large, 1)[..10]);
        assert_ne!(ids(&small, 1), ids(&small, 2));
    }
}
