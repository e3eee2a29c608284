use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::api::{Family, Mode, Settings, Transmit};
use super::{Node, address};
use crate::dht::Id;
use crate::dht::krpc::{self, Answer, Ask, Contact, Message, Query, codes, push_contact};
use crate::dht::store::{Item, Items, Limits, Peers, Proven, Rate, Tokens};

/// What a node keeps for others.
pub(super) struct Server {
    pub(super) tokens: Tokens,
    pub(super) peers: Peers,
    pub(super) items: Items,
    pub(super) limits: Limits,
    pub(super) proven: Proven,
}

/// How many nodes an answer tells of (BEP 5).
const NODES: usize = 8;
/// How many peers fit beside them into a datagram that no path cuts.
const PEERS: [usize; 2] = [60, 30];
/// What each source may ask, and all of them.
const EACH: Rate = Rate { per_second: 40, burst: 200 };
const ALL: Rate = Rate { per_second: 5000, burst: 10_000 };

impl Server {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        // A lab's sources are all of one machine, and none of them can be somebody else.
        let all = if settings.wide { ALL } else { Rate { per_second: u32::MAX, burst: u32::MAX } };
        Self {
            tokens: Tokens::new(settings.derived(b"tokens"), now),
            peers: Peers::new(4000, 500),
            items: Items::new(2000),
            limits: Limits::new(EACH, all),
            proven: Proven::new(),
        }
    }
}

impl Node {
    /// Answers a question, unless the node is a client or is asked too often.
    pub(super) fn serve(
        &mut self,
        from: SocketAddr,
        message: &Message<'_>,
        query: &Query<'_>,
        size: usize,
        now: Instant,
    ) {
        let wide = self.settings.wide;
        if !address::is_usable(from, wide) {
            return;
        }
        self.counts.reached |= !self.server.proven.has(from, now);
        if self.settings.mode == Mode::Client || !self.server.limits.allow(from.ip(), now) {
            return;
        }
        self.server.tokens.turn(now, &mut self.chance);
        if query.token.is_some_and(|token| self.server.tokens.accepts(from.ip(), token)) {
            self.server.proven.note(from, now);
        }
        let is_proven = !wide || self.server.proven.has(from, now);
        if is_proven && !query.read_only {
            self.sides[Family::of(from).index()].table.told(Contact { id: query.id, at: from });
        }
        let most = if is_proven { krpc::MAX_SENT } else { size };
        let told = match self.respond(from, message.transaction, query, most, now) {
            Ok(told) => told,
            Err((code, text)) => krpc::error(message.transaction, code, text),
        };
        if told.len() <= most {
            self.out.push_back(Transmit { to: from, bytes: told });
        }
    }

    fn respond(
        &mut self,
        from: SocketAddr,
        transaction: &[u8],
        query: &Query<'_>,
        most: usize,
        now: Instant,
    ) -> Result<Vec<u8>, (i64, &'static str)> {
        let token = self.server.tokens.give(from.ip());
        let has_token = query.token.is_some_and(|token| self.server.tokens.accepts(from.ip(), token));
        // With the token a stranger can prove to be where the question says; who does is told more, and remembered.
        let bare = Answer { more: most < krpc::MAX_SENT && !query.read_only, ..Answer::default() };
        match &query.ask {
            Ask::Ping => {
                let told = self.answer(from, transaction, &bare);
                Ok(if told.len() <= most { told } else { self.brief(from, transaction, &bare) })
            }
            Ask::FindNode(target) | Ask::Other(Some(target)) => {
                let bare = Answer { token: if most < krpc::MAX_SENT { &token } else { b"" }, ..bare };
                Ok(self.answer_with_nodes(from, transaction, (*target, query.want), &bare, &[], most))
            }
            Ask::GetPeers(hash) => {
                let v6 = from.is_ipv6();
                let most_peers = PEERS[usize::from(v6)];
                let peers = self.server.peers.get(*hash, v6, most_peers, &mut self.chance, now);
                let answer = Answer { token: &token, ..bare };
                Ok(self.answer_with_nodes(from, transaction, (*hash, query.want), &answer, &peers, most))
            }
            Ask::AnnouncePeer { hash, port, implied } => {
                let port = if *implied { from.port() } else { *port };
                if !has_token {
                    return Err((codes::PROTOCOL, "bad token"));
                }
                if port == 0 {
                    return Err((codes::PROTOCOL, "port 0"));
                }
                self.server.peers.put(*hash, SocketAddr::new(from.ip(), port), now);
                Ok(self.answer(from, transaction, &bare))
            }
            Ask::Get { target, seq } => {
                let item = self.server.items.get(target, now).cloned();
                let signed = item.as_ref().and_then(Item::held);
                let is_known = signed.is_some_and(|held| seq.is_some_and(|seq| held.seq <= seq));
                let value = item.as_ref().map(|item| &*item.value).filter(|_| !is_known);
                let number = signed.filter(|_| is_known).map(|held| held.seq);
                let signed = signed.filter(|_| !is_known);
                let answer = Answer { token: &token, value, signed, seq: number, ..bare };
                Ok(self.answer_with_nodes(from, transaction, (*target, query.want), &answer, &[], most))
            }
            Ask::Put(put) => {
                if !has_token {
                    return Err((codes::PROTOCOL, "bad token"));
                }
                self.server.items.put(put, now)?;
                Ok(self.answer(from, transaction, &bare))
            }
            Ask::Other(None) => Err((codes::METHOD, "unknown method")),
        }
    }

    fn answer(&self, from: SocketAddr, transaction: &[u8], answer: &Answer<'_>) -> Vec<u8> {
        krpc::answer(transaction, &self.sides[Family::of(from).index()].id, Some(from), answer)
    }

    /// No longer than any question of its kind.
    fn brief(&self, from: SocketAddr, transaction: &[u8], answer: &Answer<'_>) -> Vec<u8> {
        krpc::answer(transaction, &self.sides[Family::of(from).index()].id, None, answer)
    }

    /// An answer with the nearest nodes, and as much of it as may be sent.
    fn answer_with_nodes(
        &self,
        from: SocketAddr,
        transaction: &[u8],
        (target, want): (Id, [bool; 2]),
        answer: &Answer<'_>,
        peers: &[SocketAddr],
        most: usize,
    ) -> Vec<u8> {
        let want = if want == [false, false] { [from.is_ipv4(), from.is_ipv6()] } else { want };
        let nodes =
            |side: usize| if want[side] { self.nearest(side, &target, from.ip()) } else { Vec::new() };
        let (v4, v6) = (nodes(0), nodes(1));
        let tell = |nodes: usize, peers: &[SocketAddr], answer: &Answer<'_>| {
            let answer = Answer {
                nodes: &v4[..v4.len().min(nodes * 26)],
                nodes6: &v6[..v6.len().min(nodes * 38)],
                peers,
                ..*answer
            };
            self.answer(from, transaction, &answer)
        };
        let whole = tell(NODES, peers, answer);
        if whole.len() <= most {
            return whole;
        }
        // The nodes matter less than what is searched for.
        if !peers.is_empty() || answer.value.is_some() {
            let answer = Answer { more: most < krpc::MAX_SENT, ..*answer };
            let told = [4, 2, 0].into_iter().map(|nodes| tell(nodes, peers, &answer));
            if let Some(told) = told.into_iter().find(|told| told.len() <= most) {
                return told;
            }
        }
        // And that matters less than the token with which the asker proves to be where the question says.
        let less = Answer { more: true, value: None, signed: None, ..*answer };
        for (nodes, some) in [(NODES, 16), (4, 8), (2, 3), (1, 3), (1, 1), (0, 1), (1, 0)] {
            let told = tell(nodes, &peers[..peers.len().min(some)], &less);
            if told.len() <= most {
                return told;
            }
        }
        let told = tell(0, &[], &less);
        if told.len() <= most { told } else { self.brief(from, transaction, &less) }
    }

    fn nearest(&self, side: usize, target: &Id, asker: IpAddr) -> Vec<u8> {
        let table = &self.sides[side].table;
        let mut bytes = Vec::with_capacity(NODES * 26);
        let fits = |known: &super::table::Known| {
            known.is_reliable() && (asker.is_loopback() || known.contact.at.ip() != asker)
        };
        for known in table.nearest(target, NODES, fits) {
            push_contact(&mut bytes, &known.contact);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dht::krpc::{Asking, Body, Contacts, contacts};

    #[test]
    fn an_answer_that_is_cut_keeps_the_token_with_which_the_rest_can_be_had() {
        let (now, mut chance) = (Instant::now(), fastrand::Rng::with_seed(1));
        let settings = Settings { wide: true, mode: Mode::Server, ..Settings::default() };
        let mut node = Node::new(settings, 2, now);
        let known: Vec<_> = (1..=8_u8)
            .map(|host| Contact { id: Id::random(&mut chance), at: SocketAddr::from(([11, host, 0, 1], 1)) })
            .collect();
        node.introduce(&known, now);
        let from = SocketAddr::from(([12, 0, 0, 1], 1));
        let mut asked = |ask: &Ask<'_>, token: Option<&[u8]>| {
            let asking =
                Asking { transaction: b"ab", id: &known[0].id, read_only: false, both: false, token };
            let question = krpc::query(asking, ask);
            node.handle(from, &question, now);
            (question.len(), node.transmit().unwrap().bytes)
        };
        let (cut, whole) = (Id([1; 20]), Id([2; 20]));
        let (asked_with, told) = asked(&Ask::FindNode(cut), None);
        assert!(told.len() <= asked_with);
        let Ok(Message { body: Body::Reply(reply), .. }) = Message::read(&told) else { panic!("no answer") };
        assert!(reply.more && contacts(reply.nodes, Contacts::V4).count() < 8);
        let (_, told) = asked(&Ask::FindNode(whole), Some(reply.token.unwrap()));
        let Ok(Message { body: Body::Reply(reply), .. }) = Message::read(&told) else { panic!("no answer") };
        assert_eq!((reply.more, contacts(reply.nodes, Contacts::V4).count()), (false, 8));
    }
}
