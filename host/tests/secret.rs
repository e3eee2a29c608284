//! Secret networks by the command line: members meet on every medium, others find nothing.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use support::{Home, Ran, Testnet};

/// Two members of the network `club` on one machine, with its folder.
fn members() -> ([Home; 2], tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = Home::share(folder.path());
    alice.ok(&["network", "add", "club", "--secret", "new"]);
    bob.ok(&["network", "add", &alice.invite("club")]);
    ([alice, bob], folder)
}

/// The same on a DHT too.
fn members_with_lab() -> ([Home; 2], tempfile::TempDir, Testnet) {
    let (homes, folder) = members();
    let testnet = Testnet::start(&homes[0], 20);
    for home in &homes {
        home.add_lab(&testnet.bootstrap.join(","));
    }
    (homes, folder, testnet)
}

fn announce(home: &Home, what: &[&str], via: &str) -> Ran {
    home.ok(&[&["announce", "club", "--via", via, "--once", "--json"], what].concat())
}

fn lookup(home: &Home, via: &str) -> Ran {
    home.run(&["lookup", "club", "--via", via, "--json"])
}

#[track_caller]
fn finds_nothing(ran: &Ran) {
    assert_eq!((ran.code(), ran.peers().len()), (3, 0), "{}{}", ran.out(), ran.err());
}

#[test]
fn members_meet_on_every_medium_and_know_who_it_was() {
    let ([alice, bob], _folder, _testnet) = members_with_lab();
    announce(&alice, &["--port", "4001", "--meta", "game=chess", "--meta", "name=Ann é"], "local,lab");
    for via in ["local", "lab"] {
        let found = lookup(&bob, via);
        assert_eq!(found.peers(), ["127.0.0.1:4001"], "{via}: {}{}", found.out(), found.err());
        let peer = &found.of_type("peer")[0];
        let confirmed = found.of_type("peer_confirmed");
        let peer = confirmed.last().unwrap_or(peer);
        assert_eq!(peer["signed_by"], alice.identity(), "{peer}");
        assert_eq!((&peer["verified"], &peer["meta"]["game"]), (&true.into(), &"chess".into()), "{peer}");
        assert_eq!(peer["meta"]["name"], "Ann é");
        assert!(peer["expires"].is_string(), "{peer}");
    }
    let both = lookup(&bob, "local,lab");
    assert_eq!(both.peers(), ["127.0.0.1:4001"]);
    let backends = both.lines().iter().filter_map(|line| line["backends"].as_array().map(Vec::len)).max();
    assert_eq!(backends, Some(2), "{}", both.out());
    // The announcer is a member as well.
    assert_eq!(lookup(&alice, "local,lab").peers(), ["127.0.0.1:4001"]);
}

#[test]
fn the_name_alone_or_another_secret_find_nothing() {
    let ([alice, _], folder, testnet) = members_with_lab();
    announce(&alice, &["--port", "4001"], "local,lab");
    let [eve, mallory] = Home::share(folder.path());
    mallory.ok(&["network", "add", "club", "--secret", "new"]);
    for home in [&eve, &mallory] {
        home.add_lab(&testnet.bootstrap.join(","));
        finds_nothing(&lookup(home, "local,lab"));
        finds_nothing(&home.run(&["lookup", "club", "--via", "local,lab", "--unverified", "--json"]));
        // Nor can they make a member believe them.
        announce(home, &["--port", "6666"], "local,lab");
    }
    for via in ["local", "lab"] {
        assert_eq!(lookup(&alice, via).peers(), ["127.0.0.1:4001"]);
    }
}

#[test]
fn a_passphrase_is_enough_to_meet() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = Home::share(folder.path());
    let file = alice.path().join("passphrase");
    std::fs::write(&file, "correct horse battery staple\n").unwrap();
    alice.ok(&["network", "add", "club", "--secret", file.to_str().unwrap()]);
    assert_eq!(
        bob.feed(&["network", "add", "club", "--secret", "-"], "correct horse battery staple").code(),
        0
    );
    announce(&alice, &["--port", "1"], "local");
    assert_eq!(lookup(&bob, "local").peers(), ["127.0.0.1:1"]);
}

#[test]
fn what_is_withdrawn_is_gone_at_once_and_bare_addresses_are_shown_on_demand() {
    let ([alice, bob], _folder, _testnet) = members_with_lab();
    announce(&alice, &["--port", "4001"], "local,lab");
    assert_eq!(lookup(&bob, "lab").peers(), ["127.0.0.1:4001"]);
    alice.ok(&["withdraw", "club"]);
    finds_nothing(&lookup(&bob, "local"));
    // The nodes of a DHT keep the address, which nobody has signed: only the record could be taken back.
    let gone = lookup(&bob, "lab");
    finds_nothing(&gone);
    assert!(gone.err().contains("not shown: 1 addresses that no member has signed for"), "{}", gone.err());
    let bare = bob.ok(&["lookup", "club", "--via", "lab", "--unverified", "--json"]);
    assert_eq!(bare.peers(), ["127.0.0.1:4001"]);
    let peer = &bare.of_type("peer")[0];
    assert!(peer["signed_by"].is_null() && peer["verified"] == false, "{peer}");
    assert!(!bare.err().contains("not shown"), "{}", bare.err());
    // And it can be announced again.
    announce(&alice, &["--port", "4002"], "local,lab");
    for via in ["local", "lab"] {
        assert_eq!(lookup(&bob, via).peers(), ["127.0.0.1:4002"]);
    }
}

#[test]
fn one_node_says_several_addresses() {
    let ([alice, bob], _folder) = members();
    announce(
        &alice,
        &["--peer", "[2001:db8::7]:7", "--peer", "203.0.113.7:8", "--peer", "a.example:9"],
        "local",
    );
    let found = lookup(&bob, "local");
    assert_eq!(found.peers(), ["203.0.113.7:8", "[2001:db8::7]:7", "a.example:9"]);
    let signers: Vec<_> = found.of_type("peer").iter().map(|peer| peer["signed_by"].clone()).collect();
    assert_eq!(signers, vec![serde_json::Value::from(alice.identity()); 3]);
}

#[test]
fn the_address_of_another_host_is_carried_where_the_medium_carries_its_senders_only() {
    let ([alice, bob], _folder, _testnet) = members_with_lab();
    let told = announce(&alice, &["--peer", "203.0.113.7:4001", "--peer", "[2001:db8::7]:7"], "lab");
    let note = told.of_type("receipt")[0]["notes"].to_string();
    assert!(note.contains("in a signed record only"), "{note}");
    assert_eq!(lookup(&bob, "lab").peers(), ["203.0.113.7:4001", "[2001:db8::7]:7"]);
}

#[test]
fn what_two_processes_of_one_node_announce_is_found_and_left_alone() {
    let ([alice, bob], _folder, _testnet) = members_with_lab();
    for via in ["local", "lab"] {
        let keep = |port: &str| {
            let running = alice.start(&["announce", "club", "--port", port, "--via", via, "--json"]);
            running.json_of("receipt");
            running
        };
        let (mut first, mut second) = (keep("4001"), keep("4002"));
        assert_eq!(lookup(&bob, via).peers(), ["127.0.0.1:4001", "127.0.0.1:4002"], "{via}");
        second.signal("INT");
        assert_eq!(second.end().0, Some(130));
        assert_eq!(lookup(&bob, via).peers(), ["127.0.0.1:4001"], "{via}");
        first.signal("INT");
        first.end();
        finds_nothing(&lookup(&bob, via));
    }
}

#[test]
fn processes_that_begin_together_are_one_node_with_all_its_ports() {
    let ([alice, bob], _folder) = members();
    let running: Vec<_> = (4001..4005)
        .map(|port| {
            alice.start(&["announce", "club", "--port", &port.to_string(), "--via", "local", "--json"])
        })
        .collect();
    for process in &running {
        process.json_of("receipt");
    }
    let found = lookup(&bob, "local");
    let identity = alice.identity();
    assert!(found.of_type("peer").iter().all(|peer| peer["signed_by"] == identity), "{}", found.out());
    assert_eq!(found.peers(), ["127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003", "127.0.0.1:4004"]);
}

#[test]
fn those_who_call_a_medium_differently_meet_when_they_say_that_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let set = format!("folder={}", folder.path().display());
    let [alice, bob, carol] = [(); 3].map(|()| Home::new());
    let add = |home: &Home, name, more: &[&str]| {
        home.ok(&[&["backend", "add", name, "--plugin", "local", "--set", &set], more].concat());
    };
    add(&alice, "here", &["--medium", "our-folder"]);
    add(&bob, "there", &["--medium", "our-folder"]);
    add(&carol, "elsewhere", &[]);
    alice.ok(&["network", "add", "club", "--secret", "new"]);
    for home in [&bob, &carol] {
        home.ok(&["network", "add", &alice.invite("club")]);
    }
    announce(&alice, &["--port", "1"], "here");
    assert_eq!(lookup(&bob, "there").peers(), ["127.0.0.1:1"]);
    finds_nothing(&lookup(&carol, "elsewhere"));
    // An open network is where it is, whatever its medium is called.
    alice.ok(&["announce", "open", "--port", "2", "--via", "here", "--once"]);
    for (home, via) in [(&bob, "there"), (&carol, "elsewhere")] {
        let found = home.ok(&["lookup", "open", "--via", via, "--json"]);
        assert_eq!(
            (found.peers(), &found.of_type("peer")[0]["verified"]),
            (vec!["127.0.0.1:2".into()], &true.into())
        );
    }
}
