//! What costs money: told before, agreed to, limited, counted and written down. The medium's prices are invented, see `misbehaving/src/toll.rs`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Home, Ran, Terminal, rig};

/// A home with a key that may spend 0.01 TOL at once and 0.005 TOL a day on `toll`.
fn home(config: &str) -> (Home, String) {
    support::away_from_midnight();
    let home = Home::new();
    home.forget_the_world();
    let file = home.path().join("passphrase");
    fs::write(&file, "correct horse battery staple").unwrap();
    let file = file.to_str().unwrap().to_owned();
    toll(&home, "toll", config);
    home.ok(&["key", "new", "mine", "--kind", "secp256k1", "--store", "file", "--passphrase-file", &file]);
    grant(&home, "mine");
    (home, file)
}

fn toll(home: &Home, name: &str, config: &str) {
    home.add_misbehaving(name, "toll", &format!("folder = {:?}{config}", folder(home).display().to_string()));
}

fn grant(home: &Home, key: &str) {
    home.ok(&[
        "key",
        "policy",
        key,
        "--allow",
        "toll",
        "--per-transaction",
        "0.01 TOL",
        "--per-day",
        "0.005 TOL",
    ]);
}

fn folder(home: &Home) -> PathBuf {
    home.path().join("toll")
}

fn written(home: &Home) -> usize {
    fs::read_dir(folder(home)).map_or(0, Iterator::count)
}

/// The words of an announcement that costs something.
fn words<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let peer = ["announce", "demo", "--peer", "127.0.0.1:4001", "--via", "toll", "--once"];
    [&peer[..], &["--passphrase-file", file], more].concat()
}

fn announce(home: &Home, file: &str, more: &[&str]) -> Ran {
    home.run(&words(file, more))
}

fn audit(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.path().join("state/audit.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn refused(home: &Home, ran: &Ran, code: i32, says: &str) {
    ran.is_refused(code, says);
    assert_eq!(written(home), 0);
}

#[test]
fn nothing_is_spent_without_a_person_or_a_limit() {
    let (home, file) = home("");
    let dry = announce(&home, &file, &["--dry-run", "--json"]);
    let quote = &dry.of_type("quote")[0];
    assert_eq!((dry.code(), &quote["fee"], &quote["test_network"]), (0, &"0.002 TOL".into(), &true.into()));
    refused(&home, &announce(&home, &file, &[]), 8, "--yes --max-fee '0.002 TOL'");
    refused(&home, &announce(&home, &file, &["--max-fee", "0.002 TOL"]), 8, "was not confirmed");
    refused(&home, &announce(&home, &file, &["--yes", "--max-fee", "0.001 TOL"]), 12, "over the limit");
    refused(&home, &announce(&home, &file, &["--yes", "--max-fee", "1 LOT"]), 12, "over the limit");
    let joining = home.start(&["join", "demo", "--port", "1", "--via", "toll", "--json"]);
    assert_eq!(joining.json_of("backend_error")["code"], "needs-human");
    drop(joining);
    assert_eq!(audit(&home).len(), 0, "nothing was asked for");

    let done = announce(&home, &file, &["--yes", "--max-fee", "0.002 TOL"]);
    assert_eq!((done.code(), written(&home)), (0, 1), "{}", done.err());
    let again =
        "the same again, without questions: bitboot announce demo --peer 127.0.0.1:4001 --via toll --once";
    assert!(done.err().contains(again), "{}", done.err());
    assert_eq!(home.ok(&["lookup", "demo", "--via", "toll", "--json"]).peers(), ["127.0.0.1:4001"]);
    let [line] = &audit(&home)[..] else { panic!() };
    assert_eq!(
        (&line["key"], &line["fee"], &line["refused"]),
        (&"mine".into(), &"0.002 TOL".into(), &Value::Null)
    );
    assert_eq!(
        (&line["plugin"], &line["backend"], &line["purpose"]),
        (&"misbehaving".into(), &"toll".into(), &"to write one file".into())
    );
    // What was spent is told by who touches no store.
    let told = home.ok(&["status", "--json"]).of_type("spent").remove(0);
    let expected = serde_json::json!({ "v": 1, "type": "spent", "key": "mine", "backend": "toll", "spent": "0.002 TOL", "per_day": "0.005 TOL" });
    assert_eq!(told, expected);
    let says = "spent today (UTC) with the key \"mine\" on \"toll\": 0.002 TOL of 0.005 TOL";
    assert!(home.ok(&["status"]).err().contains(says));
    assert!(home.ok(&["key", "list"]).out().contains("0.002 TOL spent on toll today"));
    // A limit in the policy is as good as one that is said; then the day is over.
    assert_eq!(announce(&home, &file, &["--yes"]).code(), 0);
    let third = announce(&home, &file, &["--yes"]);
    assert_eq!((third.code(), written(&home)), (8, 2), "{}", third.err());
    assert!(third.err().contains("may spend in a day"), "{}", third.err());
    assert!(audit(&home)[2]["refused"].as_str().unwrap().contains("in a day"));
}

#[test]
fn a_person_is_asked_and_decides() {
    let (home, file) = home("");
    for (keys, code, count) in [("n\n", 8, 0), ("y\n", 0, 1)] {
        let mut terminal = Terminal::new();
        terminal.start_all(home.bitboot(&words(&file, &[])));
        terminal.until("spend 0.002 TOL on announcing \"demo\" on \"toll\"? [y/N] ");
        terminal.keys(keys);
        let (status, shown) = terminal.finish();
        assert_eq!((status.code(), written(&home)), (Some(code), count), "{shown}");
        assert!(shown.contains("costs at most 0.002 TOL (worth nothing)"), "{shown}");
    }
}

#[test]
fn what_is_not_granted_is_refused_and_written_down() {
    for (config, prepare, says) in [
        ("", "policy mine --deny toll", "may not use the key \"mine\""),
        ("", "policy mine --allow toll", "may not spend with the key \"mine\""),
        ("", "policy mine --allow toll --per-transaction 0.001TOL --per-day 1TOL", "the limit is 0.001 TOL"),
        (", takes = \"0.003 TOL\"", "", "0.002 TOL is left of what was agreed to"),
        (", times = 2", "", "has signed as often as was agreed to"),
        // What is said to spend nothing could spend everything.
        (", times = 2, takes = \"0 TOL\"", "", "has signed as often as was agreed to"),
        (", times = 3, signatures = 2, takes = \"?\"", "", "has signed as often as was agreed to"),
        (", times = 2, signatures = 2", "", "0 TOL is left of what was agreed to"),
        (", signatures = 65", "", "wants 65 signatures for announcing"),
        (", takes = \"?\", times = 3, signatures = 3, fee = \"0.003 TOL\"", "", ""),
        (", scheme = \"ed25519\"", "", "there is no ed25519 key"),
    ] {
        let (home, file) = home(config);
        if !prepare.is_empty() {
            home.ok(&[&["key"][..], &prepare.split(' ').collect::<Vec<_>>()].concat());
        }
        let ran = announce(&home, &file, &["--yes", "--max-fee", "0.1 TOL"]);
        let refusals: Vec<_> =
            audit(&home).iter().filter_map(|line| line["refused"].as_str().map(ToOwned::to_owned)).collect();
        if says.is_empty() {
            // It does not tell: the first signature takes all that was agreed to, the others spend nothing more.
            let spent = fs::read_to_string(home.path().join("state/spending.json")).unwrap();
            assert_eq!(spent.matches("0.003 TOL").count(), 1, "{spent}");
            continue;
        }
        assert!([4, 5, 6, 8].contains(&ran.code()), "{config} {prepare}: {}", ran.err());
        assert!(ran.err().contains(says), "{config} {prepare}: {}", ran.err());
        // What is refused when it is quoted is never asked to be signed.
        let asked = !config.contains("65");
        assert_eq!(refusals.iter().any(|why| why.contains(says)), asked, "{config} {prepare}: {refusals:?}");
        assert_eq!(written(&home), 0, "{config} {prepare}");
    }
}

#[test]
fn real_money_needs_a_word_in_the_registry() {
    let (home, file) = home(", real = true");
    refused(&home, &announce(&home, &file, &["--yes", "--max-fee", "1 TOL"]), 13, "would spend real money");
    home.ok(&["backend", "set", "toll", "--mainnet", "true"]);
    assert_eq!(announce(&home, &file, &["--yes", "--max-fee", "1 TOL"]).code(), 0);
}

#[test]
fn a_process_that_dies_between_counting_and_broadcasting_spends_less_than_it_counted() {
    let (home, file) = home(", fee = \"0.003 TOL\", pause_ms = 600000");
    let mut command = home.bitboot(&words(&file, &["--yes", "--timeout", "600s"]));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = std::time::Instant::now();
    while audit(&home).is_empty() {
        assert!(start.elapsed() < support::PATIENCE, "it does not sign");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(written(&home), 0);
    assert!(fs::read_to_string(home.path().join("state/spending.json")).unwrap().contains("0.003 TOL"));
    // What was counted is gone for today, though nothing was broadcast.
    let ran = announce(&home, &file, &["--yes"]);
    refused(&home, &ran, 8, "may spend in a day");
}

fn withdraw(home: &Home, file: &str, more: &[&str]) -> Ran {
    home.run(&[&["withdraw", "demo", "--json", "--passphrase-file", file], more].concat())
}

/// The backends of what a home announces, as `status` tells.
fn placed(home: &Home) -> Vec<String> {
    let lines = home.ok(&["status", "--json"]).of_type("announced");
    lines.iter().map(|line| line["backend"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_costs_money_to_take_back_stays_until_somebody_agrees() {
    let (home, file) = home(", fee = \"0.001 TOL\"");
    for kept in [true, false] {
        if kept {
            let words = words(&file, &["--yes", "--json"]);
            let words: Vec<_> = words.into_iter().filter(|word| *word != "--once").collect();
            let mut keeper = home.start(&words);
            keeper.json_of("receipt");
            keeper.signal("INT");
            assert_eq!(keeper.end().0, Some(130));
        } else {
            assert_eq!(announce(&home, &file, &["--yes"]).code(), 0);
        }
        let before = written(&home);
        for _ in 0..2 {
            let free = withdraw(&home, &file, &[]);
            assert!(free.code() == 0 && free.out().contains("costs money"), "{} {}", free.out(), free.err());
            assert_eq!((placed(&home), written(&home)), (vec!["toll".to_owned()], before));
        }
        let paid = withdraw(&home, &file, &["--yes", "--max-fee", "0.001 TOL"]);
        assert_eq!((paid.code(), written(&home)), (0, before + 1), "{}", paid.err());
        assert_eq!(paid.of_type("receipt")[0]["fee"], "0.001 TOL");
        assert_eq!((placed(&home).len(), home.run(&["lookup", "demo", "--via", "toll"]).code()), (0, 3));
    }
}

#[test]
fn what_is_out_and_paid_is_taken_back_though_its_plugin_died() {
    let (home, file) = home(", dies = true");
    let died = announce(&home, &file, &["--yes"]);
    assert_eq!((died.code(), written(&home)), (6, 1), "{}", died.err());
    home.retry("misbehaving");
    home.ok(&["backend", "set", "toll", "dies=false"]);
    // Nobody agrees to what that costs, and it stays.
    withdraw(&home, &file, &[]);
    assert_eq!(placed(&home), ["toll"]);
    let taken = withdraw(&home, &file, &["--yes"]);
    assert_eq!((taken.code(), written(&home), placed(&home).len()), (0, 2, 0), "{}", taken.err());
}

#[test]
fn who_was_stopped_while_it_spends_is_not_waited_for_without_end() {
    let (home, file) = home(", fee = \"0.001 TOL\"");
    assert_eq!(announce(&home, &file, &["--yes"]).code(), 0);
    let turn = fs::File::options().write(true).open(home.path().join("state/spending/toll.lock")).unwrap();
    turn.lock().unwrap();
    let says = "another bitboot is spending on backend \"toll\"";
    for ran in [
        announce(&home, &file, &["--yes", "--timeout", "8s"]),
        withdraw(&home, &file, &["--yes", "--timeout", "8s"]),
    ] {
        ran.is_refused(5, says);
        assert_eq!((audit(&home).len(), written(&home)), (1, 1));
    }
    let words = ["backend", "run", "toll", "sign", "--yes", "--passphrase-file", &file];
    home.run(&[&words[..], &["--timeout", "8s"]].concat()).is_refused(5, says);
    #[cfg(target_os = "linux")]
    {
        let mut waits = home.start(&[&words[..], &["--timeout", "1h"]].concat());
        support::process::wait("it listens to no Ctrl-C", || catches_interrupts(waits.pid()));
        waits.signal("INT");
        assert_eq!(waits.end().0, Some(130));
    }
    drop(turn);
    home.ok(&words);
    assert_eq!(withdraw(&home, &file, &["--yes"]).code(), 0);
}

#[cfg(target_os = "linux")]
fn catches_interrupts(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << 1 != 0
}

#[test]
fn one_backend_that_cannot_be_paid_keeps_no_other_from_being_told() {
    for (bad, good, says) in [
        ("fee=lots", "fee=0.001 TOL", "does not say clearly what it costs"),
        ("signatures=65", "signatures=1", "wants 65 signatures"),
        ("scheme=ed25519", "scheme=ecdsa-recoverable", "there is no ed25519 key"),
    ] {
        let (home, file) = home(", fee = \"0.001 TOL\"");
        let both =
            ["announce", "demo", "--peer", "127.0.0.1:4001", "--via", "local,toll", "--once", "--json"];
        let both = [&both[..], &["--passphrase-file", &file, "--yes", "--max-fee", "0.001 TOL"]].concat();
        let receipts = |ran: &Ran| -> Vec<String> {
            ran.of_type("receipt").iter().map(|line| line["backend"].as_str().unwrap().to_owned()).collect()
        };
        home.ok(&both);
        home.ok(&["backend", "set", "toll", bad]);
        let announced = home.run(&both);
        assert_eq!(
            (announced.code(), receipts(&announced)),
            (9, vec!["local".to_owned()]),
            "{bad}: {}",
            announced.err()
        );
        assert!(announced.err().contains(says), "{bad}: {}", announced.err());
        let taken = withdraw(&home, &file, &["--yes", "--max-fee", "0.001 TOL"]);
        assert_eq!((taken.code(), receipts(&taken)), (9, vec!["local".to_owned()]), "{bad}: {}", taken.err());
        assert!(taken.err().contains(says), "{bad}: {}", taken.err());
        // It is there still, and can be taken back when the backend is well again.
        assert_eq!((placed(&home), written(&home)), (vec!["toll".to_owned()], 1));
        home.ok(&["backend", "set", "toll", good]);
        let again = withdraw(&home, &file, &["--yes", "--max-fee", "0.001 TOL"]);
        assert_eq!((again.code(), placed(&home).len(), written(&home)), (0, 0, 2), "{bad}: {}", again.err());
    }
}

#[test]
fn taking_back_goes_on_when_nobody_reads() {
    let (home, file) = home("");
    let both = ["announce", "demo", "--peer", "127.0.0.1:4001", "--via", "local,toll", "--once", "--yes"];
    home.ok(&[&both[..], &["--passphrase-file", &file]].concat());
    // It answers when the other's receipt could not be written any more.
    home.ok(&["backend", "set", "toll", "pause_ms=1500"]);
    let words = ["withdraw", "demo", "--json", "--yes", "--timeout", "60s", "--passphrase-file", &file];
    let mut command = home.bitboot(&words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!((written(&home), placed(&home).len()), (2, 0));
}

#[test]
fn other_programs_accept_the_signatures() {
    let Some(python) = rig("the Python packages of host/tests/keys", "venv/bin/python") else { return };
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/check.py");
    for (scheme, kind) in [
        ("ecdsa-der", "secp256k1"),
        ("ecdsa-recoverable", "secp256k1"),
        ("bip340", "secp256k1"),
        ("ed25519", "ed25519"),
        ("rsa-pss-sha256", "rsa4096"),
    ] {
        let (home, file) = home(&format!(", scheme = \"{scheme}\""));
        if kind != "secp256k1" {
            home.ok(&["key", "new", "more", "--kind", kind, "--store", "file", "--passphrase-file", &file]);
            grant(&home, "more");
        }
        let done = announce(&home, &file, &["--yes", "--max-fee", "0.002 TOL"]);
        assert_eq!(done.code(), 0, "{scheme}: {}", done.err());
        let written = folder(&home).join("0.json");
        let ran = Ran(Command::new(&python).arg(&check).arg(scheme).arg(&written).output().unwrap());
        assert_eq!(
            (ran.code(), ran.out().trim()),
            (0, "accepted; refused when changed"),
            "{scheme}: {}",
            ran.err()
        );
    }
}
