//! Sees all that goes to a node and comes from it, and knows what must not. On purpose it shares no opinion with the node.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bitboot_mainline::dht::krpc::{self, Ask, Body, Message};
use bitboot_mainline::dht::{Event, Goal, Id, Mode, SearchId, Transmit};

pub(crate) struct Witness {
    wide: bool,
    mode: Mode,
    /// Questions that may be answered, the oldest first.
    pub(crate) open: VecDeque<Question>,
    asked: BTreeSet<(SocketAddr, Vec<u8>)>,
    tokens: BTreeSet<(IpAddr, Vec<u8>)>,
    proven: BTreeMap<SocketAddr, Instant>,
    pub(crate) running: BTreeMap<SearchId, Goal>,
    /// The items that somebody has signed.
    signed: BTreeSet<(Id, i64, Vec<u8>)>,
    /// How many questions it has sent besides pings, and for how many searches.
    questions: usize,
    searches: usize,
    /// How many pings it has sent, and how often it was asked to do what is due.
    pings: usize,
    pub(crate) turns: usize,
}

/// A question of the node's.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) to: SocketAddr,
    pub(crate) transaction: Vec<u8>,
    pub(crate) target: Id,
}

/// A datagram on its way to the node.
#[derive(Clone, Copy)]
pub(crate) struct Arriving<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: &'a [u8],
}

/// For so long a proof is good.
const PROOF: Duration = Duration::from_secs(10 * 60);
/// So many open questions are kept in mind.
const OPEN: usize = 64;
/// More questions no search sends: 160 nodes asked three times, and twenty and more told of three ports twice, all that twice.
const EACH: usize = 1500;

impl Witness {
    pub(crate) fn new(wide: bool, mode: Mode) -> Self {
        Self {
            wide,
            mode,
            open: VecDeque::new(),
            asked: BTreeSet::new(),
            tokens: BTreeSet::new(),
            proven: BTreeMap::new(),
            running: BTreeMap::new(),
            signed: BTreeSet::new(),
            questions: 0,
            searches: 0,
            pings: 0,
            turns: 0,
        }
    }

    pub(crate) fn begins(&mut self, search: SearchId, goal: Goal) {
        self.searches += 1;
        assert!(self.running.insert(search, goal).is_none(), "the same search twice");
    }

    pub(crate) fn signs(&mut self, target: Id, seq: i64, value: &[u8]) {
        self.signed.insert((target, seq, value.to_vec()));
    }

    /// A token that was given to somebody at this address.
    pub(crate) fn token(&self, ip: IpAddr) -> Option<&[u8]> {
        self.tokens.iter().rev().find(|(to, _)| *to == ip).map(|(_, token)| &token[..])
    }

    /// Before the node sees it.
    pub(crate) fn comes(&mut self, arriving: Arriving<'_>, now: Instant) {
        let from = arriving.from;
        let Ok(message) = Message::read(arriving.bytes) else { return };
        let proves = match &message.body {
            Body::Query(query) => {
                query.token.is_some_and(|token| self.tokens.contains(&(from.ip(), token.to_vec())))
            }
            _ => self.asked.contains(&(from, message.transaction.to_vec())),
        };
        if proves {
            self.proven.insert(from, now);
        }
    }

    /// What the node has sent, because of a datagram or of itself.
    pub(crate) fn goes(&mut self, sent: &[Transmit], cause: Option<Arriving<'_>>, now: Instant) {
        let mut answers = 0;
        for transmit in sent {
            let (to, bytes) = (transmit.to, &transmit.bytes);
            assert!(bytes.len() <= krpc::MAX_SENT, "{} bytes to {to}", bytes.len());
            assert!(!is_nobody(to) && (!self.wide || is_public(to)), "{to} is sent to");
            let message = Message::read(bytes).unwrap_or_else(|_| panic!("{}", bytes.escape_ascii()));
            if let Body::Query(query) = &message.body {
                let target = target(&query.ask);
                let transaction = message.transaction.to_vec();
                // Of 32 bits that nobody can guess, one may come back by chance when its question is long over.
                let is_open = |open: &Question| open.to == to && open.transaction == transaction;
                assert!(!self.open.iter().any(is_open), "a transaction id is used again");
                self.asked.insert((to, transaction.clone()));
                self.open.push_back(Question { to, transaction, target });
                self.open.drain(..self.open.len().saturating_sub(OPEN));
                let is_ping = query.ask == Ask::Ping;
                *(if is_ping { &mut self.pings } else { &mut self.questions }) += 1;
                continue;
            }
            answers += 1;
            let cause = cause.unwrap_or_else(|| panic!("{to} is answered and has not asked"));
            self.answers(&message, to, bytes, cause, now);
        }
        assert!(answers <= 1, "{answers} answers to one question");
        // What is due may be to look for itself, in each family.
        let searches = self.searches + if self.mode == Mode::Server { 2 * self.turns } else { 0 };
        assert!(self.questions <= searches * EACH, "{} questions for {searches} searches", self.questions);
        assert!(self.pings <= 12 * self.turns, "{} pings in {} turns", self.pings, self.turns);
    }

    fn answers(
        &mut self,
        message: &Message<'_>,
        to: SocketAddr,
        bytes: &[u8],
        cause: Arriving<'_>,
        now: Instant,
    ) {
        assert!(self.mode == Mode::Server, "a client answers");
        assert_eq!(to, cause.from, "somebody else is answered");
        let Ok(asked) = Message::read(cause.bytes) else { panic!("junk is answered") };
        assert!(matches!(asked.body, Body::Query(_)), "an answer is answered");
        assert_eq!(message.transaction, asked.transaction);
        let proven = self.proven.get(&to).is_some_and(|proven| now - *proven < PROOF);
        assert!(
            !self.wide || proven || bytes.len() <= cause.bytes.len(),
            "{to} has proven nothing, and gets {} bytes for {}: {}",
            bytes.len(),
            cause.bytes.len(),
            bytes.escape_ascii()
        );
        if let Body::Reply(reply) = &message.body
            && let Some(token) = reply.token
        {
            self.tokens.insert((to.ip(), token.to_vec()));
        }
    }

    pub(crate) fn tells(&mut self, event: &Event) {
        let (Event::Peers(search, _) | Event::Item(search, _) | Event::Done(search, _)) = event;
        let Some(goal) = self.running.get(search) else {
            let is_own = self.mode == Mode::Server && matches!(event, Event::Done(..));
            assert!(is_own, "{event:?} of no search");
            return;
        };
        match (event, goal) {
            (Event::Peers(_, peers), Goal::Peers(_)) => {
                assert!(!peers.is_empty() && peers.iter().all(|peer| peer.port() != 0));
            }
            (Event::Item(_, item), Goal::Get(target)) => {
                assert!(item.value.len() <= 1000);
                assert!(
                    self.signed.contains(&(*target, item.seq, item.value.clone())),
                    "a forgery: {item:?}"
                );
            }
            (Event::Done(_, outcome), _) => {
                assert!(outcome.answered <= outcome.asked.max(outcome.offered));
                assert!(outcome.stored <= outcome.offered);
                self.running.remove(search);
            }
            _ => panic!("{event:?} of {goal:?}"),
        }
    }
}

fn target(ask: &Ask<'_>) -> Id {
    match ask {
        Ask::FindNode(id) | Ask::GetPeers(id) | Ask::Get { target: id, .. } => *id,
        Ask::AnnouncePeer { hash, .. } => *hash,
        Ask::Put(put) => put.target.unwrap_or(Id([0; 20])),
        Ask::Ping | Ask::Other(_) => Id([0; 20]),
    }
}

/// Nobody's anywhere.
fn is_nobody(at: SocketAddr) -> bool {
    let ip = at.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    let is_mapped = matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
    at.port() == 0 || ip.is_unspecified() || ip.is_multicast() || is_broadcast || is_mapped
}

/// Somebody's on the internet.
pub(crate) fn is_public(at: SocketAddr) -> bool {
    let is_special = match at.ip() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_benchmark = a == 198 && (b == 18 || b == 19);
            let is_protocol = a == 192 && b == 0 && c == 0;
            let is_private = ip.is_private() || ip.is_loopback() || ip.is_link_local();
            a == 0
                || a >= 224
                || is_private
                || ip.is_documentation()
                || is_shared
                || is_benchmark
                || is_protocol
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            let is_told_of = (0x2000..0x4000).contains(&a);
            // Documents, Teredo, 6to4.
            !is_told_of || (a == 0x2001 && (b == 0xdb8 || b == 0)) || a == 0x2002
        }
    };
    !is_nobody(at) && !is_special
}
