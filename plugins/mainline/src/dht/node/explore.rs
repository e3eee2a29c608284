use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::api::{Family, Mode};
use super::calls::What;
use super::search::MOST_TOLD;
use super::table::FRESH;
use super::{Node, address};
use crate::dht::Id;
use crate::dht::krpc::{Contacts, Reply, contacts};

/// When a node that searches looks around, so that its next searches begin near their ends: what Kademlia calls the refresh of buckets, after
/// joining and every quarter of an hour (BEP 5), in one question about each part of the id space instead of a search in each.
#[derive(Debug, Default)]
pub(super) struct Explore {
    /// The part that is asked about next, and when.
    next: Option<(u8, Instant)>,
    began: Option<Instant>,
}

/// So many bits tell one part from another.
const BITS: u32 = 5;
const PARTS: u8 = 1 << BITS;
/// It begins so long after the end of a search: whoever started for that one search is gone by then.
const AFTER: Duration = Duration::from_millis(500);
/// The time between two questions.
const EVERY: Duration = Duration::from_millis(25);

impl Explore {
    /// A search was answered: somebody is there who can be asked.
    fn searched(&mut self, now: Instant) {
        let is_fresh = self.began.is_some_and(|began| now.saturating_duration_since(began) < FRESH);
        if !is_fresh {
            (self.began, self.next) = (Some(now), Some((0, now + AFTER)));
        }
    }

    /// The part to ask about now.
    fn turn(&mut self, now: Instant) -> Option<u8> {
        let (part, at) = self.next.filter(|(_, at)| *at <= now)?;
        self.next = (part + 1 < PARTS).then_some((part + 1, at + EVERY));
        Some(part)
    }

    /// When the next question is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next.map(|(_, at)| at)
    }
}

impl Node {
    /// A server need not look around: those who come are whom it knows.
    pub(super) fn searched(&mut self, family: Family, now: Instant) {
        if self.settings.mode != Mode::Server {
            self.sides[family.index()].explore.searched(now);
        }
    }

    /// Asks about the parts whose turn has come, each time the nearest of all that are known.
    pub(super) fn look_around(&mut self, now: Instant) {
        for family in [Family::V4, Family::V6] {
            while let Some(part) = self.sides[family.index()].explore.turn(now) {
                let target = within(part, &mut self.chance);
                let nearest = self.sides[family.index()].table.nearest(&target, 1, |_| true);
                if let Some(to) = nearest.first().map(|known| known.contact.at) {
                    self.ask_around(to, (target, false), None, now);
                }
            }
        }
    }

    /// Who is busy with searches is not asked.
    fn ask_around(
        &mut self,
        to: SocketAddr,
        (target, proves): (Id, bool),
        token: Option<&[u8]>,
        now: Instant,
    ) {
        if let Some(turn) = self.pace.turn(to.ip(), Duration::ZERO, now) {
            self.ask((to, turn), What::Explore { target, proves }, 0, token, now);
        }
    }

    /// Takes the nodes that somebody tells of.
    pub(super) fn hear_around(
        &mut self,
        from: SocketAddr,
        reply: &Reply<'_>,
        (target, proves): (Id, bool),
        now: Instant,
    ) {
        let family = Family::of(from);
        let told = match family {
            Family::V4 => contacts(reply.nodes, Contacts::V4),
            Family::V6 => contacts(reply.nodes6, Contacts::V6),
        };
        let (outside, side) = (self.settings.is_outside(), &mut self.sides[family.index()]);
        for contact in told.take(MOST_TOLD) {
            if address::is_usable(contact.at, outside) {
                side.told(contact);
            }
        }
        if let Some(token) = reply.token.filter(|_| reply.more && !proves) {
            self.ask_around(from, (target, true), Some(token), now);
        }
    }
}

/// Any id within a part. Those that follow each other lie far apart.
fn within(part: u8, chance: &mut fastrand::Rng) -> Id {
    let mut id = Id::random(chance);
    let rest = u8::MAX >> BITS;
    id.0[0] = part.reverse_bits() & !rest | id.0[0] & rest;
    id
}
