//! What goes wrong only when several processes, signals or changes of files come together.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Home, PATIENCE, Ran, Running, Terminal, library};

/// A process that announces and has been answered.
fn keep(home: &Home, network: &str, port: &str, more: &[&str]) -> Running {
    let words = ["announce", network, "--port", port, "--via", "local", "--json"];
    let kept = home.start(&[&words, more].concat());
    kept.json_of("receipt");
    kept
}

fn interrupt(mut running: Running) {
    running.signal("INT");
    assert_eq!(running.end().0, Some(130));
}

fn lookup(home: &Home, network: &str) -> Ran {
    home.run(&["lookup", network, "--via", "local", "--json"])
}

/// The processes that keep what a home announces.
fn keepers(home: &Home) -> Vec<Value> {
    let status = home.ok(&["status", "--json"]);
    status.of_type("announced").iter().map(|line| line["kept_by"].clone()).collect()
}

/// The exit code of a process that has to end by itself.
fn end(mut child: Child) -> Option<i32> {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    child.wait().unwrap().code()
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_announcement_stays_until_the_last_of_its_keepers_ends() {
    for first_goes_first in [true, false] {
        let home = Home::new();
        let first = keep(&home, "demo", "4001", &[]);
        let second = keep(&home, "demo", "4001", &[]);
        let (goes, stays) = if first_goes_first { (first, second) } else { (second, first) };
        interrupt(goes);
        // Longer than a keeper takes to see that it was ended by `bitboot withdraw`.
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(lookup(&home, "demo").peers(), ["127.0.0.1:4001"]);
        assert_eq!(keepers(&home), [stays.pid()]);
        interrupt(stays);
        assert_eq!(lookup(&home, "demo").code(), 3);
        assert!(keepers(&home).is_empty());
    }
}

#[test]
fn a_library_that_is_replaced_by_a_good_one_is_opened_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let [home] = Home::share(folder.path());
    let (late, beside) = (home.path().join("late.so"), home.path().join("beside.so"));
    fs::write(&late, "junk").unwrap();
    home.add_plugin("late", &late);
    let config = format!("config = {{ folder = {:?} }}", folder.path().display().to_string());
    home.append(&format!("\n[backends.late]\nplugin = \"late\"\n{config}\n"));
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    let watch = home.start(&["lookup", "demo", "--via", "late", "--watch=300ms", "--json"]);
    watch.json_of("backend_error");
    fs::copy(library("bitboot_local"), &beside).unwrap();
    fs::rename(&beside, &late).unwrap();
    assert_eq!(watch.json_of("peer_added")["peer"], "127.0.0.1:4001");
}

/// Whether a process is there that has not ended.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[test]
fn a_signal_ends_a_command_of_exec_too() {
    for watch in [&[][..], &["--watch=10s"]] {
        let home = Home::new();
        home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
        let file = home.path().join("pid");
        let exec = format!("sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 120'", file.display());
        let words = ["lookup", "demo", "--via", "local", "--exec", &exec];
        let mut looking = home.start(&[&words, watch].concat());
        wait_until("the command is not run", || file.exists());
        looking.signal("TERM");
        // In less than half the time that the command takes.
        assert_eq!(looking.end().0, Some(143), "{watch:?}");
        let pid = fs::read_to_string(&file).unwrap();
        wait_until("the command goes on", || !runs(pid.trim()));
    }
}

#[test]
fn settings_that_are_changed_at_once_are_all_kept() {
    let home = Home::new();
    home.add_lab("127.0.0.1:1");
    home.ok(&["backend", "add", "lab2", "--plugin", "mainline", "--set", "bootstrap=127.0.0.1:1"]);
    for round in 1..4 {
        let settings = [
            ("bind", format!("127.0.0.{round}")),
            ("port", format!("600{round}")),
            ("request_timeout_ms", format!("50{round}")),
            ("public_address", format!("203.0.113.{round}")),
        ];
        let mut children = Vec::new();
        for (backend, (key, value)) in settings.iter().flat_map(|set| [("lab", set), ("lab2", set)]) {
            children
                .push(home.bitboot(&["backend", "set", backend, &format!("{key}={value}")]).spawn().unwrap());
        }
        assert!(children.into_iter().all(|child| end(child) == Some(0)));
        let registry: toml::Table = fs::read_to_string(home.registry()).unwrap().parse().unwrap();
        for (backend, (key, value)) in settings.iter().flat_map(|set| [("lab", set), ("lab2", set)]) {
            let kept = registry["backends"][backend]["config"].get(*key).map(ToString::to_string);
            // Of addresses there may be one for each family: a list.
            assert_eq!(kept.unwrap().trim_matches(['[', '"', ']']), value, "{backend} {key}");
        }
    }
}

#[test]
fn what_ships_is_not_copied_and_cannot_be_taken_back() {
    let home = Home::new();
    home.ok(&["backend", "set", "bittorrent", "bind=127.0.0.1"]);
    let before = fs::read_to_string(home.registry()).unwrap();
    assert!(before.contains("bind") && !before.contains("bootstrap"), "{before}");
    let refused = home.run(&["backend", "set", "bittorrent", "bootstrap="]);
    assert_eq!(refused.code(), 2);
    assert!(refused.err().contains("ships with bitboot") && refused.err().contains("\n  fix: "));
    assert_eq!(fs::read_to_string(home.registry()).unwrap(), before);
}

#[test]
fn a_secret_is_never_replaced() {
    let home = Home::new();
    home.ok(&["network", "add", "club", "--secret", "new"]);
    let (invite, good) = (home.invite("club"), fs::read_to_string(home.registry()).unwrap());
    let bad = good.replace("secret = true", "secret = 7");
    assert_ne!(bad, good);
    fs::write(home.registry(), bad).unwrap();
    let refused = home.run(&["network", "add", "club", "--secret", "new"]);
    assert_eq!(refused.code(), 2, "{}", refused.err());
    assert!(refused.err().contains("has another secret already"), "{}", refused.err());
    fs::write(home.registry(), good).unwrap();
    assert_eq!(home.invite("club"), invite);
}

#[test]
fn a_name_and_the_digits_of_its_hash_have_secrets_of_their_own() {
    // SHA-1 of "demo".
    const DIGITS: &str = "89e495e7941cf9e40e6980d14a16bf023ccd4c91";
    let home = Home::new();
    for network in ["demo", DIGITS] {
        home.ok(&["network", "add", network, "--secret", "new"]);
    }
    let secrets = || fs::read_dir(home.path().join("data/secrets")).unwrap().count();
    assert_eq!(secrets(), 2);
    let invite = home.invite(DIGITS);
    home.ok(&["network", "remove", "demo"]);
    assert_eq!((home.invite(DIGITS), secrets()), (invite, 1));
}

#[test]
fn join_takes_its_announcement_back_when_nobody_reads_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = Home::share(folder.path());
    bob.ok(&["announce", "demo", "--port", "4002", "--via", "local", "--once"]);
    let words = ["join", "demo", "--port", "4001", "--via", "local", "--every", "200ms", "--plain"];
    let mut joined = alice.bitboot(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(joined.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "127.0.0.1:4002\n");
    // The pipe is closed now; somebody comes whom it has to tell.
    bob.ok(&["announce", "demo", "--port", "4003", "--via", "local", "--once"]);
    assert_eq!(end(joined), Some(0));
    assert_eq!(lookup(&bob, "demo").peers(), ["127.0.0.1:4002", "127.0.0.1:4003"]);
    assert!(keepers(&alice).is_empty());
}

#[cfg(unix)]
#[test]
fn an_announcement_ends_with_its_reader() {
    let home = Home::new();
    let words = ["announce", "demo", "--port", "4001", "--via", "local"];
    let mut announcing = home.bitboot(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(announcing.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("demo\tlocal\tannounce\t"), "{line}");
    // There is nothing more to tell for an hour.
    assert_eq!(end(announcing), Some(0));
    assert_eq!(lookup(&home, "demo").code(), 3);
}

#[test]
fn what_was_announced_in_several_networks_is_taken_back_when_nobody_reads() {
    let home = Home::new();
    let words = ["announce", "red", "blue", "--port", "4001", "--via", "local"];
    let mut announcing = home.bitboot(&words).stdout(Stdio::piped()).spawn().unwrap();
    drop(announcing.stdout.take());
    assert_eq!(end(announcing), Some(0));
    assert_eq!((lookup(&home, "red").code(), lookup(&home, "blue").code()), (3, 3));
}

#[test]
fn join_tells_of_others_only() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = Home::share(folder.path());
    let words = ["join", "demo", "--port", "4001", "--via", "local", "--every", "200ms"];
    let [json, plain] = ["--json", "--plain"].map(|mode| alice.start(&[&words[..], &[mode]].concat()));
    json.json_of("receipt");
    std::thread::sleep(Duration::from_millis(600));
    bob.ok(&["announce", "demo", "--port", "4002", "--via", "local", "--once"]);
    assert_eq!(json.json_of("peer_added")["peer"], "127.0.0.1:4002");
    assert_eq!(plain.line(), "127.0.0.1:4002");
    for running in [json, plain] {
        running.signal("INT");
        let rest = running.rest();
        assert!(rest.iter().all(|line| line.starts_with("{\"v\":1") && !line.contains("4001")), "{rest:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_killed_process_announced_is_signed_no_more() {
    let home = Home::new();
    let mut killed = keep(&home, "demo", "4001", &[]);
    killed.signal("KILL");
    killed.end();
    let _kept = keep(&home, "demo", "4002", &[]);
    assert_eq!(lookup(&home, "demo").peers(), ["127.0.0.1:4002"]);
}

#[test]
fn the_metadata_of_each_process_is_in_the_record_of_the_node() {
    let home = Home::new();
    home.ok(&["network", "add", "club", "--secret", "new"]);
    let first = keep(&home, "club", "4001", &["--meta", "game=chess"]);
    let second = keep(&home, "club", "4002", &["--meta", "name=Ann"]);
    let meta = || lookup(&home, "club").of_type("peer")[0]["meta"].clone();
    assert_eq!(meta(), serde_json::json!({ "game": "chess", "name": "Ann" }));
    interrupt(second);
    assert_eq!(meta(), serde_json::json!({ "game": "chess" }));
    interrupt(first);
    assert_eq!(lookup(&home, "club").code(), 3);
}

#[test]
fn what_could_not_be_withdrawn_can_be_tried_again() {
    let home = Home::new();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home.ok(&["backend", "disable", "local"]);
    assert_ne!(home.run(&["withdraw", "demo"]).code(), 0);
    assert_eq!(keepers(&home).len(), 1);
    home.ok(&["backend", "enable", "local"]);
    home.ok(&["withdraw", "demo"]);
    assert!(keepers(&home).is_empty());
    assert_eq!(lookup(&home, "demo").code(), 3);
}

/// The backends of what a home announces, as `status` tells.
fn placed(home: &Home) -> Vec<String> {
    let lines = home.ok(&["status", "--json"]).of_type("announced");
    lines.iter().map(|line| line["backend"].as_str().unwrap().to_owned()).collect()
}

/// A second backend of the kind of `local`, in a folder of its own.
fn add_second(home: &Home) {
    let folder = format!("folder={}", home.path().join("second").display());
    home.ok(&["backend", "add", "second", "--plugin", "local", "--set", &folder]);
}

#[test]
fn what_is_announced_on_another_backend_too_is_taken_back_on_both() {
    let home = Home::new();
    add_second(&home);
    for via in ["local", "second"] {
        home.ok(&["announce", "demo", "--port", "4001", "--via", via, "--once"]);
    }
    assert_eq!(placed(&home), ["local", "second"]);
    home.ok(&["withdraw", "demo"]);
    for via in ["local", "second"] {
        assert_eq!(home.run(&["lookup", "demo", "--via", via]).code(), 3);
    }
    assert!(placed(&home).is_empty());
}

#[test]
fn who_keeps_the_same_elsewhere_takes_its_own_back() {
    let home = Home::new();
    add_second(&home);
    let words = ["announce", "demo", "--port", "4001", "--json", "--via"];
    let [first, second] = ["local", "second"].map(|via| {
        let kept = home.start(&[&words[..], &[via]].concat());
        kept.json_of("receipt");
        kept
    });
    for (goes, via, left) in [(first, "local", &["second"][..]), (second, "second", &[][..])] {
        interrupt(goes);
        assert_eq!(home.run(&["lookup", "demo", "--via", via]).code(), 3);
        assert_eq!(placed(&home), left);
    }
}

#[test]
fn a_slow_goodbye_hides_no_other_and_can_be_said_again() {
    let home = Home::new();
    home.add_misbehaving("slow", "slow", "withdraw_ms = 600000");
    let mut kept =
        home.start(&["announce", "demo", "--peer", "127.0.0.1:4001", "--via", "local,slow", "--json"]);
    for _ in 0..2 {
        kept.json_of("receipt");
    }
    kept.signal("INT");
    assert_eq!(kept.end().0, Some(130));
    let goodbye = kept.json_of("receipt");
    assert_eq!((&goodbye["op"], &goodbye["backend"]), (&"withdraw".into(), &"local".into()));
    assert_eq!((placed(&home), keepers(&home)), (vec!["slow".to_owned()], vec![Value::Null]));

    // Killed while it takes it back, which then is not done.
    let words = ["withdraw", "demo", "--json", "--timeout", "600s"];
    let mut killed = home.start(&words);
    std::thread::sleep(Duration::from_secs(2));
    killed.signal("KILL");
    killed.end();
    assert_eq!(placed(&home), ["slow"]);
    home.ok(&["backend", "set", "slow", "withdraw_ms=0"]);
    home.ok(&words);
    assert!(placed(&home).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_has_other_numbers_for_processes_sees_that_it_is_kept() {
    let home = Home::new();
    let kept = keep(&home, "demo", "4001", &[]);
    let apart = |words: &[&str]| {
        let bitboot = env!("CARGO_BIN_EXE_bitboot");
        let all =
            [&["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", bitboot], words].concat();
        Ran(home.program(std::path::Path::new("unshare"), &all).output().unwrap())
    };
    let status = apart(&["status", "--json"]);
    if status.err().starts_with("unshare: ") {
        return;
    }
    assert_eq!(status.of_type("announced")[0]["kept_by"], kept.pid(), "{}", status.err());
    // It keeps another port: the node's record has both.
    assert_eq!(apart(&["announce", "demo", "--port", "4002", "--via", "local", "--once"]).code(), 0);
    assert_eq!(lookup(&home, "demo").peers(), ["127.0.0.1:4001", "127.0.0.1:4002"]);
    interrupt(kept);
}

#[test]
fn nobody_is_asked_who_wants_no_questions() {
    let home = Home::new();
    let mut terminal = Terminal::new();
    terminal.start_all(home.bitboot(&["--no-input", "network", "add", "-"]));
    let (status, shown) = terminal.finish();
    assert!(status.code() == Some(2) && shown.contains("--no-input forbids to ask"), "{shown:?}");
}

#[test]
fn variables_mean_what_others_mean_by_them() {
    let home = Home::new();
    home.ok(&["network", "add", "demo", "--via", "local"]);
    let with_empty = |words: &[&str]| Ran(home.bitboot(words).env("BITBOOT_VIA", "").output().unwrap());
    assert_eq!(with_empty(&["announce", "demo", "--port", "4001", "--once"]).code(), 0);
    assert_eq!(with_empty(&["lookup", "demo", "--json"]).peers(), ["127.0.0.1:4001"]);

    let mut terminal = Terminal::new();
    let mut command = home.bitboot(&["lookup", "demo"]);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "0");
    terminal.start_all(command);
    let (_, shown) = terminal.finish();
    assert!(shown.contains("4001") && !shown.contains("\u{1b}[1m"), "{shown:?}");
}

#[test]
fn a_plugin_that_is_switched_off_takes_its_backends_along() {
    let home = Home::new();
    home.ok(&["plugin", "disable", "mainline"]);
    home.ok(&["announce", "demo", "--port", "4001", "--once"]);
    let found = home.ok(&["lookup", "demo", "--json"]);
    assert_eq!(found.peers(), ["127.0.0.1:4001"]);
    assert!(!(found.out() + &found.err()).contains("bittorrent"), "{}{}", found.out(), found.err());
}
