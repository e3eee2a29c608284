//! Test networks of each kind, announced on and looked up in, and what is told of them.
#![expect(clippy::print_stdout, reason = "what is skipped, with `--nocapture`")]

mod support;

use std::net::UdpSocket;
use std::path::Path;

use support::{Home, Ran, Testnet, program};

fn has_ipv6() -> bool {
    let has = UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        println!("skipped: this machine has no IPv6");
    }
    has
}

/// A home with a default backend `lab`, and none that leads beyond this machine.
fn home(bootstrap: &str) -> Home {
    let home = Home::new();
    home.ok(&["backend", "disable", "bittorrent"]);
    home.ok(&["backend", "set", "local", "--default", "false"]);
    let set = format!("bootstrap={bootstrap}");
    home.ok(&["backend", "add", "lab", "--plugin", "mainline", "--default", "--set", &set]);
    home
}

fn announced_and_found(announcer: &Home, finder: &Home) -> Vec<String> {
    announcer.ok(&["announce", "demo", "--port", "4001", "--once"]);
    let mut found = finder.ok(&["lookup", "demo", "--unverified", "--json"]).peers();
    found.sort();
    found
}

#[test]
fn a_network_of_ipv6_is_announced_on_and_looked_up_in() {
    if !has_ipv6() {
        return;
    }
    let testnet = Testnet::with(&Home::new(), &["--nodes", "50", "--ipv6", "--rtt", "10", "--jitter", "5"]);
    assert!(testnet.bootstrap[0].starts_with("[::1]:"), "{:?}", testnet.bootstrap);
    let (alice, bob) = (home(&testnet.bootstrap[0]), home(&testnet.bootstrap.join(",")));
    assert_eq!(announced_and_found(&alice, &bob), ["[::1]:4001"]);
}

#[test]
fn a_backend_may_have_a_network_of_each_family() {
    if !has_ipv6() {
        return;
    }
    let rig = Home::new();
    let (v4, v6) = (Testnet::start(&rig, 20), Testnet::with(&rig, &["--nodes", "20", "--ipv6"]));
    let both = format!("{},{}", v4.bootstrap[0], v6.bootstrap[0]);
    let (alice, bob) = (home(&both), home(&both));
    assert_eq!(announced_and_found(&alice, &bob), ["127.0.0.1:4001", "[::1]:4001"]);
    let info = bob.ok(&["backend", "info", "lab", "--online", "--json"]);
    let line = &info.of_type("backend")[0];
    assert_eq!((&line["caps"]["ipv4"], &line["caps"]["ipv6"]), (&true.into(), &true.into()));
    let figures = &line["health"]["figures"];
    assert!(figures["nodes_ipv4"].as_u64() > Some(2) && figures["nodes_ipv6"].as_u64() > Some(2), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_strict_network_serves_who_keeps_to_the_rules() {
    let testnet = Testnet::with(&Home::new(), &["--nodes", "50", "--strict", "--seed", "7"]);
    let (alice, bob) = (home(&testnet.bootstrap[0]), home(&testnet.bootstrap[1]));
    assert_eq!(announced_and_found(&alice, &bob), ["127.0.0.1:4001"]);
    let refused = alice.run(&["testnet", "--strict", "--ipv6"]);
    assert!(
        refused.code() != 0 && refused.err().contains("leave `ipv6` or `strict` out"),
        "{}",
        refused.err()
    );
}

#[test]
fn what_is_right_and_wrong_with_a_dht_is_told_wherever_it_is_asked_for() {
    let testnet = Testnet::start(&Home::new(), 30);
    let well = home(&testnet.bootstrap.join(","));
    let ping = well.ok(&["backend", "ping", "lab", "--json"]).of_type("health")[0].clone();
    assert!(ping["figures"]["nodes"].as_u64() > Some(2) && ping.get("cause").is_none(), "{ping}");
    let doctor = well.ok(&["doctor", "--online", "--json"]);
    let medium = of_medium(&doctor);
    assert_eq!((&medium["verdict"], &medium["health"]["reachable"]), (&"ok".into(), &true.into()));
    let told = well.ok(&["doctor", "--online"]).out();
    assert!(told.contains("public address: 127.0.0.1:") && told.contains("questions answered: "), "{told}");
    let page = well.ok(&["backend", "info", "lab", "--online"]).out();
    assert!(page.contains("nodes asked answer") || page.contains("public address"), "{page}");
    drop(testnet);

    let gone = well.run(&["doctor", "--online", "--json"]);
    let medium = of_medium(&gone);
    assert_eq!((gone.code(), &medium["health"]["cause"]), (5, &"bootstrap-dead".into()), "{medium}");
    assert!(medium["fix"].as_str().is_some_and(|fix| fix.contains("bootstrap hosts")), "{medium}");
}

/// In a network namespace of its own there is no way to anywhere.
#[cfg(target_os = "linux")]
#[test]
fn without_a_network_that_is_what_is_told() {
    let Some(unshare) = program("unshare") else { return println!("skipped: no unshare here") };
    let home = home("127.0.0.1:1");
    let bitboot = env!("CARGO_BIN_EXE_bitboot");
    if !home.program(&unshare, &["-rn", "true"]).status().is_ok_and(|status| status.success()) {
        return println!("skipped: this system gives no network namespace");
    }
    for words in [&["backend", "ping", "lab", "--json"][..], &["doctor", "--online", "--json"]] {
        let inside = [&["-rn", bitboot], words].concat();
        let ran = Ran(home
            .program(Path::new(&unshare), &inside)
            .output()
            .unwrap_or_else(|error| panic!("{error}")));
        let told = ran.out();
        assert!(ran.code() == 5 && told.contains("\"cause\":\"no-route\""), "{told}\n{}", ran.err());
        assert!(told.contains("Network is unreachable"), "{told}");
    }
}

/// A DNS that never answers: who knows nodes from the last time, or has one host with an address, does not wait for it.
#[cfg(target_os = "linux")]
#[test]
fn a_silent_dns_holds_nobody_up() {
    const SCRIPT: &str = r#"
        set -e
        ip link set lo up
        printf 'nameserver 127.0.0.53\noptions timeout:30 attempts:2\n' > "$1/resolv.conf"
        mount --bind "$1/resolv.conf" /etc/resolv.conf
        python3 -c 'import socket, time; s = socket.socket(2, 2); s.bind(("127.0.0.53", 53)); time.sleep(600)' &
        dns=$!
        "$0" testnet --nodes 30 --json > "$1/testnet" &
        net=$!
        trap 'kill $dns $net' EXIT
        until grep -q bootstrap "$1/testnet"; do sleep 0.05; done
        host=$(grep -o '127[0-9.]*:[0-9]*' "$1/testnet" | head -1)
        "$0" backend add lab --plugin mainline --set "bootstrap=$host" --set bind=127.0.0.1 --set request_timeout_ms=10000
        # What it knows is kept when that takes no more than a second.
        for try in $(seq 20); do
            "$0" announce demo --port 4001 --via lab --once
            find "$1/cache" -type f 2>&1 | grep -q /lab/ && break
        done
        for bootstrap in slow.example:1 "slow.example:1,$host"; do
            "$0" backend set lab "bootstrap=$bootstrap"
            begun=$(date +%s%3N)
            "$0" lookup demo --via lab --unverified --plain --timeout 60s
            echo "took $(($(date +%s%3N) - begun))"
            rm -rf "$1/cache"
        done
    "#;
    let home = Home::new();
    let unshare = ["unshare", "ip", "python3"].map(program);
    let [Some(unshare), Some(_), Some(_)] = unshare else { return };
    if !home.program(&unshare, &["-rnm", "true"]).status().is_ok_and(|status| status.success()) {
        return println!("skipped: this system gives no namespaces");
    }
    let folder = home.path().display().to_string();
    let words = ["-rnm", "sh", "-c", SCRIPT, env!("CARGO_BIN_EXE_bitboot"), &folder];
    let ran = Ran(home.program(&unshare, &words).output().unwrap_or_else(|error| panic!("{error}")));
    let told = ran.out();
    let took: Vec<u64> = told.lines().filter_map(|line| line.strip_prefix("took ")?.parse().ok()).collect();
    assert_eq!(told.matches("127.0.0.1:4001").count(), 2, "{told}\n{}", ran.err());
    assert!(took.len() == 2 && took.iter().all(|took| *took < 25_000), "{took:?}");
}

fn of_medium(doctor: &Ran) -> serde_json::Value {
    let findings = doctor.of_type("finding");
    let medium = findings.iter().find(|finding| finding["about"] == "medium of lab");
    medium.unwrap_or_else(|| panic!("{}", doctor.out())).clone()
}
