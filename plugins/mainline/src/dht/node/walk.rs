use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::dht::krpc::Contact;
use crate::dht::{Distance, Id};

/// The way of one search towards its target: who is asked next, and when it has come to its end.
///
/// It keeps as many questions in the air as lets it expect `want` answers of the nodes nearest to the target: each counts as likely as
/// such nodes have answered lately, and somebody who is late not at all, so that the next one is asked in its place. It ends when the
/// nearest have answered; who is late is not waited for, and when something was found also who is overtaken is not (see [`Needs`]).
///
/// [`Needs`]: super::plan::Needs
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) target: Id,
    pub(super) want: usize,
    /// The nearest ones lie within this distance, as far as the size of the DHT tells; nearer crowds do not end the search.
    pub(super) edge: Distance,
    /// What lies farther than this is on the way.
    pub(super) near: Distance,
    pub(super) wide: bool,
    /// The nearest first.
    pub(super) candidates: Vec<Candidate>,
    /// Where to start from when nobody else is known.
    pub(super) hosts: Vec<(SocketAddr, State)>,
    asked: usize,
    pub(super) answered: usize,
    /// When those three were asked that were asked last of all who have answered; the last one first.
    latest_answered: [Option<Instant>; 3],
}

/// A node that may be asked.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) distance: Distance,
    pub(super) contact: Contact,
    pub(super) odds: f32,
    pub(super) state: State,
    /// How long its answers take, where that is known.
    pub(super) late_after: Option<Duration>,
    /// What storing at it needs.
    pub(super) token: Option<Box<[u8]>>,
    /// It has been offered what is to be stored.
    pub(super) offered: bool,
    /// It was asked once more, with its own token as a proof.
    proving: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    New,
    Asked { at: Instant, tries: u8 },
    Answered,
    Gone,
}

/// No more nodes are kept in mind.
const MOST_KNOWN: usize = 160;

impl Walk {
    pub(super) fn new(target: Id, want: usize, (edge, near): (Distance, Distance), wide: bool) -> Self {
        let (candidates, hosts, latest_answered) = (Vec::new(), Vec::new(), [None; 3]);
        Self { target, want, edge, near, wide, candidates, hosts, asked: 0, answered: 0, latest_answered }
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

    /// Notes an answer to a question of that time. An id that is not the expected one is believed: nodes that were started again have
    /// a new one.
    pub(super) fn answered(&mut self, from: Contact, token: Option<&[u8]>, asked_at: Instant) {
        self.answered += 1;
        if let Some(at) = self.latest_answered.iter().position(|other| *other < Some(asked_at)) {
            self.latest_answered[at..].rotate_right(1);
            self.latest_answered[at] = Some(asked_at);
        }
        if let Some(host) = self.hosts.iter_mut().find(|(at, _)| *at == from.at) {
            host.1 = State::Answered;
        }
        self.candidates.retain(|known| known.contact.at != from.at || known.contact.id == from.id);
        let place = self.candidates.iter().position(|known| known.contact == from);
        let place = place.unwrap_or_else(|| self.insert(from, 1.0, None, State::Answered));
        let known = &mut self.candidates[place];
        (known.state, known.odds) = (State::Answered, 1.0);
        known.token = token.map(Into::into).or(known.token.take());
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

    /// Whether a node is none of the nearest, as far as one can tell, but leads there.
    pub(super) fn is_on_the_way(&self, at: SocketAddr) -> bool {
        let known = self.candidates.iter().find(|known| known.contact.at == at);
        known.is_none_or(|known| known.distance > self.near)
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

    /// Whether somebody is one of the nearest, whoever else may answer. While fewer are known nobody is: those who are asked first only lead
    /// there.
    pub(super) fn is_surely_among(&self, nearest: usize, contact: Contact) -> bool {
        let is_here = |known: &&Candidate| match known.state {
            State::Gone => false,
            State::Asked { at, .. } => !self.is_overtaken(at),
            State::New | State::Answered => true,
        };
        let nearer = self.candidates.iter().take_while(|known| known.contact != contact);
        self.candidates.len() > nearest && nearer.filter(is_here).count() < nearest
    }

    /// Whether three that were not asked earlier have answered.
    pub(super) fn is_overtaken(&self, asked_at: Instant) -> bool {
        self.latest_answered[2].is_some_and(|third| asked_at <= third)
    }

    /// The distance of the nth nearest that has answered.
    pub(super) fn reach(&self, nth: usize) -> Option<Distance> {
        let mut answered = self.candidates.iter().filter(|known| known.state == State::Answered);
        answered.nth(nth.checked_sub(1)?).map(|known| known.distance)
    }
}
