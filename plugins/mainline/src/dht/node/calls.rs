use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};

use super::api::SearchId;
use crate::dht::Id;

/// The questions that are in the air.
pub(super) struct Calls {
    secret: [u8; 16],
    count: u64,
    open: HashMap<[u8; 4], Call>,
    /// In the order of sending, for the time when they are given up.
    order: VecDeque<(Instant, [u8; 4])>,
    /// In the order of sending, those that are not late yet.
    young: VecDeque<(Instant, [u8; 4])>,
    fresh: usize,
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) to: SocketAddr,
    pub(super) sent: Instant,
    pub(super) what: What,
    /// It was not answered in time; it may still be.
    pub(super) is_late: bool,
    /// How many were in the air with it.
    pub(super) among: usize,
}

/// What it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A step of a search.
    Step(SearchId),
    /// Something to be stored.
    Offer(SearchId),
    /// Is the node there?
    Ping,
    /// Whom does it know near there? Once more, with its own token as a proof, where it has more to tell.
    Explore { target: Id, proves: bool },
}

impl Calls {
    pub(super) fn new(secret: [u8; 16]) -> Self {
        let (order, young) = (VecDeque::new(), VecDeque::new());
        Self { secret, count: 0, open: HashMap::new(), order, young, fresh: 0 }
    }

    /// Opens a question; its transaction id, of four bytes, as nodes of the `mainline` crate answer no others. It cannot be guessed by who
    /// has seen earlier ones.
    pub(super) fn open(&mut self, to: SocketAddr, what: What, now: Instant) -> [u8; 4] {
        let id = loop {
            self.count += 1;
            let digest = Sha1::new_with_prefix(self.secret).chain_update(self.count.to_be_bytes()).finalize();
            let id = [digest[0], digest[1], digest[2], digest[3]];
            if !self.open.contains_key(&id) {
                break id;
            }
        };
        self.open.insert(id, Call { to, sent: now, what, is_late: false, among: self.fresh });
        self.order.push_back((now, id));
        self.young.push_back((now, id));
        self.fresh += 1;
        id
    }

    /// Closes the question that an answer from this address belongs to.
    pub(super) fn close(&mut self, id: &[u8], from: SocketAddr) -> Option<Call> {
        let id = <[u8; 4]>::try_from(id).ok()?;
        self.open.get(&id).filter(|call| call.to == from)?;
        let call = self.open.remove(&id)?;
        self.fresh -= usize::from(!call.is_late);
        Some(call)
    }

    /// How many are in the air and not late.
    pub(super) fn fresh(&self) -> usize {
        self.fresh
    }

    /// Notes the next that is late by now.
    pub(super) fn next_that_is_late(&mut self, late_after: Duration, now: Instant) -> Option<Call> {
        while let Some((sent, id)) = self.young.front() {
            let open = self.open.get_mut(id).filter(|call| call.sent == *sent);
            if open.is_some() && now < *sent + late_after {
                return None;
            }
            let late = open.map(|call| {
                call.is_late = true;
                self.fresh -= 1;
                *call
            });
            self.young.pop_front();
            if late.is_some() {
                return late;
            }
        }
        None
    }

    /// When the oldest that may be late soon is late.
    pub(super) fn next_late(&self, late_after: Duration) -> Option<Instant> {
        self.young.front().map(|(sent, _)| *sent + late_after)
    }

    /// Closes the next question that was not answered for too long.
    pub(super) fn give_up(&mut self, patience: Duration, now: Instant) -> Option<Call> {
        while let Some((sent, id)) = self.order.front().copied() {
            let is_open = self.open.get(&id).is_some_and(|call| call.sent == sent);
            if is_open && now < sent + patience {
                return None;
            }
            self.order.pop_front();
            if is_open && let Some(call) = self.open.remove(&id) {
                self.fresh -= usize::from(!call.is_late);
                return Some(call);
            }
        }
        None
    }

    /// When the oldest that may still be open is given up.
    pub(super) fn next_given_up(&self, patience: Duration) -> Option<Instant> {
        self.order.front().map(|(sent, _)| *sent + patience)
    }
}
