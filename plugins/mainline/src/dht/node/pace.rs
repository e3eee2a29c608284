use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Node;
use super::api::{Family, SearchId};
use super::calls::What;
use crate::dht::krpc::{self, Ask};
use crate::dht::store::{Limits, Rate};

/// How often one host is asked, and the questions that wait for their turn with it.
///
/// Others have limits as well: libtorrent shuts out for five minutes who sends 50 datagrams in ten seconds. Whoever has ten thousand networks
/// has questions for the same few nodes of their table, and near one hash for the same few around it. Loopback is everybody's, and has no limit.
pub(super) struct Pace {
    turns: Limits,
    held: BinaryHeap<Reverse<Held>>,
    count: u64,
}

/// On the internet: 40 in any ten seconds, so that there is room for answers to what the host asks itself.
const WIDE: Rate = Rate { per_second: 3, burst: 10 };
/// Among nodes of one owner: what this engine's own nodes answer.
const PRIVATE: Rate = Rate { per_second: 40, burst: 200 };
/// In all there is the window.
const ALL: Rate = Rate { per_second: u32::MAX, burst: u32::MAX };

/// For so long the turn of one of the nearest is waited for, and that of one on the way, where others do as well.
const BUSY: Duration = Duration::from_secs(30);
const BUSY_ON_THE_WAY: Duration = Duration::from_secs(1);
/// When nobody at all has a turn soon, a search rests for so long, and up to twice that.
const REST_MS: u64 = 1000;
/// Nobody rests again after so long.
const LONGEST: Duration = Duration::from_secs(3 * 60);

/// A question that waits: by its time, and among those of one moment in their order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    at: Instant,
    number: u64,
    to: SocketAddr,
    what: What,
    part: usize,
    token: Option<Box<[u8]>>,
}

impl Pace {
    pub(super) fn new(wide: bool) -> Self {
        let turns = Limits::new(if wide { WIDE } else { PRIVATE }, ALL);
        Self { turns, held: BinaryHeap::new(), count: 0 }
    }

    /// When a host may be asked next; that turn is taken. `None` when it would take longer than `most`.
    pub(super) fn turn(&mut self, host: IpAddr, most: Duration, now: Instant) -> Option<Instant> {
        self.turns.reserve(host, most, now).map(|wait| now + wait)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse(held)| held.at)
    }

    fn hold(&mut self, mut held: Held) {
        self.count += 1;
        held.number = self.count;
        self.held.push(Reverse(held));
    }
}

impl Node {
    /// Asks a node for the next step when its turn has come; whether that is soon enough.
    pub(super) fn ask_next(&mut self, id: SearchId, to: SocketAddr, now: Instant) -> bool {
        let Some(search) = self.searches.get_mut(&id) else { return true };
        let most = if search.walk.is_on_the_way(to) { BUSY_ON_THE_WAY } else { BUSY };
        let Some(turn) = self.pace.turn(to.ip(), most, now) else {
            search.walk.gone(to);
            search.passed_over += 1;
            return false;
        };
        search.walk.asking(to, turn);
        self.ask((to, turn), What::Step(id), 0, None, now);
        true
    }

    /// However busy a node is: it has been asked before, and now it matters.
    pub(super) fn ask_to_store(
        &mut self,
        id: SearchId,
        (to, part): (SocketAddr, usize),
        token: &[u8],
        now: Instant,
    ) {
        let turn = self.pace.turn(to.ip(), Duration::MAX, now).unwrap_or(now);
        if let Some(search) = self.searches.get_mut(&id) {
            search.offered(to, part, turn);
        }
        self.ask((to, turn), What::Offer(id), part, Some(token), now);
    }

    /// Lets a search begin anew a little later, when those whom it could have asked had no turn for it; by then others may be known. Not where
    /// all are silent, or searches that want the same silent hosts would keep each other waiting for ever.
    pub(super) fn rest(&mut self, id: SearchId, now: Instant) -> bool {
        let Some(search) = self.searches.get_mut(&id) else { return false };
        if search.walk.answered > 0 || search.is_short || search.passed_over == 0 {
            return false;
        }
        let side = &self.sides[search.family.index()];
        let somebody_answers = side.table.all().any(|known| known.is_good(now));
        let is_first = search.asked() == 0 && self.calls.fresh() > 0;
        if !(somebody_answers || is_first) || now.saturating_duration_since(search.began()) >= LONGEST {
            return false;
        }
        let until = now + Duration::from_millis(self.chance.u64(REST_MS..2 * REST_MS));
        (search.wake, search.rests_until) = (Some(until), Some(until));
        true
    }

    /// Sends a question when its turn has come. The token goes along; `part` is which part of what is stored.
    pub(super) fn ask(
        &mut self,
        (to, at): (SocketAddr, Instant),
        what: What,
        part: usize,
        token: Option<&[u8]>,
        now: Instant,
    ) {
        if at <= now {
            self.send(to, what, part, token, now);
        } else {
            self.pace.hold(Held { at, number: 0, to, what, part, token: token.map(Into::into) });
        }
    }

    /// Sends those whose turn has come.
    pub(super) fn take_turns(&mut self, now: Instant) {
        while self.pace.next().is_some_and(|at| at <= now) {
            let Some(Reverse(Held { to, what, part, token, .. })) = self.pace.held.pop() else { return };
            self.send(to, what, part, token.as_deref(), now);
        }
    }

    /// Sends a question, unless what it belongs to has ended.
    fn send(&mut self, to: SocketAddr, what: What, part: usize, token: Option<&[u8]>, now: Instant) {
        let goal_of = |id: &SearchId| self.searches.get(id).map(|search| Arc::clone(&search.goal));
        let goal = match &what {
            What::Step(id) | What::Offer(id) => {
                let Some(goal) = goal_of(id) else { return };
                Some(goal)
            }
            What::Ping | What::Explore { .. } => None,
        };
        let question = match (&goal, what) {
            (Some(goal), What::Step(_)) => goal.question(),
            (Some(goal), What::Offer(_)) => goal.offer(part),
            (_, What::Explore { target, .. }) => Ask::FindNode(target),
            _ => Ask::Ping,
        };
        let transaction = self.calls.open(to, what, now);
        let at = Family::of(to).index();
        self.counts.asked[at] += 1;
        let side = &mut self.sides[at];
        side.reach.asking(to, now);
        let (id, read_only) = (side.id, !side.reach.serves());
        let both = self.settings.families == [true, true];
        let asking = krpc::Asking { transaction: &transaction, id: &id, read_only, both, token };
        let bytes = krpc::query(asking, &question);
        self.out.push_back(super::Transmit { to, bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dht::krpc::{Body, Message};
    use crate::dht::{Event, Goal, Id, Settings};

    fn door(host: u8) -> SocketAddr {
        SocketAddr::from(([11, host, 0, 1], 6881))
    }

    #[test]
    fn searches_that_want_the_same_silent_hosts_all_end() {
        let (start, mut asked, mut done) = (Instant::now(), 0, 0);
        let mut node = Node::new(Settings { wide: true, ..Settings::default() }, 1, start);
        node.start_from(&[door(1), door(2), door(3)]);
        for number in 0..60 {
            node.search(Goal::Peers(Id([number; 20])), Family::V4, start);
        }
        let mut now = start;
        while done < 60 {
            assert!(now < start + Duration::from_secs(60), "{done} of 60 have ended, {asked} questions");
            asked += std::iter::from_fn(|| node.transmit()).count();
            done += std::iter::from_fn(|| node.event()).filter(|it| matches!(it, Event::Done(..))).count();
            now = node.next_due().map_or(now, |due| due.max(now));
            node.due(now);
        }
        assert!(asked <= 200, "{asked}");
    }

    #[test]
    fn one_host_is_asked_at_its_pace_and_all_searches_end() {
        let (start, mut asked) = (Instant::now(), Vec::new());
        let mut node = Node::new(Settings { wide: true, ..Settings::default() }, 1, start);
        node.start_from(&[door(1)]);
        for number in 0..60 {
            node.search(Goal::Peers(Id([number; 20])), Family::V4, start);
        }
        let (mut now, mut done) = (start, 0);
        while done < 60 {
            assert!(now < start + Duration::from_secs(120), "{done} of 60 have ended");
            while let Some(sent) = node.transmit() {
                asked.push(now);
                // Everybody is at home, and knows nobody.
                let Ok(Message { transaction, body: Body::Query(_), .. }) = Message::read(&sent.bytes) else {
                    panic!("no question")
                };
                let answer = krpc::answer(transaction, &Id([9; 20]), None, &krpc::Answer::default());
                node.handle(sent.to, &answer, now);
            }
            done += std::iter::from_fn(|| node.event()).filter(|it| matches!(it, Event::Done(..))).count();
            now = node.next_due().map_or(now, |due| due.max(now));
            node.due(now);
        }
        let within = |first: &Instant| {
            asked.iter().filter(|at| (*first..*first + Duration::from_secs(10)).contains(at)).count()
        };
        assert!(asked.len() >= 60 && asked.iter().map(within).max() <= Some(40));
    }
}
