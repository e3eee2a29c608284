use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::search::{REPLICAS, TOKEN_LIFE};
use super::{Family, Node};
use crate::dht::Id;
use crate::dht::krpc::bencode::{Value, Writer};
use crate::dht::krpc::{Contact, Contacts, contacts, push_contact};

/// No more nodes are kept; more than a table holds were never written by us.
const MOST: usize = 1000;
/// Of so many info hashes the tokens are kept, the latest ones.
const HASHES: usize = 32;
/// Longer tokens are not kept.
const TOKEN: usize = 64;

impl Node {
    /// Tells it what time of day it is: without, it keeps no tokens, which are good for some minutes only.
    pub fn set_clock(&mut self, now: Instant, clock: SystemTime) {
        self.clock = clock.duration_since(UNIX_EPOCH).ok().map(|clock| (now, clock));
    }

    /// The nodes that it knows, its ids and the tokens of its last announcements, for the next start.
    #[must_use]
    pub fn keep(&self, now: Instant) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(b"d");
        for (side, (id, nodes)) in self.sides.iter().zip([(b"2:i4", b"2:n4"), (b"2:i6", b"2:n6")]) {
            let mut bytes = Vec::new();
            let good = side.table.all().filter(|known| known.is_good(now));
            good.take(MOST).for_each(|known| push_contact(&mut bytes, &known.contact));
            out.raw(id).bytes(&side.id.0).raw(nodes).bytes(&bytes);
        }
        self.keep_tokens(&mut out, now);
        out.raw(b"e");
        out.finish()
    }

    fn keep_tokens(&self, out: &mut Writer, now: Instant) {
        let Some((then, clock)) = self.clock else { return };
        let mut fresh: Vec<_> = self.tokens.iter().map(|(key, (since, nodes))| (since, key, nodes)).collect();
        fresh.retain(|(since, ..)| now.saturating_duration_since(**since) < TOKEN_LIFE);
        fresh.sort_unstable_by_key(|(since, ..)| Reverse(**since));
        out.raw(b"1:tl");
        for (since, (_, hash), nodes) in fresh.into_iter().take(HASHES) {
            let after = since.saturating_duration_since(then);
            let before = then.saturating_duration_since(*since);
            let given = (clock + after).saturating_sub(before);
            Tokens { hash: *hash, given, nodes: nodes.clone() }.write(out);
        }
        out.raw(b"e");
    }

    /// Takes what an earlier node kept; what is damaged is passed over. Kept nodes are likely there, not certainly.
    pub fn remember(&mut self, kept: &[u8]) {
        let Ok((kept, _)) = Value::split(kept) else { return };
        for (key, value) in kept.entries() {
            let bytes = value.bytes().unwrap_or_default();
            match key {
                b"i4" | b"i6" => {
                    let side = usize::from(key == b"i6");
                    if let Some(id) = Id::from_slice(bytes).filter(|_| self.settings.public[side].is_none()) {
                        self.sides[side].id = id;
                        self.sides[side].table.moved(id);
                    }
                }
                b"n4" => self.remember_nodes(contacts(bytes, Contacts::V4)),
                b"n6" => self.remember_nodes(contacts(bytes, Contacts::V6)),
                b"t" => {
                    let kept = value.list().take(HASHES).filter_map(Tokens::read);
                    kept.for_each(|kept| self.remember_tokens(&kept));
                }
                _ => {}
            }
        }
    }

    fn remember_nodes(&mut self, nodes: impl Iterator<Item = Contact>) {
        let outside = self.settings.is_outside();
        for node in nodes.filter(|node| super::address::is_usable(node.at, outside)).take(MOST) {
            self.sides[Family::of(node.at).index()].table.told(node);
        }
    }

    fn remember_tokens(&mut self, kept: &Tokens) {
        let Some((now, clock)) = self.clock else { return };
        let Some(family) = kept.nodes.first().map(|(node, _)| Family::of(node.at)) else { return };
        let wide = self.settings.wide;
        let fits = |at| Family::of(at) == family && super::address::is_usable(at, wide);
        // What was given later than now was kept under another clock.
        let since = clock.checked_sub(kept.given).and_then(|age| now.checked_sub(age));
        if let Some(since) = since.filter(|_| kept.nodes.iter().all(|(node, _)| fits(node.at))) {
            self.tokens.insert((family, kept.hash), (since, kept.nodes.clone()));
        }
    }

    /// The nodes that a family's table holds, for `doctor` and tests.
    #[must_use]
    pub fn known(&self, family: Family) -> Vec<SocketAddr> {
        self.sides[family.index()].table.all().map(|known| known.contact.at).collect()
    }
}

/// What nodes have given for an info hash, and when.
struct Tokens {
    hash: Id,
    given: Duration,
    nodes: Vec<(Contact, Box<[u8]>)>,
}

impl Tokens {
    fn write(&self, out: &mut Writer) {
        out.raw(b"l").bytes(&self.hash.0).integer(i64::try_from(self.given.as_secs()).unwrap_or(i64::MAX));
        for (node, token) in self.nodes.iter().filter(|(_, token)| token.len() <= TOKEN) {
            let mut bytes = Vec::new();
            push_contact(&mut bytes, node);
            out.bytes(&bytes).bytes(token);
        }
        out.raw(b"e");
    }

    fn read(kept: Value<'_>) -> Option<Self> {
        let mut kept = kept.list();
        let hash = Id::from_slice(kept.next()?.bytes()?)?;
        let given = Duration::from_secs(u64::try_from(kept.next()?.integer()?).ok()?);
        let mut nodes = Vec::new();
        while let Some(node) = kept.next().filter(|_| nodes.len() < REPLICAS) {
            let (node, token) = (node.bytes()?, kept.next()?.bytes()?);
            let form = if node.len() == 26 { Contacts::V4 } else { Contacts::V6 };
            nodes.push((contacts(node, form).next()?, Box::from(token)));
        }
        Some(Self { hash, given, nodes })
    }
}
