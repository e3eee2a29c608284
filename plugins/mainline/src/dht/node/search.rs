use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{Event, Family, Goal, SearchId};
use super::errand::Search;
use super::odds::Kind;
use super::plan::{Look, Plan};
use super::walk::Walk;
use super::{Node, address, forget_oldest};
use crate::dht::krpc::Contact;
use crate::dht::{Distance, Id};

/// The tokens of the nodes nearest to an info hash, for the next announcement.
pub(super) type Tokens = BTreeMap<(Family, Id), (Instant, Vec<(Contact, Box<[u8]>)>)>;

/// A search for peers ends when so many of the nearest have answered (BEP 5).
pub(super) const NEAREST: usize = 8;
/// What is stored is stored at so many, since nodes go, and not all know the same ones.
pub(super) const REPLICAS: usize = 20;
/// Tokens are good for five minutes at least (BEP 5 says ten; libtorrent changes its secret every five).
pub(super) const TOKEN_LIFE: Duration = Duration::from_secs(270);
/// Some nodes tell of 20 others; more are a flood.
pub(super) const MOST_TOLD: usize = 20;
/// For so many info hashes they are kept.
const TOKENS: usize = 128;

impl Node {
    /// Begins a search; what it finds and its end are told by [`Node::event`].
    pub fn search(&mut self, goal: Goal, family: Family, now: Instant) -> SearchId {
        self.next_search += 1;
        let id = SearchId(self.next_search);
        let remembered = match &goal {
            Goal::Announce(hash, _) => self.tokens.get(&(family, *hash)).filter(|(since, nodes)| {
                now.saturating_duration_since(*since) < TOKEN_LIFE && nodes.len() >= NEAREST
            }),
            _ => None,
        };
        let goal = Arc::new(goal);
        let mut search = match remembered.cloned() {
            Some((_, nodes)) => {
                let mut walk = Walk::new(goal.target(), 0, (Distance::MAX, Distance::MAX), false);
                for (node, token) in &nodes {
                    walk.remember(*node, token);
                }
                Search::new(goal, family, walk, now)
            }
            None => self.fresh(goal, family, now),
        };
        search.is_short = search.walk.reach(1).is_some();
        self.searches.insert(id, search);
        self.step(id, now);
        id
    }

    /// Ends a search without a word.
    pub fn cancel(&mut self, search: SearchId, now: Instant) {
        self.searches.remove(&search);
        self.go_on(now);
    }

    /// A search that begins at the nodes of the table nearest to its target.
    fn fresh(&self, goal: Arc<Goal>, family: Family, now: Instant) -> Search {
        let (side, target) = (&self.sides[family.index()], goal.target());
        let mut walk = Walk::new(target, goal.width(), side.edge(goal.width()), self.settings.wide);
        walk.start_from(&side.hosts);
        for known in side.table.nearest(&target, 2 * REPLICAS, |_| true) {
            if let Some(odds) = side.odds(known.contact.at, known.kind(now), now) {
                let late = known.rtt.late_after().filter(|_| known.rtt.samples() > 1);
                walk.offer(known.contact, odds, late.map(|late| late.min(self.settings.patience)));
            }
        }
        Search::new(goal, family, walk, now)
    }

    /// Asks who is to be asked now, stores where it is time, and ends the search where nobody is waited for.
    pub(super) fn step(&mut self, id: SearchId, now: Instant) {
        let usual = self.late_after();
        let Some(search) = self.searches.get_mut(&id) else { return };
        let soon = self.sides[search.family.index()].rtt.smooth() * 3 / 4;
        let plan = if search.is_short {
            Plan { is_done: true, ..Plan::default() }
        } else {
            search.walk.plan(Look { now, usual, soon, needs: search.needs() })
        };
        let is_done = plan.is_done && plan.ask.is_empty();
        search.wake = plan.wake.filter(|_| !is_done);
        let mut is_passed_over = false;
        for to in &plan.ask {
            if !self.has_room() {
                self.wait(id);
                break;
            }
            is_passed_over |= !self.ask_next(id, *to, now);
        }
        if is_passed_over {
            // Others may do in their place.
            self.step(id, now);
        } else if is_done {
            self.settle(id, usual, now);
        }
        self.set_timer(id);
    }

    /// Lets a search go on when there is room in the window.
    fn wait(&mut self, id: SearchId) {
        if let Some(search) = self.searches.get_mut(&id).filter(|search| !search.is_waiting) {
            search.is_waiting = true;
            self.waiting.push_back(id);
        }
    }

    /// Lets searches go on that wait for room in the window.
    pub(super) fn go_on(&mut self, now: Instant) {
        let mut turns = self.waiting.len();
        while turns > 0 && self.has_room() {
            turns -= 1;
            let Some(id) = self.waiting.pop_front() else { return };
            if let Some(search) = self.searches.get_mut(&id) {
                search.is_waiting = false;
                self.step(id, now);
            }
        }
    }

    /// Stores at the nearest that have answered, or ends the search when that is done.
    fn settle(&mut self, id: SearchId, usual: Duration, now: Instant) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        // Nothing at the nearest: those who announced may have known others.
        let is_in_vain = matches!(*search.goal, Goal::Peers(_)) && !search.has_found;
        if is_in_vain && search.walk.answered > 0 && search.walk.widen(REPLICAS) {
            self.step(id, now);
            return;
        }
        if search.goal.stores() {
            for (to, token) in search.walk.places(REPLICAS) {
                self.offer(id, to, &token, now);
            }
        }
        let Some(search) = self.searches.get_mut(&id) else { return };
        let again = search.late_offers(usual * 2, self.settings.patience, now);
        let is_settled = again.is_empty() && search.wake.is_none();
        if is_settled {
            self.finish(id, now);
            return;
        }
        for (to, part) in again {
            let Some(search) = self.searches.get_mut(&id) else { return };
            let token = search.walk.nearest(usize::MAX).find(|node| node.contact.at == to);
            if let Some(token) = token.and_then(|node| node.token.clone()) {
                self.ask_to_store(id, (to, part), &token, now);
            }
        }
    }

    /// Asks a node to store.
    pub(super) fn offer(&mut self, id: SearchId, to: SocketAddr, token: &[u8], now: Instant) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        let parts = search.goal.parts();
        if let Some(node) = search.walk.candidates.iter_mut().find(|node| node.contact.at == to) {
            if node.offered {
                return;
            }
            node.offered = true;
        }
        search.outcome.offered += 1;
        for part in 0..parts {
            self.ask_to_store(id, (to, part), token, now);
        }
    }

    fn finish(&mut self, id: SearchId, now: Instant) {
        if self.rest(id, now) {
            return;
        }
        let Some(mut search) = self.searches.remove(&id) else { return };
        let target = search.goal.target();
        let mut outcome = search.outcome();
        if search.is_short && outcome.stored * 2 < outcome.offered {
            // The tokens are no good any more, or the nodes are gone: search.
            self.tokens.remove(&(search.family, target));
            let again = self.fresh(search.goal, search.family, now);
            self.searches.insert(id, again);
            self.step(id, now);
            return;
        }
        let side = &mut self.sides[search.family.index()];
        if !search.is_short
            && let Some(reach) = search.walk.reach(NEAREST)
        {
            side.measure(NEAREST, reach);
        }
        if matches!(*search.goal, Goal::Peers(_) | Goal::Announce(..)) && !search.is_short {
            let known =
                search.walk.nearest(REPLICAS).filter_map(|node| Some((node.contact, node.token.clone()?)));
            let known: Vec<_> = known.collect();
            if !known.is_empty() {
                self.tokens.insert((search.family, target), (now, known));
                forget_oldest(&mut self.tokens, TOKENS);
            }
        }
        if search.is_short {
            outcome.answered = outcome.offered;
        }
        if outcome.answered > 0 {
            self.searched(search.family, now);
        }
        self.events.push_back(Event::Done(id, outcome));
        self.go_on(now);
    }

    /// No timer where an earlier one stands already: when that is due, the next is set.
    fn set_timer(&mut self, id: SearchId) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        if let Some(wake) = search.wake.filter(|wake| search.timer.is_none_or(|timer| *wake < timer)) {
            search.timer = Some(wake);
            self.timers.push(Reverse((wake, id)));
        }
    }

    /// A timer of a search is due, which may stand for something that has come to pass.
    pub(super) fn wake(&mut self, id: SearchId, now: Instant) {
        let Some(search) = self.searches.get_mut(&id) else { return };
        search.timer = search.timer.filter(|timer| *timer > now);
        if search.rests_until.is_some_and(|until| until <= now) {
            let (goal, family) = (Arc::clone(&search.goal), search.family);
            let again = self.fresh(goal, family, now);
            self.searches.entry(id).and_modify(|search| search.begin_anew(again));
            self.step(id, now);
            return;
        }
        if search.wake.is_some_and(|wake| wake <= now) {
            self.step(id, now);
        } else {
            self.set_timer(id);
        }
    }

    /// Offers nodes that somebody told of to a search, and remembers them where there is room.
    pub(super) fn tell(&mut self, id: SearchId, told: impl Iterator<Item = Contact>, now: Instant) {
        let outside = self.settings.is_outside();
        let Some(search) = self.searches.get_mut(&id) else { return };
        let (family, target) = (search.family, search.walk.target);
        let side = &mut self.sides[family.index()];
        let own = side.id;
        let told = told.filter(|contact| address::is_usable(contact.at, outside) && contact.id != own);
        let (told, others): (Vec<_>, Vec<_>) = told.partition(|contact| Family::of(contact.at) == family);
        for contact in told.into_iter().take(MOST_TOLD) {
            if let Some(odds) = side.odds(contact.at, Kind::Told, now) {
                search.walk.offer(contact, odds, None);
                side.told(contact);
            }
        }
        if !others.is_empty() && self.settings.families == [true, true] {
            self.tell_other(family.other(), target, &others[..others.len().min(MOST_TOLD)], now);
        }
    }

    /// Nodes of the other family, which a search was told of beside those of its own (BEP 32): so whoever knows one family finds the other.
    fn tell_other(&mut self, family: Family, target: Id, told: &[Contact], now: Instant) {
        let side = &mut self.sides[family.index()];
        let twin =
            self.searches.iter_mut().find(|(_, twin)| twin.family == family && twin.walk.target == target);
        let mut twin = twin.map(|(id, twin)| (*id, &mut twin.walk));
        for contact in told.iter().filter(|contact| contact.id != side.id) {
            if let Some(odds) = side.odds(contact.at, Kind::Told, now) {
                side.table.told(*contact);
                if let Some((_, walk)) = &mut twin {
                    walk.offer(*contact, odds, None);
                }
            }
        }
        if let Some((id, _)) = twin {
            self.step(id, now);
        }
    }
}
