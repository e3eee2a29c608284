//! Secrets that would be recognized are planted, every command that touches them is run, and all that was written is searched.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Home, PATIENCE, Ran};

/// Bytes that stand nowhere else, as digits; a part of either betrays them.
const KEY: &str = "00c0ffee5eedcafe00c0ffee5eedcafe00c0ffee5eedcafe00c0ffee5eedcafe";
const PASSPHRASE: &str = "canary-passphrase-7f3a";

/// The forms in which the key could show.
fn betrayals() -> Vec<Vec<u8>> {
    let bytes = data_encoding::HEXLOWER.decode(KEY.as_bytes()).unwrap();
    let base64 = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    let mut all = vec![KEY[8..40].into(), bytes[4..20].to_vec(), base64.as_bytes()[4..24].to_vec()];
    all.push(PASSPHRASE.into());
    all
}

fn search(what: &str, bytes: &[u8]) {
    for betrayal in betrayals() {
        let found = bytes.windows(betrayal.len()).any(|part| part == betrayal);
        assert!(!found, "{what} has a secret in it: {:?}", String::from_utf8_lossy(&betrayal));
    }
}

fn search_folder(folder: &Path, except: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            search_folder(&entry, except);
        } else if entry.is_file() && entry.parent() != Some(except) {
            search(&entry.display().to_string(), &fs::read(&entry).unwrap());
        }
    }
}

#[test]
fn nothing_that_is_written_has_a_secret_in_it() {
    let home = Home::new();
    home.forget_the_world();
    let planted = home.path().join("planted");
    fs::create_dir(&planted).unwrap();
    let [key, passphrase] = [("key", KEY), ("passphrase", PASSPHRASE)].map(|(name, text)| {
        fs::write(planted.join(name), text).unwrap();
        planted.join(name).display().to_string()
    });
    let folder = home.path().join("toll").display().to_string();
    home.add_misbehaving("toll", "toll", &format!("folder = {folder:?}"));
    home.add_misbehaving("slow", "toll", &format!("folder = {folder:?}, pause_ms = 600000"));
    let limits = "--per-transaction 1TOL --per-day 1TOL";
    home.run(&["key", "stores", "--helper", &format!("python3 {}", planted_helper(&planted))]);
    for words in [
        &format!("key import mine {key} --store file"),
        "key import mine /nonexistent --store file",
        "key import bad - --store file",
        "key new other --kind ed25519 --store file",
        "key list",
        "key show mine --json",
        "key stores",
        "key default mine",
        &format!("key policy mine --allow toll {limits}"),
        &format!("key policy mine --allow slow {limits}"),
        "key export mine",
        "key export node",
        // The node's key is the same one here, and a network's secret too.
        &format!("key import node {key} --kind ed25519"),
        &format!("key import node {key} --kind ed25519 --store env"),
        "key show node",
        "key move node --store file",
        &format!("network add club --secret {key}"),
        "network show club --json",
        "key move --network club --store file",
        "key move --network club --store nowhere",
        "key move mine --store helper",
        "announce club --port 4001 --via local --once --json",
        "lookup club --via local --json",
        "network list --json",
        "network remove club --forget",
        "doctor --json",
        "announce n --peer 127.0.0.1:1 --via toll --once --dry-run --json",
        "announce n --peer 127.0.0.1:1 --via toll --once --yes",
        "announce n --peer 127.0.0.1:1 --via toll --once --yes --json",
        "lookup n --via toll",
        "status",
        "doctor",
        "key remove other --yes",
    ] {
        let mut command = home.bitboot(&words.split(' ').collect::<Vec<_>>());
        command.args(["-vvv", "--passphrase-file", &passphrase]).env("BITBOOT_KEY_CI", KEY);
        let ran = Ran(command.output().unwrap());
        search(words, &ran.0.stdout);
        search(words, &ran.0.stderr);
        // A text that is no key is not repeated.
        let wrong = home.feed(&["key", "import", "bad", "--store", "file"], &format!("{KEY}00"));
        search("a key that is none", &wrong.0.stderr);
    }
    assert!(fs::read_dir(&folder).unwrap().count() > 1, "nothing was signed, so nothing could show");
    for sealed in ["mine", "node"] {
        let file = home.path().join(format!("data/keys/{sealed}.json"));
        assert!(file.exists(), "{sealed} was not kept, so nothing could show");
    }
    dies_without_a_word(&home, &passphrase);
    search_folder(home.path(), &planted);
}

/// A process that has the key in its memory and dies of a fault.
fn dies_without_a_word(home: &Home, passphrase: &str) {
    let place = tempfile::tempdir().unwrap();
    let script = "ulimit -c unlimited; exec \"$0\" \"$@\"";
    let words = [
        "announce",
        "n",
        "--peer",
        "127.0.0.1:1",
        "--via",
        "slow",
        "--once",
        "--yes",
        "--passphrase-file",
        passphrase,
    ];
    let shell = ["-c", script, env!("CARGO_BIN_EXE_bitboot")];
    let mut command = home.program(Path::new("/bin/bash"), &[&shell[..], &words, &["-vvv"]].concat());
    let told = fs::File::create(place.path().join("stderr")).unwrap();
    let mut child = command.current_dir(place.path()).stdout(Stdio::null()).stderr(told).spawn().unwrap();
    let log = home.path().join("state/audit.jsonl");
    let start = std::time::Instant::now();
    while !fs::read_to_string(&log).unwrap_or_default().contains("\"backend\":\"slow\"") {
        assert!(start.elapsed() < PATIENCE, "it does not sign");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for pid in [child.id(), support::process::worker(child.id())] {
        for (file, bytes) in support::process::visible(pid) {
            search(&file.display().to_string(), &bytes);
        }
    }
    abort(child.id());
    child.wait().unwrap();
    // The system makes cores here, of others: else this would prove nothing.
    let other = ["-c", "ulimit -c unlimited; exec sleep 600"];
    let mut control = Command::new("/bin/bash").args(other).current_dir(place.path()).spawn().unwrap();
    let pid = control.id();
    // It has set its limit when it has become what it is to be.
    support::process::wait("it does not begin", || {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.starts_with(b"sleep"))
    });
    abort(pid);
    control.wait().unwrap();
    let left = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let cores: Vec<_> = left.filter(|name| name != "stderr").collect();
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if !pattern.starts_with(['|', '/']) {
        assert_eq!(cores.len(), 1, "one core, of the other process: {cores:?}");
    }
    search_folder(place.path(), Path::new("/nonexistent"));
}

/// A helper that answers each request with all that it was given.
fn planted_helper(folder: &Path) -> String {
    let file = folder.join("helper.py");
    fs::write(&file, "import sys; line = sys.stdin.readline(); print(line); print(line, file=sys.stderr)")
        .unwrap();
    file.display().to_string()
}

fn abort(pid: u32) {
    assert!(Command::new("kill").args(["-ABRT", &pid.to_string()]).status().unwrap().success());
}
