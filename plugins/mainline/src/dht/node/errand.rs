use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{Family, Goal, Outcome};
use super::plan::Needs;
use super::walk::Walk;

/// A search on its way.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) goal: Arc<Goal>,
    pub(super) family: Family,
    pub(super) walk: Walk,
    began: Instant,
    /// When to look at it again.
    pub(super) wake: Option<Instant>,
    /// The earliest timer that stands for it.
    pub(super) timer: Option<Instant>,
    pub(super) is_waiting: bool,
    /// Somebody had what is searched for.
    pub(super) has_found: bool,
    /// It stores at nodes whose tokens are remembered, and asks nobody.
    pub(super) is_short: bool,
    /// So many were not asked, as too many other questions wait for them.
    pub(super) passed_over: usize,
    /// Then it begins anew.
    pub(super) rests_until: Option<Instant>,
    /// So many were asked before it did; they may still answer.
    asked_before: usize,
    pub(super) offers: Vec<Offer>,
    pub(super) outcome: Outcome,
}

/// Something that a node was asked to store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    to: SocketAddr,
    part: usize,
    at: Instant,
    state: Offered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offered {
    Sent { tries: u8 },
    Taken,
    Refused,
}

impl Search {
    pub(super) fn new(goal: Arc<Goal>, family: Family, walk: Walk, now: Instant) -> Self {
        Self {
            goal,
            family,
            walk,
            began: now,
            wake: None,
            timer: None,
            is_waiting: false,
            has_found: false,
            is_short: false,
            passed_over: 0,
            rests_until: None,
            asked_before: 0,
            offers: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Goes on as a search that has only begun now, but counts its time from its own beginning.
    pub(super) fn begin_anew(&mut self, fresh: Self) {
        let (began, timer, asked_before) = (self.began, self.timer, self.asked());
        *self = Self { began, timer, asked_before, ..fresh };
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn asked(&self) -> usize {
        self.asked_before + self.walk.asked()
    }

    /// Of the items of a register each node may have the newest.
    pub(super) fn needs(&self) -> Needs {
        match &*self.goal {
            Goal::Peers(_) | Goal::Get(_) if !self.has_found => Needs::All,
            Goal::Peers(_) | Goal::Announce(..) | Goal::Put(_) => Needs::Most,
            Goal::Get(_) | Goal::Nodes(_) => Needs::Timely,
        }
    }

    /// Notes that a node is asked to store a part.
    pub(super) fn offered(&mut self, to: SocketAddr, part: usize, at: Instant) {
        let same = |offer: &&mut Offer| offer.to == to && offer.part == part;
        if let Some(again) = self.offers.iter_mut().find(same) {
            again.at = at;
            return;
        }
        self.outcome.sent_after = Some(at.saturating_duration_since(self.began)).max(self.outcome.sent_after);
        self.offers.push(Offer { to, part, at, state: Offered::Sent { tries: 1 } });
    }

    /// Notes what a node says to what it was offered.
    pub(super) fn noted(&mut self, from: SocketAddr, refusal: Option<(i64, &[u8])>) {
        let fresh = |offer: &&mut Offer| offer.to == from && matches!(offer.state, Offered::Sent { .. });
        let Some(offer) = self.offers.iter_mut().find(fresh) else { return };
        offer.state = if refusal.is_some() { Offered::Refused } else { Offered::Taken };
        match refusal {
            Some((301 | 302, _)) => self.outcome.conflicts += 1,
            Some((code, text)) => {
                let text: String = String::from_utf8_lossy(text).chars().take(80).collect();
                self.outcome.refusal = Some(format!("{code} {text}"));
            }
            None => {}
        }
    }

    /// Notes that a node cannot even be asked to store.
    pub(super) fn unsent(&mut self, to: SocketAddr) {
        let waiting = |offer: &&mut Offer| offer.to == to && matches!(offer.state, Offered::Sent { .. });
        if let Some(offer) = self.offers.iter_mut().find(waiting) {
            offer.state = Offered::Refused;
        }
    }

    /// Those that are late for the first time, to be offered once more; sets when to look again.
    ///
    /// To store takes longer than to look something up, in some clients much longer: who is late for the second time is left behind only
    /// when most of the others have stored.
    pub(super) fn late_offers(
        &mut self,
        usual: Duration,
        patience: Duration,
        now: Instant,
    ) -> Vec<(SocketAddr, usize)> {
        let mut again = Vec::new();
        let taken = self.offers.iter().filter(|offer| offer.state == Offered::Taken).count();
        let is_enough = taken * 2 >= self.offers.len();
        for offer in &mut self.offers {
            let Offered::Sent { tries } = offer.state else { continue };
            let mut late = offer.at + usual;
            if now >= late && tries == 1 {
                (offer.at, offer.state, late) = (now, Offered::Sent { tries: 2 }, now + usual);
                again.push((offer.to, offer.part));
            }
            if now >= late && !is_enough {
                late = offer.at + patience;
            }
            if now < late {
                self.wake = Some(self.wake.map_or(late, |wake| wake.min(late)));
            }
        }
        again
    }

    pub(super) fn outcome(&self) -> Outcome {
        // A node has stored when it has taken every part.
        let mut stored: BTreeMap<SocketAddr, bool> = BTreeMap::new();
        for offer in &self.offers {
            *stored.entry(offer.to).or_insert(true) &= offer.state == Offered::Taken;
        }
        let stored = stored.values().filter(|is_stored| **is_stored).count();
        Outcome { asked: self.asked(), answered: self.walk.answered, stored, ..self.outcome.clone() }
    }
}
