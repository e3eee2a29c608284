//! What a plugin tries from inside its process is refused by the system, and `doctor` says so; no more and no less.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixListener;

use serde_json::Value;
use support::process::{visible, wait, worker};
use support::{Home, library};

/// What is refused to every plugin.
const REFUSED: [&str; 26] = [
    "read a file",
    "list a folder",
    "write a file",
    "read shadow",
    "read another process",
    "run a program",
    "listen on TCP",
    "look at the environment",
    "reach a local socket",
    "trace the host",
    "signal the host",
    "open the host",
    "become a process",
    "reach the kernel keyring",
    "listen without binding",
    "reach an abstract socket",
    "see the network's insides",
    "send raw packets",
    "use io_uring",
    "make a namespace",
    "share memory with others",
    "queue messages for others",
    "keep memory in files",
    "share memory uncounted",
    "take a stack uncounted",
    "have somebody signalled",
];

/// A home with a plugin that intrudes, and what it is after.
struct Scene {
    home: Home,
    _socket: UnixListener,
}

impl Scene {
    fn set(entry: &str) -> Self {
        let home = Home::new();
        home.forget_the_world();
        let [file, socket, folder] =
            ["diary", "socket", "granted"].map(|name| home.path().join(name).display().to_string());
        fs::write(&file, "dear diary").unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        home.add_plugin("misbehaving", &library("bitboot_misbehaving"));
        home.append(entry);
        let config = format!("file = {file:?}, socket = {socket:?}, folder = {folder:?}");
        home.add_misbehaving("intrudes", "intrudes", &config);
        Self { home, _socket: listener }
    }

    /// What came of each thing that it tried.
    fn try_all(&self) -> BTreeMap<String, String> {
        let ran = self.home.ok(&["backend", "ping", "intrudes", "--json"]);
        serde_json::from_value(ran.of_type("health")[0]["facts"].clone()).unwrap()
    }

    /// The table of `doctor`: what, and its state.
    fn table(&self) -> BTreeMap<String, String> {
        let lines = self.home.run(&["doctor", "--json"]).of_type("confinement");
        let ours = lines.into_iter().filter(|line| line["plugin"] == "misbehaving");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        ours.map(|line| (text(&line["what"]), text(&line["state"]))).collect()
    }
}

fn is_refused(came_of_it: &str) -> bool {
    came_of_it.starts_with("refused: ")
}

#[test]
fn what_no_plugin_has_any_business_to_do_is_refused() {
    let scene = Scene::set("");
    let tried = scene.try_all();
    for what in REFUSED {
        assert!(is_refused(&tried[what]), "{what}: {}", tried[what]);
    }
    assert!(is_refused(&tried["outlive the host"]) && is_refused(&tried["raise its limits"]), "{tried:?}");
    // What it is granted works.
    for what in ["use UDP", "resolve a name", "write where it may"] {
        assert_eq!(tried[what], "done", "{what}");
    }
    assert!(
        scene.home.path().join("granted/mine").exists() && !scene.home.path().join("diary.mine").exists()
    );

    let table = scene.table();
    for what in ["programs", "listening", "local sockets", "other processes", "privileges"] {
        assert_eq!(table[what], "refused", "{what}: {table:?}");
    }
    for what in ["files", "memory", "descriptors", "system calls", "environment"] {
        assert_eq!(table[what], "limited", "{what}: {table:?}");
    }
    assert_eq!(table["network"], "granted");
    // A person sees the same.
    let page = scene.home.run(&["doctor"]).out();
    assert!(page.contains("it reaches no D-Bus, no keyring, no agent"), "{page}");
}

#[test]
fn without_a_process_of_its_own_it_does_what_it_likes_and_doctor_claims_nothing() {
    let scene = Scene::set("isolation = \"in-process\"\n");
    let tried = scene.try_all();
    // Else the other test could not fail.
    for what in [
        "read a file",
        "list a folder",
        "write a file",
        "run a program",
        "listen on TCP",
        "reach a local socket",
        "share memory with others",
        "keep memory in files",
    ] {
        assert_eq!(tried[what], "done", "{what}");
    }
    assert_eq!(scene.table(), BTreeMap::new());
    let found = scene.home.run(&["doctor", "--json"]).of_type("finding");
    let about = found.iter().find(|line| line["about"] == "plugin misbehaving").unwrap();
    assert!(about["finding"].as_str().unwrap().contains("where it can do all that you can"), "{about}");
    let info = scene.home.ok(&["plugin", "info", "misbehaving", "--json"]);
    assert_eq!(info.lines()[0]["isolation"], "in-process");
}

#[test]
fn the_user_takes_away_and_opens_doors() {
    let closed = Scene::set("grants = { network = false, files = false }\n");
    let tried = closed.try_all();
    for what in ["use UDP", "write where it may", "listen on TCP"] {
        assert!(is_refused(&tried[what]), "{what}: {}", tried[what]);
    }
    let table = closed.table();
    assert_eq!((table["network"].as_str(), table["files"].as_str()), ("refused", "refused"));

    let open = Scene::set("grants = { listen = true }\n");
    let tried = open.try_all();
    assert_eq!((tried["listen on TCP"].as_str(), tried["use UDP"].as_str()), ("done", "done"));
    assert!(is_refused(&tried["run a program"]) && is_refused(&tried["read a file"]));
    assert_eq!(open.table()["listening"], "granted");
}

#[test]
fn a_worker_inherits_nothing() {
    let home = Home::new();
    home.forget_the_world();
    let mut command = home.bitboot(&["lookup", "demo", "--via", "local", "--watch=1h", "--json"]);
    command.env("A_SECRET", "canary-93ab").env("PATH", "/canary-93ab");
    // A shell leaves a descriptor open for it.
    let mut shell = std::process::Command::new("/bin/bash");
    shell
        .args(["-c", "exec 77</etc/passwd; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let host = support::Running::new(shell);
    let worker = worker(host.pid());
    // It has begun when it has given up what it may not keep: what a shell left open is the last of it.
    let open = |pid: u32, number: u32| fs::read_link(format!("/proc/{pid}/fd/{number}"));
    wait("it keeps a descriptor", || open(worker, 77).is_err());
    assert!(open(host.pid(), 77).is_ok(), "nobody gave it one");
    let limits = || fs::read_to_string(format!("/proc/{worker}/limits")).unwrap();
    let core = |limits: &str| {
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        line.split_whitespace().nth(4).unwrap().to_owned()
    };
    wait("it may leave a core", || core(&limits()) == "0");
    for (file, bytes) in visible(worker) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("canary-93ab"), "{}: {text}", file.display());
        assert!(!text.contains(home.path().to_str().unwrap()) || file.ends_with("environ"), "{text}");
    }
    // It has a process group of its own: what the terminal sends is for the host.
    let group = |pid| {
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .rsplit(") ")
            .next()
            .unwrap()
            .split(' ')
            .nth(2)
            .unwrap()
            .to_owned()
    };
    assert_eq!(group(worker), worker.to_string());
}
