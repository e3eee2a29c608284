use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::address::subnet;
use crate::dht::krpc::Contact;
use crate::dht::{Distance, Id};

/// The way of one search towards its target: who is asked next, and when it has come to its end.
///
/// It keeps as many questions in the air as lets it expect `want` answers of the nodes nearest to the target: somebody who has answered
/// before counts nearly as an answer, somebody who was told of counts less, and somebody who is late not at all, so that the next one
/// is asked in its place. It ends when the nearest have answered; who is late is not waited for.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) target: Id,
    want: usize,
    /// The nearest ones lie within this distance, as far as the size of the DHT tells; nearer crowds do not end the search.
    edge: Distance,
    /// What lies farther than this is on the way.
    near: Distance,
    wide: bool,
    /// The nearest first.
    candidates: Vec<Candidate>,
    /// Where to start from when nobody else is known.
    hosts: Vec<(SocketAddr, State)>,
    asked: usize,
    pub(super) answered: usize,
}

/// A node that may be asked.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    distance: Distance,
    pub(super) contact: Contact,
    odds: f32,
    state: State,
    /// How long its answers take, where that is known.
    late_after: Option<Duration>,
    /// What storing at it needs.
    pub(super) token: Option<Box<[u8]>>,
    /// It has been offered what is to be stored.
    pub(super) offered: bool,
    /// It was asked once more, with its own token as a proof.
    proving: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    New,
    Asked { at: Instant, tries: u8 },
    Answered,
    Gone,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be asked, the nearest first.
    pub(super) ask: Vec<SocketAddr>,
    /// When to look again.
    pub(super) wake: Option<Instant>,
    /// Nobody else is waited for.
    pub(super) is_done: bool,
}

/// No search asks more than this.
const MOST_ASKED: usize = 160;
/// No more nodes are kept in mind.
const MOST_KNOWN: usize = 160;
/// Who is less likely than this to be there is asked, but not waited for.
const UNLIKELY: f32 = 0.3;
/// How many nodes on the way are asked at once (the alpha of Kademlia).
const FAR_AT_ONCE: usize = 4;
/// On the internet so many of the nearest may be of one subnet.
const SUBNET: usize = 2;

impl Walk {
    pub(super) fn new(target: Id, want: usize, (edge, near): (Distance, Distance), wide: bool) -> Self {
        let (candidates, hosts) = (Vec::new(), Vec::new());
        Self { target, want, edge, near, wide, candidates, hosts, asked: 0, answered: 0 }
    }

    pub(super) fn start_from(&mut self, hosts: &[SocketAddr]) {
        self.hosts = hosts.iter().map(|at| (*at, State::New)).collect();
    }

    /// Takes a node that may be asked; how likely it is to be there, and when its answer would be late, where that is known.
    pub(super) fn offer(&mut self, contact: Contact, odds: f32, late_after: Option<Duration>) {
        let distance = contact.id.distance(&self.target);
        let is_far = self.candidates.len() >= MOST_KNOWN
            && self.candidates.last().is_some_and(|last| last.distance <= distance);
        let same = |known: &Candidate| known.contact.at == contact.at || known.contact.id == contact.id;
        if is_far || self.candidates.iter().any(same) {
            return;
        }
        self.insert(contact, odds, late_after, State::New);
    }

    /// Takes a node that need not be asked, with the token that it gave a while ago.
    pub(super) fn remember(&mut self, contact: Contact, token: &[u8]) {
        let at = self.insert(contact, 1.0, None, State::Answered);
        self.candidates[at].token = Some(token.into());
    }

    fn insert(&mut self, contact: Contact, odds: f32, late_after: Option<Duration>, state: State) -> usize {
        let distance = contact.id.distance(&self.target);
        let at = self.candidates.partition_point(|known| known.distance < distance);
        let (token, offered, proving) = (None, false, false);
        let new = Candidate { distance, contact, odds, state, late_after, token, offered, proving };
        self.candidates.insert(at, new);
        self.candidates.truncate(MOST_KNOWN);
        at.min(self.candidates.len() - 1)
    }

    /// Notes an answer; who answered, by its place. An id that is not the expected one is believed: nodes that were started again have
    /// a new one.
    pub(super) fn answered(&mut self, from: Contact, token: Option<&[u8]>) -> usize {
        self.answered += 1;
        if let Some(host) = self.hosts.iter_mut().find(|(at, _)| *at == from.at) {
            host.1 = State::Answered;
        }
        self.candidates.retain(|known| known.contact.at != from.at || known.contact.id == from.id);
        let place = self.candidates.iter().position(|known| known.contact == from);
        let place = place.unwrap_or_else(|| self.insert(from, 1.0, None, State::Answered));
        let known = &mut self.candidates[place];
        (known.state, known.odds) = (State::Answered, 1.0);
        known.token = token.map(Into::into).or(known.token.take());
        place
    }

    /// Notes that a node has more to say to who sends its token along; the token, if it is to be asked so.
    pub(super) fn prove(&mut self, at: SocketAddr, now: Instant) -> Option<Box<[u8]>> {
        let known = self.candidates.iter_mut().find(|known| known.contact.at == at && !known.proving)?;
        let token = known.token.clone()?;
        (known.proving, known.state) = (true, State::Asked { at: now, tries: 1 });
        self.asked += 1;
        Some(token)
    }

    /// Notes that a node does not answer.
    pub(super) fn gone(&mut self, at: SocketAddr) {
        for known in self.candidates.iter_mut().filter(|known| known.contact.at == at) {
            if known.state != State::Answered {
                // Who has answered once is there, whatever became of the proof.
                known.state = if known.proving { State::Answered } else { State::Gone };
            }
        }
        for (_, state) in
            self.hosts.iter_mut().filter(|(host, state)| *host == at && *state != State::Answered)
        {
            *state = State::Gone;
        }
    }

    /// Notes that a node is being asked.
    pub(super) fn asking(&mut self, at: SocketAddr, now: Instant) {
        self.asked += 1;
        let states = self.candidates.iter_mut().map(|known| (known.contact.at, &mut known.state));
        for (other, state) in states.chain(self.hosts.iter_mut().map(|(other, state)| (*other, state))) {
            if other == at {
                let tries = if let State::Asked { tries, .. } = state { *tries + 1 } else { 1 };
                *state = State::Asked { at: now, tries };
            }
        }
    }

    /// Goes on until so many have answered; whether that is more than before.
    pub(super) fn widen(&mut self, want: usize) -> bool {
        std::mem::replace(&mut self.want, want) < want
    }

    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// The nearest that have answered, the nearest first.
    pub(super) fn nearest(&mut self, most: usize) -> impl Iterator<Item = &mut Candidate> {
        self.candidates.iter_mut().filter(|known| known.state == State::Answered).take(most)
    }

    /// Where something is stored: at the nearest that have answered, and at all within the distance in which some of the nearest are
    /// expected, so that a crowd that sits nearer does not have it alone.
    pub(super) fn places(&self, nearest: usize) -> Vec<(SocketAddr, Box<[u8]>)> {
        let answered = self.candidates.iter().filter(|known| known.state == State::Answered).enumerate();
        let chosen = answered.filter(|(rank, known)| *rank < nearest || known.distance <= self.edge);
        let open = chosen.filter(|(_, known)| !known.offered);
        open.filter_map(|(_, known)| Some((known.contact.at, known.token.clone()?))).collect()
    }

    /// The place of a candidate among those that are not known to be gone.
    pub(super) fn rank(&self, place: usize) -> usize {
        self.candidates[..place].iter().filter(|known| known.state != State::Gone).count()
    }

    /// The distance of the nth nearest that has answered.
    pub(super) fn reach(&self, nth: usize) -> Option<Distance> {
        let mut answered = self.candidates.iter().filter(|known| known.state == State::Answered);
        answered.nth(nth.checked_sub(1)?).map(|known| known.distance)
    }

    /// What to do at this moment; `usual` is after what time an answer is late of whom nothing is known. With `thorough`, who is late is
    /// asked once more before the search ends without them.
    pub(super) fn plan(&mut self, now: Instant, usual: Duration, thorough: bool) -> Plan {
        let mut plan = Plan::default();
        let room = MOST_ASKED.saturating_sub(self.asked);
        let mut step = Step { now, usual, thorough, room, waits: false, in_the_air: 0 };
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let enough = self.want as f32 - 0.25;
        let (mut expected, mut subnets) = (0.0, Vec::new());
        for known in &self.candidates {
            if expected >= enough && known.distance > self.edge {
                break;
            }
            let counts = !self.wide || (is_trusted(&known.contact) && first_of_subnet(&mut subnets, known));
            if known.state == State::New && known.distance > self.near && step.in_the_air >= FAR_AT_ONCE {
                // Nodes on the way will do one after another; all of the nearest matter.
                step.waits = true;
                break;
            }
            let odds =
                step.look(known.state, (known.contact.at, known.odds, known.late_after, counts), &mut plan);
            expected += if counts { odds } else { 0.0 };
        }
        if expected < enough {
            for (at, state) in &self.hosts {
                if !self.candidates.iter().any(|known| known.contact.at == *at) {
                    step.look(*state, (*at, 0.5, None, true), &mut plan);
                }
            }
        }
        plan.is_done = !step.waits;
        plan
    }
}

/// One look at all candidates.
struct Step {
    /// Questions on their way, those that are to be asked with them.
    in_the_air: usize,
    now: Instant,
    usual: Duration,
    thorough: bool,
    room: usize,
    waits: bool,
}

impl Step {
    /// What somebody is worth, and whether they are to be asked or waited for.
    fn look(
        &mut self,
        state: State,
        (at, odds, late_after, counts): (SocketAddr, f32, Option<Duration>, bool),
        plan: &mut Plan,
    ) -> f32 {
        let may_wait = counts && (odds >= UNLIKELY || self.thorough);
        match state {
            State::Answered => 1.0,
            State::Gone => 0.0,
            State::New if self.room == 0 => 0.0,
            State::New => {
                self.room -= 1;
                self.in_the_air += 1;
                plan.ask.push(at);
                self.waits |= may_wait;
                odds
            }
            State::Asked { at: since, tries } => {
                let late = since + late_after.unwrap_or(self.usual) * u32::from(tries);
                let waits = may_wait && (tries == 1 || self.thorough);
                let most_tries = if self.thorough { 3 } else { 2 };
                if self.now < late {
                    self.waits |= waits;
                    self.in_the_air += 1;
                    plan.wake = Some(plan.wake.map_or(late, |wake| wake.min(late)));
                    return odds;
                }
                if tries < most_tries && self.room > 0 && odds >= UNLIKELY {
                    self.room -= 1;
                    plan.ask.push(at);
                    self.waits |= may_wait && self.thorough;
                }
                0.0
            }
        }
    }
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
