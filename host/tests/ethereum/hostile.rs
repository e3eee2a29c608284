//! Strangers who write under our key, and nodes that fail or lie.

use bitboot_rpc::testing::{Proxy, Reply};

use super::support::RPC_LIES;
use super::*;

#[test]
fn junk_and_the_records_of_others_hide_nobody() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let [user, other] = [rich(&node), rich(&node)];
    user.announced("192.0.2.7:4001");
    let ran = other.announce_in("another", "192.0.2.8:1", &other.agreed());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let [ours, theirs] = [0, 1].map(|at| node.events(&contract)[at].clone());
    let key = |event: &Value| event["topics"][1].as_str().unwrap().to_owned();
    let (mine, record) = (value(&ours), value(&theirs));

    // Under our key: noise, another program's, a copy of ours, one that was changed, and what is valid in another network.
    let mut changed = mine.clone();
    *changed.last_mut().unwrap() ^= 1;
    let strange = [vec![0], b"{\"peers\":[]}".to_vec(), mine, changed, record, vec![0x5a; 1024]];
    let by = |number: usize| format!("{:#042x}", 0x10000 + number);
    let strange: Vec<_> =
        strange.into_iter().enumerate().map(|(number, value)| (by(number), value)).collect();
    node.write(&contract, &key(&ours), &strange);
    // A thousand, each by somebody else, and two hundred by one.
    let spam: Vec<_> = (0..1000).map(|number| (by(100 + number), vec![0x5a; 168])).collect();
    node.write(&contract, &key(&ours), &spam);
    let of_one: Vec<_> = (0..200).map(|_| (by(7), vec![0x5b; 168])).collect();
    node.write(&contract, &key(&ours), &of_one);

    let reader = reader(&node.url());
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.home.identity());
    }
    assert_eq!(reader.lookup("another").peers(), ["192.0.2.8:1"]);
}

#[test]
fn slots_of_strangers_hide_nobody_and_are_read_by_pages() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.set(&["mode=storage"]);
    user.announced("192.0.2.7:4001");
    let key = node.events(&contract)[0]["topics"][1].as_str().unwrap().to_owned();
    let spam: Vec<_> =
        (0..250).map(|number| (format!("{:#042x}", 0x10000 + number), vec![0x5a; 168])).collect();
    node.keep(&contract, &key, &spam);
    assert_eq!(node.events(&contract).len(), 251);
    // A node that does so much for one call and no more: the last word of the call is how many slots are wanted.
    let proxy = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            let call = question.split("0x98f93e0d").nth(1).and_then(|rest| rest.get(128..192));
            let wanted = call.and_then(|word| u64::from_str_radix(word, 16).ok());
            let refusal = br#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"out of gas"}}"#;
            Reply::Body(if wanted.is_some_and(|wanted| wanted > 40) { refusal.to_vec() } else { body })
        }),
    );
    for url in [node.url(), proxy.url()] {
        let reader = reader(&url);
        reader.set(&["mode=storage"]);
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], user.home.identity());
    }
    assert!((11..15).contains(&proxy.asked("eth_call")), "{}", proxy.asked("eth_call"));
}

/// The value in an event: where it begins, its length, itself.
fn value(event: &Value) -> Vec<u8> {
    let hex = &event["data"].as_str().unwrap()[2..];
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    (64..64 + usize::from_str_radix(&hex[64..128], 16).unwrap()).map(byte).collect()
}

#[test]
fn a_node_that_is_down_or_lies_is_told_and_not_asked_for_ever() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.hears_of_silence();
    user.hears_of_lies(node.port(), "an Ethereum node", "", &RPC_LIES);
    // One that knows the chain and lies about what was announced.
    for lie in [
        r#"{"id":0,"result":[{}]}"#,
        r#"{"id":0,"result":{"logs":1}}"#,
        r#"{"id":0,"error":{"code":-32000,"message":"no"}}"#,
    ] {
        let proxy = Proxy::start(
            node.port(),
            Box::new(move |question, body, _| {
                Reply::Body(if question.contains("getLogs") { lie.into() } else { body })
            }),
        );
        user.set(&[&format!("rpc={}", proxy.url())]);
        let ran = user.lookup("demo");
        assert!(ran.code() != 0 && proxy.asked("getLogs") < 20, "{lie}: {}", ran.err());
    }
}

#[test]
fn what_is_lost_on_the_way_is_not_announced_twice() {
    let Some(anvil) = anvil() else { return };
    let (mut node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    // It happens, the answer is lost: the same transaction once, and it is told as done.
    for lost in [|| Reply::Close, || Reply::Silence(Duration::from_secs(2)), || Reply::Body(b"{".to_vec())] {
        let before = node.events(&contract).len();
        let proxy = Proxy::start(
            node.port(),
            Box::new(
                move |question, body, _| {
                    if question.contains("sendRawTransaction") { lost() } else { Reply::Body(body) }
                },
            ),
        );
        user.set(&[&format!("rpc={}", proxy.url()), "timeout_s=1"]);
        user.announced("192.0.2.7:4001");
        assert_eq!(node.events(&contract).len(), before + 1);
        assert!(proxy.asked("sendRawTransaction") <= 3);
    }
    // Restarted in the middle.
    user.set(&[&format!("rpc={}", node.url())]);
    node.restart();
    assert_eq!(user.lookup("demo").peers(), ["192.0.2.7:4001"]);
    user.announced("192.0.2.7:4001");
    assert_eq!((user.lookup("demo").peers().len(), node.events(&contract).len()), (1, 4));
}

/// Events that nobody made, so many, in an answer that has one at least.
fn invented(count: u64, body: &[u8]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(body).unwrap();
    let event = |number: u64| {
        let mut event = answer["result"][0].clone();
        event["topics"][2] = format!("{number:#066x}").into();
        event["data"] = format!("0x{:064x}{:064x}{number:016x}{}", 32, 8, "0".repeat(48)).into();
        event
    };
    answer["result"] = (1..=count).map(event).collect();
    answer.to_string().into_bytes()
}

#[test]
fn a_node_that_invents_values_does_not_hide_what_a_slower_one_has() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    rich(&node).announced("192.0.2.7:4001");
    // A flood beside a node that is a bit slower; then one value, told at once, beside one that takes five seconds and answers all along.
    for (count, pause) in [(10_000, 500), (1, 1300)] {
        let liar = Proxy::start(
            node.port(),
            Box::new(move |question, body, _| {
                Reply::Body(if question.contains("getLogs") { invented(count, &body) } else { body })
            }),
        );
        let slow = Proxy::start(
            node.port(),
            Box::new(move |_, body, _| {
                std::thread::sleep(Duration::from_millis(pause));
                Reply::Body(body)
            }),
        );
        let reader = reader(&format!("{},{}", liar.url(), slow.url()));
        let found = reader.home.run(&["lookup", "demo", "--via", VIA, "--json", "--timeout", "25s"]);
        assert_eq!(found.peers(), ["192.0.2.7:4001"], "{count}: {}", found.err());
        assert!(slow.asked("") >= 4, "{}", slow.asked(""));
    }
}
