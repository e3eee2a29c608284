//! The main job, end to end: a private DHT, an announcement, a lookup from another home.

mod support;

use std::net::UdpSocket;
use std::process::Stdio;
use std::time::Instant;

use support::{Home, PATIENCE, Testnet};

#[test]
fn a_peer_that_one_home_announces_is_found_by_another() {
    let (alice, bob) = (Home::new(), Home::new());
    let testnet = Testnet::start(&alice, 50);
    for home in [&alice, &bob] {
        home.add_lab(&testnet.bootstrap[0]);
    }
    let announced = alice.ok(&["announce", "demo", "--port", "4001", "--via", "lab", "--once", "--json"]);
    let receipt = &announced.of_type("receipt")[0];
    assert!(receipt["stored"].as_u64().unwrap() > 0, "{receipt}");

    let found = bob.ok(&["lookup", "demo", "--via", "lab", "--json"]);
    let peer = &found.of_type("peer")[0];
    assert_eq!((peer["peer"].as_str(), peer["backends"][0].as_str()), (Some("127.0.0.1:4001"), Some("lab")));
    assert_eq!(found.lines().last().unwrap()["type"], "summary");

    let nobody = bob.run(&["lookup", "nobody-announced-this", "--via", "lab", "--json"]);
    assert_eq!(nobody.code(), 3);
    assert_eq!(nobody.of_type("summary")[0]["exit"], 3);
}

#[test]
fn several_networks_and_backends_at_once_show_each_peer_once() {
    let home = Home::new();
    let testnet = Testnet::start(&home, 20);
    home.add_lab(&testnet.bootstrap[0]);
    home.ok(&["announce", "red", "blue", "--port", "4001", "--via", "lab,local", "--once"]);
    let found = home.ok(&["lookup", "red", "blue", "--via", "lab,local", "--json"]);
    assert_eq!(found.peers(), ["127.0.0.1:4001", "127.0.0.1:4001"]);
    // How often a peer is confirmed depends on who is first: the address, its signed record, or the other backend.
    let confirmed = found.of_type("peer_confirmed");
    for network in ["red", "blue"] {
        let last = confirmed.iter().rfind(|line| line["network"] == network).unwrap();
        assert_eq!(last["backends"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn an_announcement_is_kept_until_ctrl_c_takes_it_back() {
    let home = Home::new();
    let mut kept = home.start(&["announce", "demo", "--port", "4001", "--via", "local", "--json"]);
    assert_eq!(kept.json_of("receipt")["op"], "announce");
    assert_eq!(home.ok(&["lookup", "demo", "--via", "local", "--json"]).peers(), ["127.0.0.1:4001"]);
    let status = home.ok(&["status", "--json"]);
    assert_eq!(status.of_type("announced")[0]["kept_by"], kept.pid());

    kept.signal("INT");
    assert_eq!(kept.end().0, Some(130));
    assert_eq!(kept.json_of("receipt")["op"], "withdraw");
    assert_eq!(home.run(&["lookup", "demo", "--via", "local"]).code(), 3);
    assert!(home.ok(&["status", "--json"]).of_type("announced").is_empty());
}

#[test]
fn an_announcement_is_repeated_at_half_its_lifetime() {
    let home = Home::new();
    let kept = home.start(&["announce", "demo", "--port", "4001", "--via", "local", "--ttl", "2s", "--json"]);
    for _ in 0..4 {
        assert_eq!(kept.json_of("receipt")["op"], "announce");
    }
    // Longer than it lives by itself. On a busy machine the next repetition may just be late.
    let start = Instant::now();
    while home.run(&["lookup", "demo", "--via", "local", "--json"]).peers().is_empty() {
        assert!(start.elapsed() < PATIENCE, "it is not repeated");
    }
}

#[test]
fn withdraw_ends_the_process_that_keeps_it_alive() {
    let home = Home::new();
    let mut kept = home.start(&["announce", "demo", "--port", "4001", "--via", "local", "--json"]);
    kept.json_of("receipt");
    let withdrawn = home.ok(&["withdraw", "demo", "--json"]);
    assert_eq!(withdrawn.of_type("receipt")[0]["op"], "withdraw");
    assert_eq!(kept.end().0, Some(0));
    assert_eq!(home.run(&["lookup", "demo", "--via", "local"]).code(), 3);
    assert_eq!(home.run(&["withdraw", "demo"]).code(), 3);
}

#[test]
fn join_announces_and_tells_who_comes_and_goes() {
    // Others are another node: what one withdraws is its own.
    let folder = tempfile::tempdir().unwrap();
    let [home, other] = Home::share(folder.path());
    let mut joined = home.start(&[
        "join",
        "demo",
        "--peer",
        "127.0.0.1:4001",
        "--via",
        "local",
        "--every",
        "200ms",
        "--json",
    ]);
    joined.json_of("receipt");
    other.ok(&["announce", "demo", "--port", "4002", "--via", "local", "--once"]);
    assert_eq!(joined.json_of("peer_added")["peer"], "127.0.0.1:4002");
    other.ok(&["withdraw", "demo"]);
    assert_eq!(joined.json_of("peer_expired")["peer"], "127.0.0.1:4002");
    // Whoever joined ends when what it announced is taken back.
    home.ok(&["withdraw", "demo"]);
    assert_eq!(joined.end().0, Some(0));
}

/// A node that names its own address begins a DHT; others join it there.
#[test]
fn machines_of_a_mesh_begin_a_dht_of_their_own() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let member = |settings: &[&str]| {
        let home = Home::new();
        let bootstrap = format!("bootstrap=127.0.0.1:{port}");
        let mesh =
            ["backend", "add", "mesh", "--plugin", "mainline", "--set=bind=127.0.0.1", "--set", &bootstrap];
        home.ok(&[&mesh[..], settings].concat());
        home
    };
    let first = member(&["--set=mode=server", &format!("--set=port={port}")]);
    let began = first.start(&["announce", "demo", "--port", "4001", "--via", "mesh", "--json"]);
    assert_eq!(began.json_of("receipt")["stored"], 1);
    member(&[]).ok(&["announce", "demo", "--port", "4002", "--via", "mesh", "--once"]);
    let mut found = member(&[]).ok(&["lookup", "demo", "--via", "mesh", "--json"]).peers();
    found.sort();
    assert_eq!(found, ["127.0.0.1:4001", "127.0.0.1:4002"]);
}

#[test]
fn watch_tells_changes() {
    let home = Home::new();
    let mut watch = home.start(&["lookup", "demo", "--via", "local", "--watch=200ms", "--json"]);
    home.ok(&["announce", "demo", "--port", "4002", "--via", "local", "--once"]);
    assert_eq!(watch.json_of("peer_added")["peer"], "127.0.0.1:4002");
    home.ok(&["withdraw", "demo"]);
    assert_eq!(watch.json_of("peer_expired")["peer"], "127.0.0.1:4002");
    watch.signal("TERM");
    assert_eq!(watch.end().0, Some(143));
}

#[test]
fn exec_runs_for_each_peer_without_a_shell() {
    let home = Home::new();
    home.ok(&["announce", "demo", "--peer", "[::1]:7", "--peer", "a.example:8", "--via", "local", "--once"]);
    let ran = home.ok(&["lookup", "demo", "--via", "local", "--plain", "--exec", "echo 'met $HOME' {}"]);
    assert!(
        ran.out().contains("met $HOME [::1]:7") && ran.out().contains("met $HOME a.example:8"),
        "{}",
        ran.out()
    );
    assert_eq!(home.run(&["lookup", "demo", "--via", "local", "--exec", "/no/such/program"]).code(), 2);
}

#[test]
fn every_family_of_addresses_is_carried() {
    let home = Home::new();
    home.ok(&[
        "announce",
        "demo",
        "--peer",
        "[2001:db8::7]:1",
        "--peer",
        "203.0.113.7:2",
        "--peer",
        "peer.example:3",
        "--via",
        "local",
        "--once",
    ]);
    let found = home.ok(&["lookup", "demo", "--via", "local", "--json"]);
    assert_eq!(found.peers(), ["203.0.113.7:2", "[2001:db8::7]:1", "peer.example:3"]);
}

#[test]
fn a_medium_that_cannot_carry_an_address_says_so() {
    let home = Home::new();
    let testnet = Testnet::start(&home, 10);
    home.add_lab(&testnet.bootstrap[0]);
    let foreign = home.run(&["announce", "demo", "--peer", "203.0.113.7:4001", "--via", "lab", "--once"]);
    assert_ne!(foreign.code(), 0);
    assert!(
        foreign.err().contains("not this machine's") && foreign.err().contains("fix:"),
        "{}",
        foreign.err()
    );
    let ipv6 = home.run(&["announce", "demo", "--peer", "[::1]:4001", "--via", "lab", "--once"]);
    assert!(ipv6.err().contains("IPv4 only"), "{}", ipv6.err());
}

#[test]
fn the_first_peer_is_printed_while_a_slow_backend_still_works() {
    let home = Home::new();
    home.add_misbehaving("slow", "slow", "peer = \"127.0.0.1:9\", delay_ms = 300_000");
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    let words = ["lookup", "demo", "--via", "local,slow", "--json", "--timeout", "300s"];
    let mut lookup = home.start(&words);
    assert_eq!(lookup.json_of("peer")["peer"], "127.0.0.1:4001");
    // It is still running: the slow one has five minutes to go, which nobody waits for.
    lookup.signal("INT");
    assert_eq!(lookup.end().0, Some(130));
}

#[test]
fn first_and_limit_end_early() {
    let home = Home::new();
    home.add_misbehaving("slow", "slow", "peer = \"127.0.0.1:9\", delay_ms = 30000");
    home.ok(&["announce", "demo", "--peer", "[::1]:7", "--peer", "[::1]:8", "--via", "local", "--once"]);
    assert_eq!(home.ok(&["lookup", "demo", "--via", "local,slow", "--first", "--json"]).peers().len(), 1);
    assert_eq!(
        home.ok(&["lookup", "demo", "--via", "local,slow", "--limit", "2", "--json"]).peers().len(),
        2
    );
}

#[test]
fn a_closed_pipe_is_success() {
    let home = Home::new();
    home.ok(&[
        "announce", "x", "--peer", "[::1]:7", "--peer", "[::1]:8", "--peer", "[::1]:9", "--via", "local",
        "--once",
    ]);
    let mut lookup =
        home.bitboot(&["lookup", "x", "--via", "local", "--plain"]).stdout(Stdio::piped()).spawn().unwrap();
    // Closed before the first line is written: each write fails.
    drop(lookup.stdout.take());
    assert_eq!(lookup.wait().unwrap().code(), Some(0));
}
