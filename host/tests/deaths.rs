//! A plugin that dies costs its own row: others' peers come out, the command ends in time, and what happened is told.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::process::{kill, runs, wait, worker, workers};
use support::{Home, Ran, library, misfit};

/// A home in which somebody is found by the backend `local`.
fn peopled() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home
}

fn lookup(home: &Home, via: &str) -> Ran {
    home.run(&["lookup", "demo", "--via", via, "--timeout", "60s", "--json"])
}

/// Ways to die, each with what is told of it.
const DEATHS: [(&str, &str); 5] = [
    ("abort", "was ended by signal 6 (SIGABRT)"),
    ("segfault", "was ended by signal 11 (SIGSEGV)"),
    ("exit", "ended itself with code 0"),
    // Rust's own handler may turn it into an abort.
    ("stack_overflow", "was ended by signal "),
    // The system refuses more than is granted, and Rust aborts.
    ("memory", "was ended by signal 6 (SIGABRT)"),
];

#[test]
fn each_death_costs_its_own_row() {
    let home = peopled();
    for (by, told) in DEATHS {
        let name = by.replace('_', "-");
        home.add_misbehaving(&name, "dies", &format!("by = {by:?}"));
        let start = Instant::now();
        let ran = lookup(&home, &format!("{name},local"));
        assert_eq!((ran.code(), ran.peers()), (9, vec!["127.0.0.1:4001".into()]), "{by}: {}", ran.err());
        let failed = &ran.of_type("backend_error")[0];
        assert_eq!((&failed["code"], &failed["backend"]), (&"plugin".into(), &name.clone().into()), "{by}");
        let sentence = format!("backend \"{name}\": the plugin's process {told}");
        assert!(failed["error"].as_str().unwrap().starts_with(&sentence), "{by}: {failed}");
        // Nobody waits for what died.
        assert!(start.elapsed() < Duration::from_secs(60), "{by}: {:?}", start.elapsed());
        home.retry("misbehaving");

        // As one of the default ones it does not even make the command fail.
        home.append(&format!(
            "default = true\n[backends.{name}-too]\nplugin = \"misbehaving\"\nkind = \"dies\"\n"
        ));
        let usual = home.ok(&["lookup", "demo", "--json"]);
        assert_eq!(usual.peers(), ["127.0.0.1:4001"], "{by}");
        home.append("default = false\n");
        home.retry("misbehaving");
        home.ok(&["backend", "remove", &name]);
        home.ok(&["backend", "remove", &format!("{name}-too")]);
    }
}

#[test]
fn what_died_is_put_aside_with_its_cause_until_it_is_retried_or_replaced() {
    let home = peopled();
    let copy = home.path().join("copy.so");
    fs::copy(library("bitboot_misbehaving"), &copy).unwrap();
    home.add_plugin("misbehaving", &copy);
    home.add_misbehaving("dies", "dies", "by = \"memory\"");
    home.add_misbehaving("slow", "slow", "peer = \"203.0.113.7:1\"");
    assert_eq!(lookup(&home, "dies").code(), 6);

    let refused = lookup(&home, "slow,local");
    assert_eq!((refused.code(), refused.peers().len()), (9, 1), "{}", refused.err());
    let told = refused.err();
    assert!(
        told.contains(
            "plugin \"misbehaving\" is put aside: its process was ended by signal 6 (SIGABRT) at 2"
        ),
        "{told}"
    );
    assert!(told.contains("why: its last words were: memory allocation of 1048576 bytes failed"), "{told}");
    assert!(told.contains("fix: try it again: bitboot plugin retry misbehaving"), "{told}");
    let listed = home.ok(&["plugin", "info", "misbehaving", "--json"]).lines()[0].clone();
    assert_eq!((&listed["state"], &listed["isolation"]), (&"put aside".into(), &"process".into()));
    assert!(listed["problem"].as_str().unwrap().contains("SIGABRT"), "{listed}");
    let noted = fs::read_to_string(home.path().join("state/quarantine/misbehaving.json")).unwrap();
    let noted: serde_json::Value = serde_json::from_str(&noted).unwrap();
    assert_eq!(noted["library"].as_str().unwrap().len(), 64);

    home.retry("misbehaving");
    assert_eq!(lookup(&home, "slow").peers(), ["203.0.113.7:1"]);

    // Another library is given a chance by itself.
    assert_eq!(lookup(&home, "dies").code(), 6);
    assert_eq!(lookup(&home, "slow").code(), 6);
    let mut bytes = fs::read(&copy).unwrap();
    bytes.extend(b"another one");
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, bytes).unwrap();
    assert_eq!(lookup(&home, "slow").peers(), ["203.0.113.7:1"]);
    assert_eq!(home.ok(&["plugin", "info", "misbehaving", "--json"]).lines()[0]["state"], "enabled");
}

#[test]
fn a_library_that_ends_whoever_loads_it_ends_its_worker() {
    let home = peopled();
    home.add_plugin("mine", &misfit("aborts_on_load"));
    home.append("[backends.mined]\nplugin = \"mine\"\n");
    let ran = lookup(&home, "mined,local");
    assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{}", ran.err());
    let sentence =
        "plugin \"mine\" cannot be loaded: its process was ended by signal 6 (SIGABRT) while it was opened";
    assert!(ran.err().contains(sentence), "{}", ran.err());
    let again = lookup(&home, "mined");
    assert!(again.code() == 6 && again.err().contains("is put aside"), "{}", again.err());
}

#[test]
fn a_library_that_is_never_loaded_is_left_behind() {
    let home = peopled();
    home.add_plugin("mine", &misfit("sleeps_on_load"));
    home.append("[backends.mined]\nplugin = \"mine\"\n");
    let ran = home.run(&["lookup", "demo", "--via", "mined,local", "--timeout", "6s", "--json"]);
    assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{}", ran.err());
    assert!(ran.err().contains("backend \"mined\" was not opened in time"), "{}", ran.err());
    // Where nobody is in a hurry, the last gate is.
    let asked = home.run(&["backend", "info", "mined"]);
    assert_eq!(asked.code(), 6);
    assert!(asked.err().contains("cannot be loaded: it was not ready within 10 s"), "{}", asked.err());
}

#[test]
fn memory_is_limited_as_the_user_says() {
    let home = peopled();
    home.add_plugin("misbehaving", &library("bitboot_misbehaving"));
    home.append("memory_mib = 64\n");
    home.add_misbehaving("eats", "dies", "by = \"memory\"");
    let started = Instant::now();
    let ran = lookup(&home, "eats,local");
    assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{}", ran.err());
    assert!(started.elapsed() < Duration::from_secs(60));
    home.retry("misbehaving");
    let doctor = home.run(&["doctor", "--json"]);
    let memory = doctor
        .of_type("confinement")
        .into_iter()
        .find(|line| line["plugin"] == "misbehaving" && line["what"] == "memory");
    assert_eq!(memory.unwrap()["detail"], "at most 64 MiB of data");
}

#[test]
fn one_that_prints_without_end_costs_its_own_row() {
    let home = peopled();
    home.add_misbehaving("prints", "prints", "endless = true");
    for words in [
        "lookup demo --via prints,local --timeout 5s --json",
        "-vv lookup demo --via prints,local --timeout 5s --json",
    ] {
        let start = Instant::now();
        let ran = home.run(&words.split(' ').collect::<Vec<_>>());
        assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{words}");
        assert!(start.elapsed() < Duration::from_secs(60), "{words}: {:?}", start.elapsed());
    }
}

#[test]
fn no_worker_outlives_its_host() {
    let home = peopled();
    home.add_misbehaving("hangs", "hangs", "");
    // One that answers, one whose plugin blocks its threads.
    for via in ["local", "hangs"] {
        let words = ["lookup", "demo", "--via", via, "--watch=1h", "--timeout", "1h", "--json"];
        let mut host = home.start(&words);
        let worker = worker(host.pid());
        if via == "local" {
            host.json_of("peer_added");
        }
        kill(host.pid());
        host.end();
        wait("the worker outlives its host", || !runs(worker));
    }
    // A host that is done leaves none either.
    let mut host = home.start(&["lookup", "demo", "--via", "local", "--json"]);
    let pids = workers(host.pid());
    host.end();
    wait("a worker is left", || !pids.iter().any(|pid| runs(*pid)));
}

#[test]
fn a_long_command_outlives_its_worker() {
    let home = peopled();
    let watch = home.start(&["lookup", "demo", "--via", "local", "--watch=200ms", "--json"]);
    assert_eq!(watch.json_of("peer_added")["peer"], "127.0.0.1:4001");
    for port in ["4002", "4003"] {
        let first = worker(watch.pid());
        kill(first);
        wait("no other worker is started", || {
            !workers(watch.pid()).is_empty() && worker(watch.pid()) != first
        });
        home.ok(&["announce", "demo", "--port", port, "--via", "local", "--once"]);
        // It is another one's work now.
        assert_eq!(watch.json_of("peer_added")["peer"], format!("127.0.0.1:{port}"));
    }
    // That somebody killed it is not the plugin's fault.
    assert_eq!(home.ok(&["plugin", "info", "local", "--json"]).lines()[0]["state"], "enabled");
}

#[test]
fn a_call_that_does_not_end_ends_its_worker() {
    let home = peopled();
    home.add_misbehaving("hangs", "hangs", "");
    let words = ["lookup", "demo", "--via", "hangs,local", "--watch=100ms", "--timeout", "500ms", "--json"];
    let watch = home.start(&words);
    assert_eq!(watch.json_of("peer_added")["peer"], "127.0.0.1:4001");
    // Of the two only that one is started anew.
    let mut before = Vec::new();
    wait("the worker goes on", || {
        let now = workers(watch.pid());
        if now.len() != 2 {
            return false;
        }
        let news = now.iter().filter(|pid| !before.contains(*pid)).count();
        before = now;
        news == 1
    });
}
