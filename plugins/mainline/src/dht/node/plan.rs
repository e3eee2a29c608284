use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::address::subnet;
use super::walk::{Candidate, State, Walk};
use crate::dht::krpc::Contact;

/// What is to be done now.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be asked, the nearest first.
    pub(super) ask: Vec<SocketAddr>,
    /// When to look again.
    pub(super) wake: Option<Instant>,
    /// Nobody is waited for.
    pub(super) is_done: bool,
}

/// The moment, and what a search needs of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) now: Instant,
    /// After what time an answer is late of whom nothing is known.
    pub(super) usual: Duration,
    /// No answer need be expected before this time.
    pub(super) soon: Duration,
    pub(super) needs: Needs,
}

/// How much it matters who does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing was found yet: who is late may have it, and is asked once more before the search ends without them.
    All,
    /// Who is late is left behind.
    Timely,
    /// Others do as well: a few that are overtaken by those asked with them are neither waited for nor replaced.
    Most,
}

/// No search asks more than this.
const MOST_ASKED: usize = 160;
/// Who is less likely than this to be there is asked, but not waited for.
const UNLIKELY: f32 = 0.3;
/// How many nodes on the way are asked at once (the alpha of Kademlia).
const FAR_AT_ONCE: usize = 4;
/// On the internet so many of the nearest may be of one subnet.
const SUBNET: usize = 2;
/// So many standard deviations more answers are expected than are wanted.
const MARGIN: f32 = 0.5;

impl Walk {
    /// What to do at this moment.
    pub(super) fn plan(&self, look: Look) -> Plan {
        let mut plan = Plan::default();
        let mut step = Step::new(self, look);
        let mut subnets = Vec::new();
        for known in &self.candidates {
            let is_beyond = known.distance > self.edge;
            if is_beyond && step.expects_enough(self.want) {
                break;
            }
            if known.state == State::New {
                if is_beyond && step.has_enough() {
                    break;
                }
                if known.distance > self.near && step.in_the_air >= FAR_AT_ONCE {
                    // Nodes on the way will do one after another; all of the nearest matter.
                    step.waits = true;
                    break;
                }
            }
            let counts = !self.wide || (is_trusted(&known.contact) && first_of_subnet(&mut subnets, known));
            let who = Who { at: known.contact.at, odds: known.odds, late_after: known.late_after, counts };
            step.look(known.state, &who, &mut plan);
        }
        if !step.expects_enough(self.want) && !step.has_enough() {
            for (at, state) in &self.hosts {
                if !self.candidates.iter().any(|known| known.contact.at == *at) {
                    let who = Who { at: *at, odds: 0.5, late_after: None, counts: true };
                    step.look(*state, &who, &mut plan);
                }
            }
        }
        plan.is_done = !step.waits && (!step.waits_for_overtaken || step.has_enough());
        plan
    }
}

/// One look at all candidates.
struct Step<'a> {
    walk: &'a Walk,
    look: Look,
    room: usize,
    /// Questions on their way, and those that are to be asked with them.
    in_the_air: usize,
    answered: usize,
    /// How many answers may be expected, and the variance of that.
    expected: f32,
    variance: f32,
    waits: bool,
    waits_for_overtaken: bool,
}

/// Who is looked at.
struct Who {
    at: SocketAddr,
    odds: f32,
    late_after: Option<Duration>,
    /// As one of the nearest.
    counts: bool,
}

impl<'a> Step<'a> {
    fn new(walk: &'a Walk, look: Look) -> Self {
        let room = MOST_ASKED.saturating_sub(walk.asked());
        let (in_the_air, answered, expected, variance) = (0, 0, 0.0, 0.0);
        let (waits, waits_for_overtaken) = (false, false);
        Self { walk, look, room, in_the_air, answered, expected, variance, waits, waits_for_overtaken }
    }

    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn expects_enough(&self, want: usize) -> bool {
        self.expected - MARGIN * self.variance.sqrt() >= want as f32 - 0.5
    }

    /// Most of the nearest have answered, where that is enough.
    fn has_enough(&self) -> bool {
        let want = self.walk.want;
        self.look.needs == Needs::Most && self.answered >= want - want / 8
    }

    /// Whether somebody is to be asked or waited for, and what they are worth.
    fn look(&mut self, state: State, who: &Who, plan: &mut Plan) {
        // Where few have answered, the others are late together: the way is slow just now, and they are there.
        let is_thorough = self.look.needs == Needs::All || self.walk.answered * 2 < self.walk.want;
        // While nobody has answered, there is nobody whom it would do without.
        let may_wait = self.walk.answered == 0 || who.counts && (who.odds >= UNLIKELY || is_thorough);
        match state {
            State::Answered => {
                self.answered += usize::from(who.counts);
                self.expect(1.0, who);
            }
            State::New if self.room > 0 => {
                self.ask(who, plan);
                self.in_the_air += 1;
                self.waits |= may_wait;
                self.expect(who.odds, who);
            }
            State::Asked { at: since, tries } => {
                let late = since + self.late_after(who) * u32::from(tries);
                if self.look.now < late {
                    self.in_the_air += 1;
                    wake(plan, late);
                    self.expect(who.odds, who);
                    if may_wait && (tries == 1 || is_thorough) {
                        self.wait(since, plan);
                    }
                    return;
                }
                let most_tries = if is_thorough { 3 } else { 2 };
                if tries < most_tries && self.room > 0 && who.odds >= UNLIKELY && !self.has_enough() {
                    self.ask(who, plan);
                    self.waits |= may_wait && is_thorough;
                } else if self.walk.answered == 0 {
                    // Nobody has answered at all: rather this machine is slow than all of them gone. Until the question is given up one may.
                    self.waits = true;
                }
            }
            State::New | State::Gone => {}
        }
    }

    fn ask(&mut self, who: &Who, plan: &mut Plan) {
        self.room -= 1;
        plan.ask.push(who.at);
        wake(plan, self.look.now + self.late_after(who));
    }

    fn expect(&mut self, odds: f32, who: &Who) {
        if who.counts {
            self.expected += odds;
            self.variance += odds * (1.0 - odds);
        }
    }

    fn wait(&mut self, since: Instant, plan: &mut Plan) {
        let soon = since + self.look.soon;
        if self.look.needs != Needs::Most || !self.walk.is_overtaken(since) {
            self.waits = true;
        } else if self.look.now < soon {
            self.waits = true;
            wake(plan, soon);
        } else {
            self.waits_for_overtaken = true;
        }
    }

    fn late_after(&self, who: &Who) -> Duration {
        who.late_after.unwrap_or(self.look.usual)
    }
}

fn wake(plan: &mut Plan, at: Instant) {
    plan.wake = Some(plan.wake.map_or(at, |wake| wake.min(at)));
}

/// On the internet an id that does not follow from its address (BEP 42) can be chosen, so many can lie where somebody wants them.
fn is_trusted(contact: &Contact) -> bool {
    contact.id.is_secure(contact.at.ip())
}

fn first_of_subnet(subnets: &mut Vec<u64>, known: &Candidate) -> bool {
    let subnet = subnet(known.contact.at.ip());
    let is_first = subnets.iter().filter(|other| **other == subnet).count() < SUBNET;
    if known.state != State::Gone {
        subnets.push(subnet);
    }
    is_first
}
