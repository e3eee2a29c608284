use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bitboot_mainline::dht::krpc::{self, Answer, Ask, Asking, Contact, Put};
use bitboot_mainline::dht::{Family, Goal, Id, Mode, Node, SearchId, Settings, Transmit};

use super::people::{self, Signed};
use super::tape::Tape;
use super::witness::{Arriving, Question, Witness};

/// A node among people who do as the tape says.
struct Play<'a> {
    tape: Tape<'a>,
    settings: Settings,
    node: Node,
    now: Instant,
    witness: Witness,
    searches: Vec<SearchId>,
    /// The last datagram, for those who send it again.
    last: Option<(SocketAddr, Vec<u8>)>,
    /// All that has come to the node, in bytes.
    came: usize,
    datagrams: usize,
}

/// No run does more.
const MOST: usize = 300;
/// Searches may take so long when nobody answers, and a second more for each question: the window may have room for one at a time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whatever comes in whatever order, a node sends nothing that it must not, ends what it begins, and holds no more than it was told. `held`
/// tells how much memory is in use.
pub(crate) fn core(bytes: &[u8], held: impl Fn() -> usize) {
    let mut play = Play::new(Tape::new(bytes));
    for _ in 0..MOST {
        let Some(what) = play.tape.next() else { break };
        play.act(what);
    }
    play.come_to_an_end();
    let (came, datagrams, searches) = (play.came, play.datagrams, play.searches.len());
    let Play { node, witness, .. } = play;
    let before = held();
    drop(node);
    let weight = before.saturating_sub(held());
    // A stranger's word alone never sets memory aside: it grows with what came, and with what its user has begun. An empty client's tables and
    // window take 64 KiB.
    let most = 96 * 1024 + 8 * came + 512 * datagrams + 96 * 1024 * searches;
    assert!(
        weight <= most,
        "{weight} bytes held after {datagrams} datagrams of {came} bytes, {searches} searches"
    );
    drop(witness);
}

impl<'a> Play<'a> {
    fn new(mut tape: Tape<'a>) -> Self {
        let (bits, now) = (tape.byte(), Instant::now());
        let mode = if bits & 2 == 0 { Mode::Server } else { Mode::Client };
        let settings = Settings {
            wide: bits & 1 == 0,
            mode,
            families: [true, bits & 4 == 0],
            window: [256, 1, 4, 32][usize::from(bits >> 3 & 3)],
            public: [(bits & 32 != 0).then(|| [20, 30, 40, 50].into()), None],
            secret: [7; 16],
            ..Settings::default()
        };
        let mut node = Node::new(settings.clone(), bits.into(), now);
        node.start_from(&[SAFE.into(), SocketAddr::from(([0x2a01, 0, 0, 0, 0, 0, 0, 1], 1))]);
        let witness = Witness::new(settings.wide, mode);
        let (searches, last, came, datagrams) = (Vec::new(), None, 0, 0);
        Self { tape, settings, node, now, witness, searches, last, came, datagrams }
    }

    fn act(&mut self, what: u8) {
        match what % 12 {
            0 => self.raw(),
            1..=3 => self.answer(),
            4 => self.refuse(),
            5 | 6 => self.ask(),
            7 => self.wait(),
            8 => self.search(),
            9 => self.cancel(),
            10 => self.again(),
            _ => self.live_on(),
        }
    }

    /// Any bytes from anybody.
    fn raw(&mut self) {
        let from = people::place(&mut self.tape);
        let length = usize::from(self.tape.wide() % 1500);
        let bytes = self.tape.take(length).to_vec();
        self.arrive(from, bytes);
    }

    /// An answer to one of its questions, nearly as an honest node gives it.
    fn answer(&mut self) {
        let Some(Question { to, transaction, target }) = self.question() else { return };
        let tape = &mut self.tape;
        let (bits, id) = (tape.byte(), people::id(tape, &target, to));
        let nodes = people::nodes(tape, &target, false);
        let nodes6 = if bits & 1 == 1 { people::nodes(tape, &target, true) } else { Vec::new() };
        let peers: Vec<SocketAddr> = (0..tape.below(6)).map(|_| people::place(tape)).collect();
        let token = vec![b't'; if bits & 2 == 0 { 4 } else { 8 * tape.below(256) }];
        let item = (bits & 4 == 4).then(|| Signed::draw(tape));
        let is_spoiled = bits & 0x18 == 0x18;
        let mut item = item;
        if let Some(item) = &mut item {
            if is_spoiled {
                item.signature[tape.below(64)] ^= tape.byte().max(1);
            } else {
                self.witness.signs(item.target(), item.seq, &item.value);
            }
        }
        let seen = Some(if bits & 32 == 32 { people::place(tape) } else { SAFE.into() });
        let answer = Answer {
            nodes: &nodes,
            nodes6: &nodes6,
            peers: &peers,
            token: &token,
            value: item.as_ref().map(|item| &item.value[..]),
            signed: item.as_ref().map(Signed::held),
            seq: None,
            more: bits & 64 == 64,
        };
        let bytes = krpc::answer(&transaction, &id, seen, &answer);
        let from = if bits & 128 == 128 && self.tape.flag() { people::place(&mut self.tape) } else { to };
        self.arrive_bent(from, bytes);
    }

    fn refuse(&mut self) {
        let Some(Question { to, transaction, .. }) = self.question() else { return };
        let refusal = |code| krpc::error(&transaction, code, "no");
        let Some(code) = [201, 203, 204, 301, 302, i64::MIN].get(self.tape.below(7)) else {
            // It has not even left this machine.
            self.node.unsent(&Transmit { to, bytes: refusal(0) }, self.now);
            return self.settle(None);
        };
        self.arrive_bent(to, refusal(*code));
    }

    /// One of the questions that wait for an answer.
    fn question(&mut self) -> Option<Question> {
        let last = self.witness.open.len().checked_sub(1)?;
        self.witness.open.get(last - self.tape.below(last + 1)).cloned()
    }

    /// A question, nearly as an honest node asks it.
    fn ask(&mut self) {
        let from = people::place(&mut self.tape);
        let tape = &mut self.tape;
        let (kind, bits, target) = (tape.byte(), tape.byte(), people::target(tape));
        let id = people::id(tape, &target, from);
        let item;
        let ask = match kind % 8 {
            0 => Ask::Ping,
            1 | 2 => Ask::FindNode(target),
            3 | 4 => Ask::GetPeers(target),
            5 => Ask::AnnouncePeer { hash: target, port: tape.wide(), implied: bits & 1 == 1 },
            6 => Ask::Get { target, seq: (bits & 1 == 1).then(|| people::seq(tape)) },
            _ => {
                item = Signed::draw(tape);
                self.witness.signs(item.target(), item.seq, &item.value);
                let target = (bits & 1 == 1).then_some(target);
                let cas = (bits & 2 == 2).then(|| people::seq(tape));
                Ask::Put(Put { value: &item.value, signed: Some(item.held()), salt: b"", cas, target })
            }
        };
        let made_up = self.tape.array::<8>();
        let token = match bits >> 2 & 3 {
            0 => self.witness.token(from.ip()).map(<[u8]>::to_vec),
            1 => Some(made_up.to_vec()),
            _ => None,
        };
        let transaction = &made_up[..usize::from(bits >> 4 & 7)];
        let (read_only, both) = (bits & 128 == 128, kind & 128 == 128);
        let asking = Asking { transaction, id: &id, read_only, both, token: token.as_deref() };
        self.arrive_bent(from, krpc::query(asking, &ask));
    }

    fn wait(&mut self) {
        let amount = u64::from(self.tape.byte());
        let time = match self.tape.below(6) {
            0 | 1 => Duration::from_millis(amount),
            2 => Duration::from_millis(10 * amount),
            3 => Duration::from_secs(amount),
            4 => Duration::from_secs(60 * amount),
            _ => self.node.next_due().map_or(Duration::ZERO, |due| due.saturating_duration_since(self.now)),
        };
        self.now += time;
        self.be_woken();
    }

    fn search(&mut self) {
        let tape = &mut self.tape;
        let (kind, target) = (tape.byte(), people::target(tape));
        let goal = match kind % 5 {
            0 => Goal::Nodes(target),
            1 => Goal::Peers(target),
            2 => Goal::Announce(target, (0..tape.below(4)).map(|_| tape.wide()).collect()),
            3 => Goal::Get(target),
            _ => {
                let item = Signed::draw_own(tape);
                self.witness.signs(item.target(), item.seq, &item.value);
                Goal::Put(Box::new(item.stored(tape.flag().then(|| people::seq(tape)))))
            }
        };
        let family = if kind & 128 == 0 { Family::V4 } else { Family::V6 };
        let search = self.node.search(goal.clone(), family, self.now);
        self.witness.begins(search, goal);
        self.searches.push(search);
        self.settle(None);
    }

    fn cancel(&mut self) {
        let chosen = self.tape.below(self.searches.len());
        let Some(search) = self.searches.get(chosen).copied() else { return };
        self.node.cancel(search, self.now);
        self.witness.running.remove(&search);
        self.settle(None);
    }

    /// The last datagram once more, maybe from somebody else.
    fn again(&mut self) {
        let Some((from, bytes)) = self.last.clone() else { return };
        let from = if self.tape.flag() { people::place(&mut self.tape) } else { from };
        self.arrive_bent(from, bytes);
    }

    /// The next start: what it keeps may be bent on the way. Or it is told of somebody.
    fn live_on(&mut self) {
        let at = people::place(&mut self.tape);
        let id = people::id(&mut self.tape, &Id([1; 20]), at);
        self.node.introduce(&[Contact { id, at }], self.now);
        if self.tape.below(4) == 1 {
            let kept = self.node.keep(self.now);
            let kept = self.tape.bend(kept);
            self.came += kept.len();
            self.node.remember(&kept);
        }
        self.datagrams += 1;
        self.settle(None);
    }

    fn arrive_bent(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        let bytes = self.tape.bend(bytes);
        self.arrive(from, bytes);
    }

    fn arrive(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        let arriving = Arriving { from, bytes: &bytes };
        self.witness.comes(arriving, self.now);
        self.node.handle(from, &bytes, self.now);
        self.came += bytes.len();
        self.datagrams += 1;
        self.settle(Some(arriving));
        self.last = Some((from, bytes));
    }

    /// Takes from the node what it has to send and to tell.
    fn settle(&mut self, cause: Option<Arriving<'_>>) {
        let sent: Vec<_> = std::iter::from_fn(|| self.node.transmit()).collect();
        self.witness.goes(&sent, cause, self.now);
        while let Some(event) = self.node.event() {
            self.witness.tells(&event);
        }
        let facts = self.node.facts(self.now);
        assert!(facts.answered <= facts.asked && facts.nodes <= 4000);
        assert!(facts.size.is_none_or(|size| size.is_finite() && size > 0.0));
    }

    /// Does what is due; then time has to pass before something is due again.
    fn be_woken(&mut self) {
        for _ in 0..1000 {
            self.node.due(self.now);
            self.witness.turns += 1;
            self.settle(None);
            if self.node.next_due().is_none_or(|due| due > self.now) {
                return;
            }
        }
        panic!("always something is due, and no time passes");
    }

    /// When nobody answers any more every search ends all the same.
    fn come_to_an_end(&mut self) {
        let (start, asked) = (self.now, self.node.facts(self.now).asked);
        while !self.witness.running.is_empty() {
            let due = self.node.next_due().unwrap_or_else(|| panic!("a search waits for nothing"));
            self.now = self.now.max(due);
            let asked = u32::try_from(self.node.facts(self.now).asked - asked).unwrap_or(u32::MAX);
            let end = start + PATIENCE + self.settings.patience * asked;
            assert!(self.now <= end, "no end of {:?}", self.witness.running);
            self.be_woken();
        }
    }
}

const SAFE: std::net::SocketAddrV4 = std::net::SocketAddrV4::new(std::net::Ipv4Addr::new(9, 9, 9, 9), 6881);
