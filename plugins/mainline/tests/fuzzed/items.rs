use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bitboot_mainline::dht::krpc::{self, Ask, Asking, Body, Held, Message, Put};
use bitboot_mainline::dht::{Id, Mode, Node, Settings};
use sha1::{Digest, Sha1};

use super::people::{self, Signed};
use super::tape::Tape;

/// A server, and what it has to hold by BEP 44.
struct Bench<'a> {
    tape: Tape<'a>,
    node: Node,
    now: Instant,
    held: BTreeMap<Id, (Instant, Kept)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kept {
    Value(Vec<u8>),
    Signed(Signed),
}

const ASKER: ([u8; 4], u16) = ([127, 0, 0, 1], 6881);
const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);
/// No run does more.
const MOST: usize = 60;

/// A server refuses, replaces and tells items just as BEP 44 says.
pub(crate) fn item(bytes: &[u8]) {
    let now = Instant::now();
    let settings = Settings { mode: Mode::Server, ..Settings::default() };
    let node = Node::new(settings, 1, now);
    let mut bench = Bench { tape: Tape::new(bytes), node, now, held: BTreeMap::new() };
    for _ in 0..MOST {
        let Some(what) = bench.tape.next() else { break };
        match what % 4 {
            0 => bench.put_signed(),
            1 => bench.put_value(),
            2 => bench.get(),
            _ => bench.wait(),
        }
    }
}

impl Bench<'_> {
    fn put_signed(&mut self) {
        let salt = [&b""[..], b"salt", &[b's'; 64], &[b's'; 65]][self.tape.below(4)];
        let (key, seq) = (people::key(&mut self.tape), people::seq(&mut self.tape));
        let mut item = Signed::new(key, seq, salt, people::value(&mut self.tape));
        let cas = self.tape.flag().then(|| people::seq(&mut self.tape));
        let is_spoiled = self.tape.below(8) == 1;
        if is_spoiled {
            item.signature[self.tape.below(64)] ^= self.tape.byte().max(1);
        }
        let target = item.target();
        let expected = if item.value.len() > 1000 {
            Some(205)
        } else if salt.len() > 64 {
            Some(207)
        } else if is_spoiled {
            Some(206)
        } else {
            self.refusal(&target, &item, cas)
        };
        let put = Put {
            value: &item.value,
            signed: Some(item.held()),
            salt: &item.salt,
            cas,
            target: Some(target),
        };
        assert_eq!(self.put(&target, put), expected, "{item:?} with {cas:?} on {:?}", self.held.get(&target));
        if expected.is_none() {
            self.held.insert(target, (self.now, Kept::Signed(item)));
        }
    }

    /// Why an item may not take the place of what is there.
    fn refusal(&self, target: &Id, item: &Signed, cas: Option<i64>) -> Option<i64> {
        match self.there(target)? {
            Kept::Value(_) => Some(203),
            Kept::Signed(old) if cas.is_some_and(|cas| cas != old.seq) => Some(301),
            Kept::Signed(old) if item.seq < old.seq => Some(302),
            Kept::Signed(old) if item.seq == old.seq && item.value != old.value => Some(302),
            Kept::Signed(_) => None,
        }
    }

    fn put_value(&mut self) {
        let value = people::value(&mut self.tape);
        let target = Id(Sha1::digest(&value).into());
        let expected = (value.len() > 1000).then_some(205);
        let put = Put { value: &value, signed: None, salt: b"", cas: None, target: None };
        assert_eq!(self.put(&target, put), expected);
        if expected.is_none() {
            self.held.insert(target, (self.now, Kept::Value(value)));
        }
    }

    fn get(&mut self) {
        let keys: Vec<Id> = self.held.keys().copied().collect();
        let target = match keys.get(self.tape.below(keys.len() + 1)) {
            Some(target) => *target,
            None => people::target(&mut self.tape),
        };
        let seq = self.tape.flag().then(|| people::seq(&mut self.tape));
        let there = self.there(&target).cloned();
        let answer = self.ask(&Ask::Get { target, seq }, None);
        let told = Message::read(&answer).unwrap_or_else(|_| panic!("no message"));
        let Body::Reply(reply) = told.body else { panic!("{told:?}") };
        let told = reply.value.zip(Some(reply.signed));
        match &there {
            None => assert_eq!(told, None),
            Some(Kept::Value(value)) => assert_eq!(told, Some((&value[..], None))),
            Some(Kept::Signed(item)) if seq.is_some_and(|seq| item.seq <= seq) => assert_eq!(told, None),
            Some(Kept::Signed(item)) => {
                let Some((value, Some(Held { key, seq, signature }))) = told else { panic!("{reply:?}") };
                assert_eq!((value, key, seq), (&item.value[..], &item.key, item.seq));
                assert_eq!(signature, &item.signature);
            }
        }
    }

    fn wait(&mut self) {
        let unit = [1, 60, 600, 3600][self.tape.below(4)];
        self.now += Duration::from_secs(unit * u64::from(self.tape.byte() % 4));
        self.node.due(self.now);
        while self.node.transmit().is_some() {}
    }

    fn there(&self, target: &Id) -> Option<&Kept> {
        self.held.get(target).filter(|(put, _)| self.now - *put < LIFETIME).map(|(_, kept)| kept)
    }

    /// The code with which it is refused.
    fn put(&mut self, target: &Id, put: Put<'_>) -> Option<i64> {
        let answer = self.ask(&Ask::Get { target: *target, seq: None }, None);
        let Ok(Message { body: Body::Reply(reply), .. }) = Message::read(&answer) else { panic!("no token") };
        let answer = self.ask(&Ask::Put(put), reply.token);
        match Message::read(&answer).map(|message| message.body) {
            Ok(Body::Error(code, _)) => Some(code),
            Ok(Body::Reply(_)) => None,
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, ask: &Ask<'_>, token: Option<&[u8]>) -> Vec<u8> {
        let asking = Asking { transaction: b"t", id: &Id([3; 20]), read_only: true, both: false, token };
        self.node.handle(SocketAddr::from(ASKER), &krpc::query(asking, ask), self.now);
        let answer = self.node.transmit().map(|sent| sent.bytes);
        assert!(self.node.transmit().is_none(), "one answer to one question");
        answer.unwrap_or_else(|| panic!("no answer to {ask:?}"))
    }
}
