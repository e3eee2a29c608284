//! Gateways that are down, hang, lie or disagree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use bitboot_rpc::testing::{Proxy, Reply, free_port};
use serde_json::Value;

use super::node::started;
use super::support::{Lie, Ran};
use super::{PEER, VIA, ids, last, reader, rich};

#[test]
fn a_gateway_that_is_down_or_lies_makes_no_announcement_twice() {
    let Some(mut node) = started() else { return };
    let user = rich(&node, 1);
    let set = |url: &str| user.set(&[&format!("rpc={url}"), "timeout_s=1"]);
    user.hears_of_silence();
    let nonsense = |_| Reply::Body(br#"{"network":7,"height":[[[]]]}"#.to_vec());
    let absurd = |_| Reply::Body(br#"{"network":"arlocal.N.1","height":18446744073709551615}"#.to_vec());
    let more: [(Lie, &str); 2] = [(nonsense, "is not NODE"), (absurd, "is not NODE")];
    user.hears_of_lies(node.port(), "an Arweave gateway", "", &more);
    // It happens, the answer is lost: the same transaction once, and it is told as done.
    let losses =
        [|| Reply::Close, || Reply::Silence(Duration::from_secs(2)), || Reply::Status(500, b"{".to_vec())];
    for (count, lost) in losses.into_iter().enumerate() {
        let proxy = Proxy::start(
            node.port(),
            Box::new(
                move |question, body, _| {
                    if question.starts_with("/tx\n") { lost() } else { Reply::Body(body) }
                },
            ),
        );
        set(&proxy.url());
        user.announced(PEER);
        assert_eq!(ids(&node).len(), count + 1);
        assert!(proxy.asked("/tx\n") <= 3);
        node.mine(1);
    }
    // Restarted in the middle: found again by itself.
    set(&node.url());
    node.restart();
    user.announced(PEER);
    let found = user.lookup("demo");
    assert_eq!((found.peers(), ids(&node).len()), (vec![PEER.to_owned()], 4), "{}", found.err());
}

/// Answers to one kind of question, by a part of it.
const LIES: [(&str, &str); 6] = [
    ("/graphql", r#"{"errors":[{"message":"no"}]}"#),
    ("/graphql", r#"{"data":{"transactions":{"pageInfo":{"hasNextPage":true},"edges":7}}}"#),
    ("/status", r#"{"block_height":-1}"#),
    ("/price", "1e99"),
    ("/balance", "-1"),
    ("/tx_anchor", "+++"),
];

#[test]
fn what_a_gateway_invents_or_changes_is_not_believed() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    user.announced(PEER);
    let (topic, _) = last(&node);
    node.mine(1);
    node.write(&topic, &["Yml0Ym9vdA".into()], 0);
    node.mine(1);
    let [other, id] = [0, 1].map(|at| ids(&node)[at].clone());
    // Another's data, another transaction, other tags, another owner: none of it is told, and all else is as before.
    let (data, head) = (node.get(&format!("/tx/{other}/data")), node.get(&format!("/tx/{other}")));
    let own = node.get(&format!("/tx/{id}"));
    let changed = own
        .replace("\"quantity\": \"0\"", "\"quantity\": \"1\"")
        .replace("\"quantity\":\"0\"", "\"quantity\":\"1\"");
    assert_ne!(changed, own);
    for (question, answer) in
        [(format!("/tx/{id}/data\n"), data), (format!("/tx/{id}\n"), head), (format!("/tx/{id}\n"), changed)]
    {
        let lie = move |asked: &str, body: Vec<u8>, _| {
            Reply::Body(if asked == question { answer.clone().into_bytes() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(lie));
        let found = reader(&proxy.url()).lookup("demo");
        assert_eq!((found.code(), found.peers()), (3, Vec::new()), "{}", found.err());
        // Beside one that tells the truth it hides nothing.
        let found = reader(&format!("{},{}", proxy.url(), node.url())).lookup("demo");
        assert_eq!(found.peers(), [PEER], "{}", found.err());
    }
    // Nonsense is told, and nothing is announced; except that what is out is out, whatever is said of it afterwards.
    for (part, answer) in LIES {
        let lie = move |asked: &str, body: Vec<u8>, _| {
            Reply::Body(if asked.contains(part) { answer.into() } else { body })
        };
        let proxy = Proxy::start(node.port(), Box::new(lie));
        user.set(&[&format!("rpc={}", proxy.url())]);
        let before = ids(&node).len();
        if part == "/graphql" {
            assert_eq!(user.lookup("demo").code(), 7);
        } else {
            let ran = user.announce(PEER, &user.agreed());
            let (code, count) = if part == "/status" { (0, before + 1) } else { (7, before) };
            assert_eq!((ran.code(), ids(&node).len()), (code, count), "{part}: {}", ran.err());
        }
    }
    // A list without an end.
    let endless = |asked: &str, body: Vec<u8>, _| {
        let text = String::from_utf8(body).unwrap();
        Reply::Body(
            if asked.contains("/graphql") {
                text.replace("\"hasNextPage\":false", "\"hasNextPage\":true")
            } else {
                text
            }
            .into_bytes(),
        )
    };
    let proxy = Proxy::start(node.port(), Box::new(endless));
    assert_eq!(reader(&proxy.url()).lookup("demo").peers(), [PEER]);
    assert!((2..=50).contains(&proxy.asked("/graphql")), "{}", proxy.asked("/graphql"));
}

#[test]
fn several_gateways_are_read_and_told_and_none_hides_another() {
    let Some(node) = started() else { return };
    let Some(other) = started() else { return };
    let user = rich(&node, 1);
    user.set(&[&format!("rpc=http://127.0.0.1:{},{}", free_port(), node.url())]);
    let ran = user.announced(PEER);
    let receipt = &ran.of_type("receipt")[0];
    assert_eq!((&receipt["stored"], &receipt["asked"]), (&1.into(), &2.into()));
    node.mine(60);
    other.mine(60);
    let look = || user.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
    let found = look();
    assert_eq!(found.peers(), [PEER], "{}", found.err());
    assert!(found.err().contains("one node of 2: no node answers"), "{}", found.err());
    user.is_not_held_up(node.port(), &node.url(), PEER);
    // One does not have what the other has: told, and nothing is lost.
    let reader = reader(&format!("{},{}", other.url(), node.url()));
    let found = reader.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
    assert_eq!(found.peers(), [PEER], "{}", found.err());
    assert!(found.err().contains("the gateways disagree: of 1 settled"), "{}", found.err());
}

#[test]
fn credentials_are_passed_on_and_told_to_nobody() {
    let Some(node) = started() else { return };
    rich(&node, 1).announced(PEER);
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url());
    let secret = "a-token-that-nobody-else-knows";
    let mut command = reader.home.bitboot(&["-vv", "lookup", "demo", "--via", VIA, "--json"]);
    let found = Ran(command.env("BITBOOT_PLUGIN_ARWEAVE_RPC", secret).output().unwrap());
    assert_eq!(found.peers(), [PEER], "{}", found.err());
    assert_eq!(proxy.logins(), [format!("Bearer {secret}")]);
    assert!(!found.err().contains(secret) && !found.out().contains(secret));
    // In an address they would be shown.
    let ran = reader.home.run(&["backend", "set", VIA, "rpc=http://user:password@127.0.0.1:1"]);
    ran.is_refused(10, "credentials do not belong into the address");
}

/// Of a gateway that hangs: much longer than a command may take.
const HANGING: Duration = Duration::from_secs(600);

#[test]
fn what_was_read_of_a_gateway_is_found_although_it_hangs_then() {
    let Some(node) = started() else { return };
    let [user, other] = [rich(&node, 1), rich(&node, 2)];
    other.announced("192.0.2.7:4002");
    let id = ids(&node)[0].clone();
    node.mine(1);
    user.announced(PEER);
    node.mine(1);
    let deed = move |question: &str, body, _| {
        if question.contains(&id) { Reply::Silence(HANGING) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    // Alone, and beside one that knows nothing.
    let Some(empty) = started() else { return };
    for rpc in [proxy.url(), format!("{},{}", proxy.url(), empty.url())] {
        let reader = reader(&rpc);
        reader.set(&["timeout_s=600"]);
        let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "6s"]);
        assert_eq!((found.code(), found.peers()), (0, vec![PEER.to_owned()]), "{}", found.err());
        assert!(found.err().contains("was not read to the end in time"), "{}", found.err());
    }
}

#[test]
fn a_gateway_that_takes_a_transaction_and_is_silent_is_told_with_its_id() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    let mut is_silent = false;
    let deed = move |question: &str, body, _| {
        is_silent |= question.starts_with("/tx\n");
        if is_silent { Reply::Silence(HANGING) } else { Reply::Body(body) }
    };
    let proxy = Proxy::start(node.port(), Box::new(deed));
    // With the patience of the defaults it would take a minute to give up.
    user.set(&[&format!("rpc={}", proxy.url()), "timeout_s=10"]);
    let ran = user.announce(PEER, &[&user.agreed()[..], &["--timeout", "12s"]].concat());
    let out = ids(&node);
    assert_eq!((ran.code(), out.len()), (5, 1), "{}", ran.err());
    let says = format!("look for the transaction {} before you announce again", out[0]);
    assert!(ran.err().contains(&says), "{}", ran.err());
}

#[test]
fn a_gateway_that_was_not_told_of_a_transaction_does_not_have_it() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    let deed = |question: &str, body, _| match question {
        _ if question.starts_with("/tx\n") => Reply::Status(400, b"of no use".to_vec()),
        _ if question.contains("/status") => Reply::Status(404, b"Not Found".to_vec()),
        _ => Reply::Body(body),
    };
    let refuses = Proxy::start(node.port(), Box::new(deed));
    user.set(&[&format!("rpc={},http://127.0.0.1:{}", refuses.url(), free_port())]);
    let ran = user.announce(PEER, &user.agreed());
    assert!(ran.code() != 0 && ran.err().contains("of no use"), "{}", ran.err());
    assert!(!ran.err().contains("may be out"), "{}", ran.err());
}

/// What of a transaction is asked for, and what comes instead.
type Missing = (&'static str, fn() -> Reply);

#[test]
fn what_a_gateway_does_not_hand_out_is_asked_for_again() {
    let Some(node) = started() else { return };
    let user = rich(&node, 1);
    user.announced(PEER);
    let id = ids(&node)[0].clone();
    // Longer ago than what is read again in any case.
    node.mine(120);
    let missing: [Missing; 3] = [
        ("", || Reply::Status(404, b"Not Found".to_vec())),
        ("/data", || Reply::Status(202, b"Pending".to_vec())),
        ("", || Reply::Status(500, b"{".to_vec())),
    ];
    for (what, instead) in missing {
        let lies = Arc::new(AtomicBool::new(true));
        let (ours, path) = (Arc::clone(&lies), format!("/tx/{id}{what}\n"));
        let deed = move |question: &str, body, _| {
            if question == path && ours.load(SeqCst) { instead() } else { Reply::Body(body) }
        };
        let proxy = Proxy::start(node.port(), Box::new(deed));
        let reader = reader(&proxy.url());
        for _ in 0..2 {
            assert_eq!(reader.lookup("demo").peers(), Vec::<String>::new());
        }
        lies.store(false, SeqCst);
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), [PEER], "{what}: {}", found.err());
    }
}

#[test]
fn what_waits_for_a_block_in_the_eyes_of_one_gateway_does_not_hide_its_block_at_another() {
    let Some(node) = started() else { return };
    rich(&node, 1).announced(PEER);
    node.mine(1);
    let deed = |question: &str, body: Vec<u8>, _| {
        if !question.starts_with("/graphql") {
            return Reply::Body(body);
        }
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        for edge in answer["data"]["transactions"]["edges"].as_array_mut().unwrap() {
            edge["node"]["block"] = Value::Null;
        }
        Reply::Body(answer.to_string().into_bytes())
    };
    let behind = Proxy::start(node.port(), Box::new(deed));
    // The other one answers later.
    let deed = |question: &str, body, _| {
        if question.starts_with("/graphql") {
            std::thread::sleep(Duration::from_secs(1));
        }
        Reply::Body(body)
    };
    let slow = Proxy::start(node.port(), Box::new(deed));
    let reader = reader(&format!("{},{}", behind.url(), slow.url()));
    reader.set(&["pending=false"]);
    let found = reader.lookup("demo");
    assert_eq!(found.peers(), [PEER], "{}", found.err());
}
