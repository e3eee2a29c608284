use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{Event, Family, Goal, Item, SearchId, Transmit};
use super::calls::{Call, What};
use super::odds::Kind;
use super::search::REPLICAS;
use super::{Node, address};
use crate::dht::Id;
use crate::dht::krpc::{Contact, Contacts, Message, Reply, contacts};
use crate::dht::store;

/// The longest value of an item, as it is encoded (BEP 44).
const MAX_VALUE: usize = 1000;

impl Node {
    /// Takes the answer to a question.
    pub(super) fn hear(&mut self, from: SocketAddr, message: &Message<'_>, reply: &Reply<'_>, now: Instant) {
        let Some(call) = self.calls.close(message.transaction, from) else { return };
        self.counts.answered[Family::of(from).index()] += 1;
        let contact = Contact { id: reply.id, at: from };
        self.meet(contact, &call, now);
        if let Some(seen) = message.ip {
            self.seen(from, seen);
        }
        match call.what {
            What::Step(search) => self.hear_step(search, (contact, call.sent), reply, now),
            What::Offer(search) => self.hear_offer(search, from, None, now),
            What::Explore { target, proves } => self.hear_around(from, reply, (target, proves), now),
            What::Ping => {}
        }
        self.go_on(now);
    }

    /// Takes an error: the node is there, but does not do what is asked of it.
    pub(super) fn hear_error(
        &mut self,
        from: SocketAddr,
        message: &Message<'_>,
        error: (i64, &[u8]),
        now: Instant,
    ) {
        let Some(call) = self.calls.close(message.transaction, from) else { return };
        self.counts.answered[Family::of(from).index()] += 1;
        match call.what {
            What::Step(id) => {
                if let Some(search) = self.searches.get_mut(&id) {
                    search.walk.gone(from);
                    self.step(id, now);
                }
            }
            What::Offer(id) => self.hear_offer(id, from, Some(error), now),
            What::Explore { .. } | What::Ping => {}
        }
        self.go_on(now);
    }

    /// Takes back a datagram that the system did not let out, so that nobody is waited for who was never asked. What the node knows of whom
    /// it was for stays as it is.
    pub fn unsent(&mut self, datagram: &Transmit, now: Instant) {
        let Ok(message) = Message::read(&datagram.bytes) else { return };
        let Some(call) = self.calls.close(message.transaction, datagram.to) else { return };
        self.counts.asked[Family::of(call.to).index()] -= 1;
        if let What::Step(id) | What::Offer(id) = call.what
            && let Some(search) = self.searches.get_mut(&id)
        {
            search.outcome.unsent += 1;
            if matches!(call.what, What::Step(_)) {
                search.walk.gone(call.to);
            } else {
                search.unsent(call.to);
            }
            self.step(id, now);
        }
        self.go_on(now);
    }

    /// A question was not answered.
    pub(super) fn lose(&mut self, call: Call, now: Instant) {
        // A node that does not store may answer all the same.
        if !matches!(call.what, What::Offer(_)) {
            let side = &mut self.sides[Family::of(call.to).index()];
            if !call.is_late {
                side.silent(call.to, now);
            }
            side.table.failed(call.to);
        }
        if let What::Step(id) = call.what
            && let Some(search) = self.searches.get_mut(&id)
        {
            search.walk.gone(call.to);
            self.step(id, now);
        }
    }

    /// A question was not answered in time; it may still be.
    pub(super) fn miss(&mut self, call: &Call, now: Instant) {
        if matches!(call.what, What::Offer(_)) {
            return;
        }
        if self.sides[Family::of(call.to).index()].silent(call.to, now) == Some(Kind::Known) {
            self.window.lost(self.late_after(), now);
        }
    }

    fn meet(&mut self, contact: Contact, call: &Call, now: Instant) {
        let took = now.saturating_duration_since(call.sent);
        self.window.answered(took, call.among, !self.waiting.is_empty());
        let side = &mut self.sides[Family::of(contact.at).index()];
        side.rtt.learn(took);
        side.suspects.answered(contact.at);
        self.server.proven.note(contact.at, now);
        if contact.id != side.id && address::is_usable(contact.at, self.settings.is_outside()) {
            let kind = side.table.heard(contact, Some(took), now);
            if !matches!(call.what, What::Offer(_)) {
                side.odds.learn(kind, true);
            }
        }
    }

    /// Others see this machine at an address; on the internet the id has to follow from it (BEP 42).
    fn seen(&mut self, voter: SocketAddr, seen: SocketAddr) {
        /// So many have to agree.
        const QUORUM: usize = 3;
        if !address::is_usable(seen, false) || Family::of(seen) != Family::of(voter) {
            return;
        }
        let side = &mut self.sides[Family::of(voter).index()];
        side.votes.cast(voter.ip(), seen);
        if self.settings.wide
            && let Some((at, votes)) = side.votes.winner()
            && votes >= QUORUM
            && !side.id.is_secure(at.ip())
        {
            side.id = Id::secure(at.ip(), &mut self.chance);
            side.table.moved(side.id);
        }
    }

    fn hear_step(
        &mut self,
        id: SearchId,
        (from, asked_at): (Contact, Instant),
        reply: &Reply<'_>,
        now: Instant,
    ) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        search.walk.answered(from, reply.token, asked_at);
        let goal = Arc::clone(&search.goal);
        self.report(id, &goal, reply);
        if reply.more
            && let Some(search) = self.searches.get_mut(&id)
            && let Some(token) = search.walk.prove(from.at, now)
        {
            let turn = self.pace.turn(from.at.ip(), Duration::MAX, now).unwrap_or(now);
            self.ask((from.at, turn), What::Step(id), 0, Some(&token), now);
        }
        self.tell(id, contacts(reply.nodes, Contacts::V4).chain(contacts(reply.nodes6, Contacts::V6)), now);
        let Some(search) = self.searches.get(&id) else { return };
        let stores_here = search.goal.stores() && search.walk.is_surely_among(REPLICAS, from);
        if let Some(token) = reply.token.filter(|_| stores_here) {
            self.offer(id, from.at, token, now);
        }
        self.step(id, now);
    }

    /// Tells what an answer holds.
    fn report(&mut self, id: SearchId, goal: &Goal, reply: &Reply<'_>) {
        match goal {
            Goal::Peers(_) => {
                let peers: Vec<SocketAddr> = reply.peers().filter(|peer| peer.port() != 0).collect();
                if peers.is_empty() {
                    return;
                }
                if let Some(search) = self.searches.get_mut(&id) {
                    search.has_found = true;
                }
                self.events.push_back(Event::Peers(id, peers));
            }
            Goal::Get(target) => {
                let Some((value, signed)) = reply.value.zip(reply.signed) else { return };
                let fits = value.len() <= MAX_VALUE
                    && store::target_of_key(signed.key, b"") == *target
                    && store::verify(&signed, b"", value);
                if fits {
                    if let Some(search) = self.searches.get_mut(&id) {
                        search.has_found = true;
                    }
                    self.events.push_back(Event::Item(id, Item { value: value.to_vec(), seq: signed.seq }));
                }
            }
            _ => {}
        }
    }

    fn hear_offer(&mut self, id: SearchId, from: SocketAddr, refusal: Option<(i64, &[u8])>, now: Instant) {
        if let Some(search) = self.searches.get_mut(&id) {
            search.noted(from, refusal);
            self.step(id, now);
        }
    }
}
