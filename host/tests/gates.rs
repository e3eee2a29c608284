//! The eleven gates: what is broken stops exactly at its gate, with a code of its own and a way out, and hides nobody.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use support::{Author, Home, PLUGIN, Ran, flip, library, misfit, with_manifest};

/// A home in which somebody is found by the backend `local`.
fn peopled() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home
}

/// A plugin with a backend `mine`.
fn with(home: &Home, path: &Path) {
    home.add_plugin("mine", path);
    home.append("[backends.mine]\nplugin = \"mine\"\n");
}

/// A plugin of a package with a backend `voice`, which works.
fn installed() -> (Author, Home) {
    let (author, home) = (Author::new(), peopled());
    home.trust(&author);
    home.ok(&["plugin", "install", author.publish("1.0.0").to_str().unwrap()]);
    home.works();
    (author, home)
}

const PLENTY: &str = "60s";

fn lookup(home: &Home, via: &str) -> Ran {
    home.run(&["lookup", "demo", "--via", via, "--timeout", PLENTY, "--json"])
}

/// Alone it fails with its exit code and gate and says what helps; beside another one it costs its own row.
#[track_caller]
fn stops(home: &Home, via: &str, code: i32, gate: &str, fix: &str) {
    let alone = lookup(home, via);
    assert_eq!((alone.code(), alone.peers().len()), (code, 0), "{gate}: {}", alone.err());
    let failed = alone.lines().into_iter().find(|line| line["gate"] == gate);
    let failed = failed.unwrap_or_else(|| panic!("{gate}: {}", alone.out()));
    assert!(failed["fix"].as_str().unwrap().contains(fix), "{gate}: {failed}");
    let beside = lookup(home, &format!("{via},local"));
    assert_eq!(
        (beside.code(), beside.peers()),
        (9, vec!["127.0.0.1:4001".into()]),
        "{gate}: {}",
        beside.err()
    );
}

#[test]
fn gate_1_what_is_switched_off_or_put_aside_is_not_opened() {
    let (_author, home) = installed();
    home.ok(&["plugin", "disable", PLUGIN]);
    stops(&home, "voice", 6, "disabled", "bitboot plugin enable vocal");
    home.ok(&["plugin", "enable", PLUGIN]);
    home.works();
    home.add_misbehaving("dies", "dies", "by = \"abort\"");
    assert_eq!(lookup(&home, "dies").code(), 6);
    stops(&home, "dies", 6, "put-aside", "bitboot plugin retry misbehaving");
}

#[test]
fn gate_2_what_others_could_have_changed_is_not_opened() {
    let (_author, home) = installed();
    let library = home.which();
    let mode = |mode| fs::set_permissions(&library, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o622);
    stops(&home, "voice", 7, "store", "install it again");
    mode(0o400);
    home.works();
    let elsewhere = home.path().join("elsewhere.so");
    fs::rename(&library, &elsewhere).unwrap();
    symlink(&elsewhere, &library).unwrap();
    stops(&home, "voice", 7, "store", "install it again");
    fs::remove_file(&library).unwrap();
    stops(&home, "voice", 6, "missing", "bitboot plugin install vocal --locked");
    with(&home, home.path());
    stops(&home, "mine", 6, "file", "bitboot plugin disable mine");
}

#[test]
fn gate_3_a_changed_byte_is_not_opened() {
    let (_author, home) = installed();
    let library = home.which();
    flip(&library, usize::try_from(fs::metadata(&library).unwrap().len()).unwrap() / 2);
    stops(&home, "voice", 7, "library-hash", "bitboot plugin install vocal --locked");
    home.ok(&["plugin", "install", PLUGIN, "--locked"]);
    home.works();
}

#[test]
fn gate_4_whom_nobody_trusts_any_more_is_not_opened() {
    let (author, home) = installed();
    home.ok(&["trust", "revoke", "Ann"]);
    stops(&home, "voice", 7, "revoked", "bitboot trust add");
    home.ok(&["trust", "add", &author.public]);
    home.works();
}

/// A library in a file of its own.
fn file(home: &Home, bytes: &[u8]) -> std::path::PathBuf {
    let path = home.path().join("mine.so");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn gate_5_another_machine_or_api_is_seen_before_anything_runs() {
    const MACHINE: usize = 18;
    let home = peopled();
    let good = fs::read(library("bitboot_local")).unwrap();
    let mut other = good.clone();
    // SPARC, in ELF.
    other[MACHINE..MACHINE + 2].copy_from_slice(&43_u16.to_ne_bytes());
    with(&home, &file(&home, &other));
    if cfg!(target_os = "linux") {
        stops(&home, "mine", 6, "library", "bitboot plugin install");
    }
    file(&home, &with_manifest(&[("api = 1", "api = 9")]));
    stops(&home, "mine", 6, "manifest", "bitboot plugin install");
    file(&home, &good);
    lookup(&home, "mine").lines().iter().for_each(|line| assert_eq!(line["gate"].as_str(), None, "{line}"));
}

/// With as few descriptors as are too few for a process more, and enough for everything before.
#[test]
fn gate_6_without_a_process_nothing_is_opened() {
    let home = peopled();
    with(&home, &library("bitboot_local"));
    let limited = |most: u32| {
        let script = format!("ulimit -n {most}; exec \"$0\" \"$@\"");
        let words =
            ["-c", &script, env!("CARGO_BIN_EXE_bitboot"), "lookup", "demo", "--via", "mine", "--json"];
        Ran(home.program(Path::new("sh"), &words).output().unwrap())
    };
    let stopped = (8..40).map(limited).find(|ran| ran.out().contains("\"gate\":\"worker\""));
    let stopped = stopped.expect("no number of descriptors is too few for a worker only");
    assert_eq!(stopped.code(), 6, "{}", stopped.err());
    let failed = stopped.lines().into_iter().find(|line| line["gate"] == "worker").unwrap();
    assert!(failed["error"].as_str().unwrap().contains("its process cannot be started"), "{failed}");
    assert!(failed["fix"].as_str().unwrap().contains("bitboot doctor"), "{failed}");
    // With enough of them it opens, and finds who was announced on this machine.
    assert_eq!(limited(256).code(), 0);
}

/// It is whole, and wants another library that is nowhere.
#[cfg(target_os = "linux")]
#[test]
fn gate_7_what_the_system_does_not_load_is_told() {
    let home = peopled();
    let (wanted, absent) = (b"libgcc_s.so.1\0", b"libgcc_x.so.1\0");
    let mut bytes = fs::read(library("bitboot_local")).unwrap();
    let at = bytes.windows(wanted.len()).position(|part| part == wanted).unwrap();
    bytes[at..at + absent.len()].copy_from_slice(absent);
    with(&home, &file(&home, &bytes));
    stops(&home, "mine", 6, "load", "bitboot plugin disable mine");
}

#[test]
fn gates_8_to_10_what_is_no_plugin_for_this_host_is_found_out() {
    for (name, gate) in
        [("no_magic", "magic"), ("no_layout", "layout"), ("no_root", "layout"), ("liar", "truth")]
    {
        let home = peopled();
        with(&home, &misfit(name));
        stops(&home, "mine", 6, gate, "bitboot plugin disable mine");
    }
}

#[test]
fn gate_11_what_is_not_ready_in_time_is_left_behind() {
    let home = peopled();
    with(&home, &misfit("sleeps_on_load"));
    stops(&home, "mine", 6, "ready", "bitboot plugin disable mine");
}
