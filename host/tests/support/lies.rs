//! Nodes that fail or lie, as every chain's backend has to survive them.

use std::time::{Duration, Instant};

use bitboot_rpc::testing::{Proxy, Reply, free_port};

use super::{Ran, Spender};

/// What is made of a node's answer.
pub type Lie = fn(Vec<u8>) -> Reply;

/// Each with what the user is told; what stands for `NODE` is how the plugin calls its nodes.
const LIES: [(Lie, &str); 7] = [
    (|_| Reply::Close, "no node answers at"),
    (|_| Reply::Silence(Duration::from_secs(2)), "did not answer in time"),
    (|_| Reply::Endless, "the node at"),
    (|body| Reply::Cut(body[..body.len() / 2].to_vec()), "node"),
    (|body| Reply::Body(body[..body.len() / 2].to_vec()), "its answer was cut"),
    (|_| Reply::Body(b"<html>".to_vec()), "is not NODE"),
    (|_| Reply::Status(429, Vec::new()), "it has too much to do"),
];
/// Those of nodes that speak JSON-RPC.
pub const RPC_LIES: [(Lie, &str); 2] = [
    (|_| Reply::Body(br#"{"id":0,"result":{"a":[[[]]]}}"#.to_vec()), "not what was asked for"),
    (|_| Reply::Body(br#"{"id":7,"result":1}"#.to_vec()), "is not NODE"),
];
/// Of a node that hangs: much longer than a command may take.
const HANGING: Duration = Duration::from_secs(600);
/// How long an answer may take, in seconds: longer than on the slowest machine, but for the node that says nothing.
const TIMEOUT: [u64; 2] = [15, 1];
/// Three tries, and the pauses between them.
const PATIENCE: Duration = Duration::from_secs(50);

impl Spender {
    /// Nobody where the node should be: told when announcing and when looking up.
    pub fn hears_of_silence(&self) {
        self.set(&[&format!("rpc=http://127.0.0.1:{}", free_port()), "timeout_s=1"]);
        for ran in [self.announce("192.0.2.7:4001", &self.agreed()), self.lookup("demo")] {
            assert!(ran.code() == 5 && ran.err().contains("no node answers at"), "{}", ran.err());
        }
    }

    /// A node that hangs, named first: quoted, announced and found by the other one, long before its time-out. `node` and `url` are the other's.
    /// Returns what announcing has told.
    pub fn is_not_held_up(&self, node: u16, url: &str, peer: &str) -> Ran {
        let silent = Proxy::start(node, Box::new(|_, _, _| Reply::Silence(HANGING)));
        self.set(&[&format!("rpc={},{url}", silent.url()), &format!("timeout_s={}", HANGING.as_secs())]);
        let dry = self.announce(peer, &["--dry-run", "--timeout", "60s"]);
        assert_eq!((dry.code(), dry.of_type("quote").len()), (0, 1), "{}", dry.err());
        let ran = self.announce(peer, &[&self.agreed()[..], &["--timeout", "60s"]].concat());
        assert_eq!(ran.code(), 0, "{}\n{}", ran.out(), ran.err());
        let receipt = &ran.of_type("receipt")[0];
        assert_eq!((&receipt["stored"], &receipt["asked"]), (&1.into(), &2.into()));
        let found = self.lookup("demo");
        assert_eq!((found.code(), found.peers()), (0, vec![peer.to_owned()]), "{}", found.err());
        assert!(!self.wallet().is_null() && silent.asked("") > 0);
        ran
    }

    /// A node that lies about a question, or about all that it is asked: told, within the bounds of the retries. `node` is a port of this
    /// machine, `called` is what the plugin calls its nodes; `more` are lies of its own.
    pub fn hears_of_lies(&self, node: u16, called: &str, about: &'static str, more: &[(Lie, &str)]) {
        for (lie, says) in LIES.iter().chain(more).copied() {
            let deed = move |question: &str, body: Vec<u8>, _| {
                if question.contains(about) { lie(body) } else { Reply::Body(body) }
            };
            let (proxy, says) = (Proxy::start(node, Box::new(deed)), says.replace("NODE", called));
            let timeout = TIMEOUT[usize::from(says == "did not answer in time")];
            self.set(&[&format!("rpc={}", proxy.url()), &format!("timeout_s={timeout}")]);
            let start = Instant::now();
            let ran = self.lookup("demo");
            assert!([5, 7].contains(&ran.code()) && ran.err().contains(&says), "{says}: {}", ran.err());
            assert!(start.elapsed() < PATIENCE && proxy.asked(about) <= 3, "{says}");
        }
    }
}
