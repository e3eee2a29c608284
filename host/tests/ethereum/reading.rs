//! What a lookup reads, of how many nodes, and what it does when the chain changes.

use bitboot_rpc::testing::{Proxy, Reply};

use super::*;

#[test]
fn only_new_blocks_are_read_again() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    let key = node.events(&contract)[0]["topics"][1].as_str().unwrap().to_owned();
    for number in 0..10 {
        let spam: Vec<_> =
            (0..20).map(|at| (format!("{:#042x}", 0x1000 + number * 20 + at), vec![7; 168])).collect();
        node.write(&contract, &key, &spam);
        node.mine(100);
    }
    let proxy = Proxy::counting(node.port());
    let reader = reader(&proxy.url());
    let look = || {
        assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
        proxy.counted()
    };
    let (all, nothing) = (look(), look());
    node.mine(1);
    let one = look();
    assert!(all.0 > 100_000 && nothing.0 < 8_000 && one.0 < 8_000, "{all:?} {nothing:?} {one:?}");
    assert!(nothing.1 <= 4 && one.1 <= 5, "{all:?} {nothing:?} {one:?}");
}

#[test]
fn a_node_that_answers_for_few_blocks_only_is_asked_for_few() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    node.mine(2000);
    user.announced("192.0.2.7:4002");
    let proxy = refusing(&node, |from, to| to - from >= 300);
    let found = reader(&proxy.url()).lookup("demo");
    // One node has one record: the later announcement holds.
    assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002"], "{}", found.err());
    assert!(proxy.asked("getLogs") < 30, "{}", proxy.asked("getLogs"));
}

#[test]
fn what_a_node_does_not_have_hides_nothing_else() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let [old, new] = [rich(&node), rich(&node)];
    old.announced("192.0.2.7:4001");
    node.mine(2000);
    new.announced("192.0.2.7:4002");
    // It has forgotten the events of the first blocks; or it answers for any but one.
    for (proxy, peers) in [
        (refusing(&node, |from, _| from < 1000), vec!["192.0.2.7:4002"]),
        (refusing(&node, |from, to| from <= 1000 && 1000 <= to), vec!["192.0.2.7:4001", "192.0.2.7:4002"]),
    ] {
        let reader = reader(&proxy.url());
        let found = reader.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
        assert_eq!(found.peers(), peers, "{}", found.err());
        assert!(found.err().contains("cannot be read"), "{}", found.err());
        let asked = proxy.asked("getLogs");
        assert!(asked < 60, "{asked}");
        assert_eq!(reader.lookup("demo").peers(), peers);
        assert!(proxy.asked("getLogs") < asked + 30, "{} after {asked}", proxy.asked("getLogs"));
    }
}

#[test]
fn what_was_read_of_a_node_that_goes_silent_is_told() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    rich(&node).announced("192.0.2.7:4001");
    node.mine(2000);
    let empty = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            let nothing = br#"{"jsonrpc":"2.0","id":0,"result":[]}"#.to_vec();
            Reply::Body(if question.contains("getLogs") { nothing } else { body })
        }),
    );
    let slow = Proxy::start(
        node.port(),
        Box::new(|question, body, _| match blocks(question) {
            Some((from, _)) if from > 1000 => Reply::Silence(Duration::from_secs(60)),
            _ => Reply::Body(body),
        }),
    );
    let reader = reader(&format!("{},{}", empty.url(), slow.url()));
    reader.set(&["range_blocks=500"]);
    let found = reader.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json", "--timeout", "6s"]);
    assert_eq!((found.peers(), found.code()), (vec!["192.0.2.7:4001".to_owned()], 0), "{}", found.err());
}

/// The first and the last block that a question for events names.
fn blocks(question: &str) -> Option<(u64, u64)> {
    let block = |name: &str| {
        let text = question.split(&format!("\"{name}\":\"0x")).nth(1)?.split('"').next()?;
        u64::from_str_radix(text, 16).ok()
    };
    block("fromBlock").zip(block("toBlock"))
}

/// Before a node that refuses to tell the events of some ranges of blocks.
fn refusing(node: &Anvil, refuses: impl Fn(u64, u64) -> bool + Send + 'static) -> Proxy {
    let refusal = br#"{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"not of these blocks"}}"#;
    Proxy::start(
        node.port(),
        Box::new(move |question, body, _| match blocks(question) {
            Some((from, to)) if refuses(from, to) => Reply::Body(refusal.to_vec()),
            _ => Reply::Body(body),
        }),
    )
}

#[test]
fn a_reorganization_is_followed() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let [stays, goes, late] = [rich(&node), rich(&node), rich(&node)];
    stays.announced("192.0.2.7:4001");
    node.mine(30);
    let reader = reader(&node.url());
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    goes.announced("192.0.2.7:4002");
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4002"]);
    // Three blocks are replaced by empty ones.
    node.mine(2);
    node.ask("anvil_reorg", json!([3, []]));
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    // And many, in which was read already.
    late.announced("192.0.2.7:4003");
    node.mine(20);
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4003"]);
    node.mine(1);
    node.ask("anvil_reorg", json!([23, []]));
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001"]);
    late.announced("192.0.2.7:4003");
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4001", "192.0.2.7:4003"]);
}

#[test]
fn several_nodes_are_read_and_told_and_none_hides_another() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.is_told_by_the_one_that_is_up(&node.url(), "192.0.2.7:4001");
    // One that says nothing at all holds nobody up, and nothing back.
    let silent = Proxy::start(node.port(), Box::new(|_, _, _| Reply::Silence(Duration::from_secs(60))));
    user.set(&[&format!("rpc={},{}", node.url(), silent.url()), "timeout_s=5"]);
    let found = user.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json", "--timeout", "20s"]);
    assert_eq!((found.peers(), found.code()), (vec!["192.0.2.7:4001".to_owned()], 0), "{}", found.err());
    let told = receipt(&user.announced("192.0.2.7:4001"));
    assert_eq!((&told["stored"], &told["asked"]), (&1.into(), &2.into()));
    // Nor does one that is asked before the other.
    user.is_not_held_up(node.port(), &node.url(), "192.0.2.7:4001");
    // Two that are not connected: both are read, and that they disagree is told.
    let (other, _) = Anvil::ready(&anvil);
    other.fund(&user.address());
    user.set(&[&format!("rpc={},{}", other.url(), node.url()), "timeout_s=60"]);
    let found = user.home.run(&["-v", "lookup", "demo", "--via", VIA, "--json"]);
    assert_eq!(found.peers(), ["192.0.2.7:4001"], "{}", found.err());
    assert!(found.err().contains("the nodes disagree about block"), "{}", found.err());
    // Both are told, the same transaction, with a number that is used on the longer one.
    let told = receipt(&user.announced("192.0.2.7:4002"));
    assert_eq!((&told["stored"], &told["asked"]), (&1.into(), &2.into()));
    assert_eq!((node.events(&contract).len(), other.events(&contract).len()), (3, 1));
}

#[test]
fn credentials_are_passed_on_and_told_to_nobody() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    let secret = "s3cret-of-a-provider";
    let proxy = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| {
            let is_known = question.starts_with(&format!("/?key={secret}\n"));
            if is_known { Reply::Body(body) } else { Reply::Status(401, Vec::new()) }
        }),
    );
    let reader = reader(&format!("{}/?key={{key}}", proxy.url()));
    let ran = reader.lookup("demo");
    assert!(ran.code() == 10 && ran.err().contains("refuses the credentials"), "{}", ran.err());
    let mut command = reader.home.bitboot(&["-vv", "lookup", "demo", "--via", VIA, "--json"]);
    let ran = Ran(command.env("BITBOOT_PLUGIN_ETHEREUM_RPC", secret).output().unwrap());
    assert_eq!(ran.peers(), ["192.0.2.7:4001"], "{}", ran.err());
    assert!(!ran.err().contains(secret) && !ran.out().contains(secret));
    // One that lets nobody in does not keep others from being used.
    user.set(&[&format!("rpc={},{}", proxy.url(), node.url())]);
    user.announced("192.0.2.7:4002");
}
