//! Settings that environment variables give.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../../plugins/bitcoin/tests/node/mod.rs"]
mod node;
mod support;

use bitboot_rpc::testing::{Proxy, free_port};
use node::Bitcoind;
use support::{Home, Ran, rig};

const OLD: &str = "BITBOOTPY_BITCOIN_RPC_URL";

fn home() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home
}

/// Runs with variables.
fn run(home: &Home, words: &[&str], variables: &[(&str, &str)]) -> Ran {
    Ran(home.bitboot(words).envs(variables.iter().copied()).output().unwrap())
}

/// An entry of the user's own.
fn entry(home: &Home, env: &str) {
    home.append(&format!("\n[backends.chain]\nplugin = \"bitcoin\"\nenv = {{ {env} }}\n"));
}

#[test]
fn a_variable_names_a_node_and_what_is_set_goes_before_it() {
    let Some(bitcoind) = rig("bitcoind", "bitcoin/bitcoind") else { return };
    let node = Bitcoind::start(&bitcoind);
    let proxies = [Proxy::counting(node.port()), Proxy::counting(node.port())];
    let home = home();
    entry(&home, &format!("rpc = [\"BITBOOT_NODES\", \"{OLD}\"]"));
    home.ok(&["backend", "set", "chain", &format!("cookie={}", node.cookie().display())]);
    let lookup = |variables: &[(&str, &str)]| {
        let ran = run(&home, &["lookup", "demo", "--via", "chain", "--json"], variables);
        (ran.code(), proxies.each_ref().map(|proxy| proxy.counted().1 > 0))
    };
    let [first, second] = proxies.each_ref().map(Proxy::url);
    assert_eq!(lookup(&[(OLD, &first)]), (3, [true, false]));
    // The first one of them that is set; several nodes at once.
    assert_eq!(lookup(&[(OLD, &first), ("BITBOOT_NODES", &second)]), (3, [false, true]));
    assert_eq!(lookup(&[(OLD, &format!("{first}, {second}")), ("BITBOOT_NODES", "")]), (3, [true, true]));

    // Where it comes from is told, not what it holds.
    let info =
        |words: &[&str]| run(&home, &[&["backend", "info", "chain"], words].concat(), &[(OLD, &first)]);
    let line = info(&["--json"]).of_type("backend")[0].clone();
    assert_eq!(
        (&line["config_from"]["rpc"], &line["config"]["rpc"]),
        (&OLD.into(), &serde_json::Value::Null)
    );
    assert_eq!(line["env"]["rpc"][1], OLD);
    let page = info(&[]).out();
    assert!(
        page.contains(&format!("rpc = from the environment variable {OLD}")) && !page.contains(&first),
        "{page}"
    );

    home.ok(&["backend", "set", "chain", &format!("rpc={second}")]);
    let _ = proxies.each_ref().map(Proxy::counted);
    assert_eq!(lookup(&[(OLD, &first)]), (3, [false, true]));
    // Taken back, the variable counts again.
    run(&home, &["backend", "set", "chain", "rpc="], &[(OLD, &first)]);
    assert_eq!(lookup(&[(OLD, &first)]), (3, [true, false]));
}

#[test]
fn the_real_chain_understands_the_variables_that_came_before() {
    for variable in [OLD, "BITBOOTPY_BTC_RPC_URL"] {
        let home = home();
        home.ok(&["backend", "enable", "bitcoin"]);
        let nowhere = format!("http://127.0.0.1:{}", free_port());
        let ran = run(&home, &["lookup", "demo", "--via", "bitcoin"], &[(variable, &nowhere)]);
        assert!(
            ran.code() == 5 && ran.err().contains(&format!("no node answers at {nowhere}")),
            "{}",
            ran.err()
        );
        // Test networks have nodes of their own.
        let info = run(&home, &["backend", "info", "bitcoin-signet", "--json"], &[(variable, &nowhere)]);
        assert_eq!(info.of_type("backend")[0]["config_from"], serde_json::Value::Null);
    }
}

#[test]
fn mistakes_name_the_variable_and_never_tell_what_it_holds() {
    let told = |env: &str, variables: &[(&str, &str)], says: &[&str]| {
        let home = home();
        entry(&home, env);
        for words in [&["lookup", "demo", "--via", "chain"][..], &["backend", "info", "chain"]] {
            let ran = run(&home, words, variables);
            assert_eq!(ran.code(), 10, "{words:?}: {}", ran.err());
            for said in says {
                assert!(ran.err().contains(said), "{words:?} {said}: {}", ran.err());
            }
            assert!(!ran.err().contains("hunter2") && !ran.out().contains("hunter2"), "{}", ran.err());
        }
    };
    let mine = "rpc = [\"BITBOOT_NODE\"]";
    told(
        mine,
        &[("BITBOOT_NODE", "http://me:hunter2@127.0.0.1:1")],
        &["BITBOOT_NODE", "credentials do not belong"],
    );
    told(mine, &[("BITBOOT_NODE", "hunter2")], &["BITBOOT_NODE", "the address of a node is none"]);
    told(mine, &[("BITBOOT_NODE", "http://hunter2\n")], &["BITBOOT_NODE", "control characters"]);
    told(mine, &[("BITBOOT_NODE", &"hunter2".repeat(1000))], &["BITBOOT_NODE", "too long"]);
    told(
        "retries = [\"BITBOOT_N\"]",
        &[("BITBOOT_N", "hunter2")],
        &["BITBOOT_N", "\"retries\"", "texts only"],
    );
    told("nod = [\"BITBOOT_N\"]", &[("BITBOOT_N", "hunter2")], &["BITBOOT_N", "no such setting"]);
    // What is not a backend's business is not asked for, whatever the entry says.
    for name in
        ["HOME", "AWS_SECRET_ACCESS_KEY", "BITBOOT_KEY_MINE", "BITBOOT_PLUGIN_OTHER_RPC", "BITBOOTPY_BTC_KEY"]
    {
        told(&format!("genesis = [\"{name}\"]"), &[(name, "hunter2")], &[name, "which no backend is given"]);
    }
}
