//! What is spent, and what is not.

use bitboot_rpc::testing::{Proxy, Reply};

use super::*;

#[test]
fn a_quote_spends_nothing_and_holds() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    let ours = user.address();
    // An event, a new slot, the same slot again, and an event once more.
    for (mode, peer) in [
        ("event", "192.0.2.7:1"),
        ("storage", "192.0.2.7:1"),
        ("storage", "[2001:db8::7]:1"),
        ("event", "peer.example:1"),
    ] {
        user.set(&[&format!("mode={mode}")]);
        let before = (node.balance(&ours), node.sent(&ours));
        let dry = user.announce(peer, &["--dry-run"]);
        let quote = dry.of_type("quote")[0].clone();
        assert_eq!((dry.code(), &quote["test_network"]), (0, &true.into()), "{}", dry.err());
        assert_eq!((node.balance(&ours), node.sent(&ours)), before);

        let ran = user.announced(peer);
        let receipt = receipt(&ran);
        let (quoted, told, real) =
            (wei(&quote["fee"]), wei(&receipt["fee"]), paid(&node, &receipt["notes"][0]));
        assert!(real <= quoted && quoted * 10 <= real * 12 && real == told, "{mode}: {real} {told} {quoted}");
        assert_eq!((node.balance(&ours), node.sent(&ours)), (before.0 - real, before.1 + 1));
    }
}

#[test]
fn what_must_not_be_spent_is_not() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    let ours = user.address();
    let refused = |ran: &Ran, code: i32, says: &str| {
        ran.is_refused(code, says);
        // Only the contract is there.
        assert_eq!((node.sent(&ours), node.height()), (0, 1));
    };
    let (peer, all) = ("192.0.2.7:4001", user.agreed());
    refused(&user.announce(peer, &["--yes", "--max-fee", "0.0000001 ETH"]), 12, "over the limit");
    refused(&user.announce(peer, &[]), 8, "was not confirmed");

    // Another chain by its id, by its first block, and a real one.
    user.set(&["chain_id=11155111"]);
    refused(&user.announce(peer, &all), 10, "is on another chain");
    user.set(&["chain_id=31337", &format!("genesis=0x{}", "12".repeat(32))]);
    refused(&user.announce(peer, &all), 10, "is on another chain");
    let genesis =
        node.ask("eth_getBlockByNumber", json!(["0x0", false]))["hash"].as_str().unwrap().to_owned();
    user.set(&[&format!("genesis={genesis}"), "max_fee_gwei=1"]);
    refused(&user.announce(peer, &all), 1, "gwei for each unit of gas");
    let real = Anvil::with(&anvil, &["--chain-id", "1"]);
    real.deploy();
    real.fund(&ours);
    let genesis =
        real.ask("eth_getBlockByNumber", json!(["0x0", false]))["hash"].as_str().unwrap().to_owned();
    user.set(&[
        "chain_id=1",
        &format!("genesis={genesis}"),
        "max_fee_gwei=100",
        &format!("rpc={}", real.url()),
    ]);
    refused(&user.announce(peer, &all), 13, "would spend real money");
    assert_eq!(real.sent(&ours), 0);

    // One that may take fees besides those for gas.
    let other = Anvil::with(&anvil, &["--chain-id", "8453"]);
    other.deploy();
    other.fund(&ours);
    user.set(&["chain_id=8453", "genesis=", &format!("rpc={}", other.url())]);
    refused(&user.announce(peer, &all), 10, "takes fees for gas alone is not known");
    user.set(&["gas_only=true"]);
    refused(&user.announce(peer, &all), 13, "would spend real money");
    assert_eq!(other.sent(&ours), 0);

    refused(&poor(&node.url()).announce(peer, &all), 11, "the wallet has 0 ETH");
    refused(&reader(&node.url()).announce(peer, &all), 4, "there is no secp256k1 key");
    let stranger = poor(&node.url());
    stranger.home.ok(&["key", "policy", "mine", "--deny", VIA]);
    refused(&stranger.announce(peer, &all), 8, "may not use the key");
    let locked = rich(&node);
    std::fs::write(&locked.passphrase, "another passphrase").unwrap();
    refused(&locked.announce(peer, &all), 4, "the passphrase does not open");
}

/// Several at once by one key: each gets a number of its own, whoever is first.
#[test]
fn announcements_of_one_moment_do_not_hinder_each_other() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    // Blocks come by themselves, so that transactions wait for a while.
    node.ask("evm_setAutomine", json!([false]));
    node.ask("evm_setIntervalMining", json!([1]));
    let networks: Vec<String> = (0..4).map(|number| format!("demo-{number}")).collect();
    std::thread::scope(|scope| {
        let announce = |network: &String| {
            let ran = user.announce_in(network, "192.0.2.7:4001", &user.agreed());
            assert_eq!(ran.code(), 0, "{}", ran.err());
        };
        for network in &networks {
            scope.spawn(move || announce(network));
        }
    });
    assert_eq!((node.sent(&user.address()), node.events(&contract).len()), (4, 4));
    let reader = reader(&node.url());
    for network in &networks {
        assert_eq!(reader.lookup(network).peers(), ["192.0.2.7:4001"]);
    }
}

#[test]
fn one_fee_pays_for_one_signature_whatever_a_node_says() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.announced("192.0.2.7:4001");
    let stale = r#"{"jsonrpc":"2.0","id":0,"result":"0x0"}"#;
    // The first answer is behind: the number is that of the announcement before.
    let mut is_first = true;
    let behind = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| {
            let lies = question.contains("eth_getTransactionCount") && std::mem::take(&mut is_first);
            Reply::Body(if lies { stale.into() } else { body })
        }),
    );
    user.set(&[&format!("rpc={}", behind.url())]);
    let ran = user.announce("192.0.2.7:4002", &user.agreed());
    ran.is_refused(1, "another transaction of the same key was faster");
    assert_eq!((behind.asked("eth_sendRawTransaction"), node.events(&contract).len()), (1, 1));
    user.announced("192.0.2.7:4002");
    assert_eq!(node.events(&contract).len(), 2);

    // It takes the announcement, says that its number is used, and does not know whether it has it.
    let taken = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"nonce too low"}}"#;
    let liar = Proxy::start(
        node.port(),
        Box::new(move |question, body, _| match () {
            () if question.contains("eth_sendRawTransaction") => Reply::Body(taken.into()),
            () if question.contains("eth_getTransactionByHash") => Reply::Close,
            () => Reply::Body(body),
        }),
    );
    user.set(&[&format!("rpc={}", liar.url())]);
    let ran = user.announce("192.0.2.7:4002", &user.agreed());
    assert!(ran.code() != 0 && ran.err().contains("before you do it again"), "{}", ran.err());
    assert_eq!((liar.asked("eth_sendRawTransaction"), node.events(&contract).len()), (1, 3));

    // The announcement arrives and nobody can tell: it is not made once more.
    let mute = Proxy::start(
        node.port(),
        Box::new(|question, body, _| match () {
            () if question.contains("eth_sendRawTransaction") => Reply::Close,
            () if question.contains("eth_getTransactionByHash") => {
                Reply::Body(br#"{"jsonrpc":"2.0","id":0,"result":null}"#.to_vec())
            }
            () => Reply::Body(body),
        }),
    );
    user.set(&[&format!("rpc={}", mute.url())]);
    let ran = user.announce("192.0.2.7:4003", &user.agreed());
    assert!(ran.code() != 0 && ran.err().contains("before you do it again"), "{}", ran.err());
    assert_eq!((node.events(&contract).len(), node.sent(&user.address())), (4, 4));

    // Nothing at all is said, for longer than the user waits: what to look for was told before.
    let silent = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            if question.contains("eth_sendRawTransaction") {
                return Reply::Silence(Duration::from_secs(60));
            }
            Reply::Body(body)
        }),
    );
    user.set(&[&format!("rpc={}", silent.url())]);
    let ran =
        user.announce("192.0.2.7:4003", &[user.agreed().as_slice(), &["--timeout", "6s", "-v"]].concat());
    assert!(ran.code() != 0 && ran.err().contains("before you do it again"), "{}", ran.err());
    assert!(ran.err().contains("hands over the transaction 0x"), "{}", ran.err());
    assert_eq!(node.events(&contract).len(), 5);

    // One node of two says that it came to nothing.
    let undone = Proxy::start(
        node.port(),
        Box::new(|question, body, _| {
            let text = String::from_utf8_lossy(&body).into_owned();
            let is_receipt = question.contains("eth_getTransactionReceipt");
            Reply::Body(if is_receipt {
                text.replace(r#""status":"0x1""#, r#""status":"0x0""#).into()
            } else {
                body
            })
        }),
    );
    user.set(&[&format!("rpc={},{}", undone.url(), node.url())]);
    user.announced("192.0.2.7:4003");
    assert!(undone.asked("eth_getTransactionReceipt") > 0);
    assert_eq!(node.events(&contract).len(), 6);

    // It waits for its block longer than the user does.
    user.set(&[&format!("rpc={}", node.url()), "wait_s=1"]);
    node.ask("evm_setAutomine", json!([false]));
    let ran = user.announced("192.0.2.7:4004");
    assert!(receipt(&ran)["notes"][0].as_str().unwrap().contains("waits for a block"), "{}", ran.out());
    node.mine(1);
    assert_eq!(node.events(&contract).len(), 7);
}
