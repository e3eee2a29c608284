//! Transactions whose fate is not known at once: nothing is announced twice, and nothing is lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bitboot_rpc::testing::{Proxy, Reply};
use serde_json::Value;

use super::node::Surfnet;
use super::{rich, surfpool};

#[test]
fn an_answer_that_is_lost_announces_nothing_twice() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let set = |url: &str| user.set(&[&format!("rpc={url}"), "timeout_s=1"]);
    let owner = user.address();
    // It happens, the answer is lost: the same transaction once, and it is told as done.
    let losses = [|| Reply::Close, || Reply::Silence(Duration::from_secs(2)), || Reply::Body(b"{".to_vec())];
    for (loss, number) in losses.into_iter().zip(1..) {
        let handed = Handed::default();
        let ours = handed.clone();
        let deed = move |question: &str, body, _| {
            if ours.note(question) { loss() } else { Reply::Body(body) }
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        set(&proxy.url());
        let before = node.naming(&owner).len();
        user.announced("192.0.2.7:4001");
        assert_eq!((node.naming(&owner).len() - before, node.stored().len()), (1, 1), "{number}");
        assert_eq!(handed.different(), 1);
    }
    // The node goes away right after it took the transaction, and comes back.
    let gone = Arc::new(Mutex::new(None::<Instant>));
    let deed = move |question: &str, body, _| {
        let mut gone = gone.lock().unwrap();
        if question.contains("sendTransaction") {
            gone.get_or_insert_with(Instant::now);
        }
        if gone.is_some_and(|gone| gone.elapsed() < Duration::from_secs(3)) {
            Reply::Close
        } else {
            Reply::Body(body)
        }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    set(&proxy.url());
    let before = node.naming(&owner).len();
    user.announced("192.0.2.7:4002");
    assert_eq!(node.naming(&owner).len() - before, 1);
    set(&node.url());
    assert_eq!(user.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
}

#[test]
fn nothing_is_signed_anew_before_the_time_of_the_first_is_over() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let owner = user.address();
    // The node takes it and never says so.
    let handed = Handed::default();
    let ours = handed.clone();
    let deed = move |question: &str, body: Vec<u8>, _| {
        ours.note(question);
        let nothing = br#"{"jsonrpc":"2.0","id":0,"result":{"context":{"slot":1},"value":[null]}}"#;
        Reply::Body(match question {
            _ if question.contains("getSignatureStatuses") => nothing.to_vec(),
            _ if question.contains("getBlockHeight") => br#"{"jsonrpc":"2.0","id":0,"result":1}"#.to_vec(),
            _ => body,
        })
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url())]);
    let before = node.naming(&owner).len();
    let short = [&user.agreed()[..], &["--timeout", "10s"]].concat();
    let ran = user.announce("192.0.2.7:4001", &short);
    assert!(ran.code() == 5 && ran.err().contains("not confirmed yet"), "{} {}", ran.code(), ran.err());
    let ran = user.announce("192.0.2.7:4001", &short);
    assert!(ran.code() != 0 && ran.err().contains("still on its way"), "{} {}", ran.code(), ran.err());
    assert_eq!((handed.different(), node.naming(&owner).len() - before, node.stored().len()), (1, 1, 1));
    assert!(handed.times() >= 2);
    // With a node that tells, it is seen to be there, and the next one changes the same account.
    user.set(&[&format!("rpc={}", node.url())]);
    user.announced("192.0.2.7:4002");
    assert_eq!((node.naming(&owner).len() - before, node.stored().len()), (2, 1));
    assert_eq!(user.lookup("demo").peers(), ["192.0.2.7:4002"]);
}

#[test]
fn a_transaction_whose_time_is_over_is_told_and_may_be_made_again() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let (owner, before) = (user.address(), node.naming(&user.address()));
    // A block that no node knows: nobody takes what names it.
    let handed = Handed::default();
    let ours = handed.clone();
    let deed = move |question: &str, body: Vec<u8>, _| {
        ours.note(question);
        if !question.contains("getLatestBlockhash") {
            return Reply::Body(body);
        }
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        answer["result"]["value"]["blockhash"] = "11111111111111111111111111111112".into();
        Reply::Body(answer.to_string().into_bytes())
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url())]);
    let ran = user.announce("192.0.2.7:4001", &user.agreed());
    assert!(ran.code() == 5 && ran.err().contains("nothing was spent"), "{} {}", ran.code(), ran.err());
    assert_eq!((handed.different(), node.naming(&owner)), (1, before));
    assert!(handed.times() >= 2);
    user.set(&[&format!("rpc={}", node.url())]);
    user.announced("192.0.2.7:4001");
    assert_eq!(node.stored().len(), 1);
}

#[test]
fn a_silent_node_makes_nothing_be_forgotten_and_nothing_be_signed_twice() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let owner = user.address();
    let short = [&user.agreed()[..], &["--timeout", "10s"]].concat();
    let hanging = || Reply::Silence(Duration::from_secs(600));
    // It takes the transaction and is silent from then on, for longer than the command may take.
    let handed = Handed::default();
    let mut silent = false;
    let ours = handed.clone();
    let deed = move |question: &str, body, _| {
        silent |= ours.note(question);
        if silent { hanging() } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url()), "timeout_s=600"]);
    let before = node.naming(&owner).len();
    let ran = user.announce("192.0.2.7:4001", &short);
    let id = node.naming(&owner)[0].clone();
    assert!(ran.code() == 5 && ran.err().contains(&id), "{} {}", ran.code(), ran.err());
    // Another one says that it is not there and that its time is over, which the silent one might know better.
    let late = handed.clone();
    let deed = move |question: &str, body: Vec<u8>, _| {
        late.note(question);
        let nothing = br#"{"jsonrpc":"2.0","id":0,"result":{"context":{"slot":1},"value":[null]}}"#;
        let height = br#"{"jsonrpc":"2.0","id":0,"result":1000000000}"#;
        Reply::Body(match question {
            _ if question.contains("getSignatureStatuses") => nothing.to_vec(),
            _ if question.contains("getBlockHeight") => height.to_vec(),
            _ => body,
        })
    };
    let lying = Proxy::start(node.port(), Box::new(deed));
    let silent = Proxy::start(node.port(), Box::new(move |_, _, _| hanging()));
    user.set(&[&format!("rpc={},{}", lying.url(), silent.url())]);
    let ran = user.announce("192.0.2.7:4001", &short);
    assert!(ran.code() != 0 && ran.err().contains("still on its way"), "{} {}", ran.code(), ran.err());
    assert_eq!((handed.different(), node.naming(&owner).len() - before, node.stored().len()), (1, 1, 1));
    user.set(&[&format!("rpc={}", node.url())]);
    user.announced("192.0.2.7:4002");
    assert_eq!((node.naming(&owner).len() - before, node.stored().len()), (2, 1));
}

#[test]
fn one_node_cannot_say_that_it_is_over_before_it_has_begun() {
    let Some(surfpool) = surfpool() else { return };
    let node = Surfnet::start(&surfpool);
    let user = rich(&node);
    let owner = user.address();
    // Its blockhash could be in no block any more; and that the transaction is there is told some time after it was handed over.
    let handed = Arc::new(Mutex::new(None::<Instant>));
    let deed = move |question: &str, body: Vec<u8>, _| {
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        if question.contains("sendTransaction") {
            handed.lock().unwrap().get_or_insert_with(Instant::now);
        } else if question.contains("getLatestBlockhash") {
            answer["result"]["value"]["lastValidBlockHeight"] = 0.into();
        } else if question.contains("getSignatureStatuses") {
            let early = handed.lock().unwrap().is_none_or(|handed| handed.elapsed() < Duration::from_secs(1));
            if early {
                answer["result"]["value"] = serde_json::json!([null]);
            }
        }
        Reply::Body(answer.to_string().into_bytes())
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={}", proxy.url())]);
    let before = node.naming(&owner).len();
    user.announced("192.0.2.7:4001");
    assert_eq!(node.naming(&owner).len() - before, 1);
}

/// The transactions that were handed over.
#[derive(Clone, Default)]
struct Handed(Arc<Mutex<Vec<String>>>);

impl Handed {
    /// Whether a question hands one over.
    fn note(&self, question: &str) -> bool {
        let is_one = question.contains("sendTransaction");
        if is_one {
            self.0.lock().unwrap().push(question.to_owned());
        }
        is_one
    }

    fn times(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// How many different ones there were.
    fn different(&self) -> usize {
        self.0.lock().unwrap().iter().collect::<BTreeSet<_>>().len()
    }
}
