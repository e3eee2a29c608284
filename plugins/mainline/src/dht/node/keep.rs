use std::net::SocketAddr;
use std::time::Instant;

use super::{Family, Node};
use crate::dht::Id;
use crate::dht::krpc::bencode::{Value, Writer};
use crate::dht::krpc::{Contact, Contacts, contacts, push_contact};

/// No more nodes are kept; more than a table holds were never written by us.
const MOST: usize = 1000;

impl Node {
    /// The nodes that it knows and its ids, for the next start.
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
        out.raw(b"e");
        out.finish()
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

    /// The nodes that a family's table holds, for `doctor` and tests.
    #[must_use]
    pub fn known(&self, family: Family) -> Vec<SocketAddr> {
        self.sides[family.index()].table.all().map(|known| known.contact.at).collect()
    }
}
