//! `plugin test`: whatever a plugin does, it breaks the clauses in which it does it, and the command tells the others.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::time::{Duration, Instant};

use support::{Home, Ran, library};

fn test(kind: &str, config: &[&str], words: &[&str]) -> Ran {
    test_within("300ms", kind, config, words)
}

fn test_within(patience: &str, kind: &str, config: &[&str], words: &[&str]) -> Ran {
    let library = library("bitboot_misbehaving");
    let mut all =
        vec!["plugin", "test", library.to_str().unwrap(), "--kind", kind, "--json", "--patience", patience];
    all.extend(config.iter().flat_map(|set| ["--config", set]));
    all.extend(words);
    Home::new().run(&all)
}

/// The clauses that are broken, with how.
fn broken(ran: &Ran) -> Vec<(String, String)> {
    let lines = ran.of_type("clause").into_iter().filter(|line| line["verdict"] == "broken");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    lines.map(|line| (text(&line["clause"]), text(&line["why"]))).collect()
}

/// It breaks these clauses and no others. Where others are late on a busy machine, it is tried again with more patience.
#[track_caller]
fn breaks(kind: &str, config: &[&str], clauses: &[&str]) -> Ran {
    let mut told = Vec::new();
    for patience in ["300ms", "1s", "1s", "20s"] {
        let ran = test_within(patience, kind, config, &[]);
        if names(&broken(&ran)) == clauses {
            return ran;
        }
        told.push((broken(&ran), ran.err()));
    }
    panic!("not {clauses:?}: {told:?}");
}

fn names(broken: &[(String, String)]) -> Vec<&str> {
    broken.iter().map(|(clause, _)| clause.as_str()).collect()
}

#[test]
fn a_plugin_without_fault_keeps_every_clause() {
    let local = library("bitboot_local");
    let words = ["plugin", "test", local.to_str().unwrap(), "--config", "folder={temp}/here", "--json"];
    let ran = Home::new().ok(&words);
    let summary = &ran.of_type("tested")[0];
    assert!(summary["kept"].as_u64().unwrap() > 35 && summary["broken"] == 0, "{summary}");
    assert_eq!(
        ran.of_type("clause").len() as u64,
        summary["kept"].as_u64().unwrap() + summary["not_judged"].as_u64().unwrap()
    );
    // It has no keys and no test of its own: the user's home is untouched, and that the noise was not made is told.
    let noise =
        ran.of_type("clause").into_iter().find(|line| line["clause"] == "noise_of_strangers_is_passed_over");
    assert_eq!(noise.unwrap()["verdict"], "not-applicable");
}

#[test]
fn each_fault_breaks_its_clause_alone() {
    for clause in [
        "caps_are_plausible",
        "ipv6_is_carried_or_refused",
        "oversize_value_is_refused",
        "stopped_call_ends",
        "cancelled_call_lets_go",
        "quote_covers_the_cost",
        "odd_values_cause_no_panic",
        "flood_of_calls_is_survived",
        "standard_output_is_left_alone",
        "calls_leave_nothing_behind",
    ] {
        let ran = breaks("careless", &[&format!("breaks={clause}")], &[clause]);
        assert_eq!(ran.code(), 6);
        assert!(
            ran.err().contains("breaks 1 clause of the contract") && ran.err().contains("--reproduce "),
            "{}",
            ran.err()
        );
    }
    breaks("careless", &["breaks=nothing"], &[]);
    breaks("lax", &[], &["unknown_config_key_is_refused"]);
}

#[test]
fn a_death_breaks_the_clause_in_which_it_happens() {
    for (by, how) in [
        ("abort", "its process was ended by signal 6 (abort)"),
        ("segfault", "its process was ended by signal 11 (segmentation fault)"),
        ("exit", "it ended its process with exit code 0"),
    ] {
        let ran =
            test("dies", &[&format!("by={by}")], &["--only", "unknown_locator_finds_nothing,saving_works"]);
        assert_eq!(ran.code(), 6, "{by}: {}", ran.err());
        // What comes after has a new process, and is kept.
        let lines = ran.of_type("clause");
        let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["kept", "broken", "kept"], "{by}: {lines:?}");
        assert_eq!(broken(&ran), [("unknown_locator_finds_nothing".to_owned(), how.to_owned())], "{by}");
    }
    // One that cannot even be opened is told once.
    let ran = test("panics", &["panic_in=open"], &[]);
    assert_eq!((ran.code(), names(&broken(&ran)), ran.of_type("clause").len()), (6, vec!["it_opens"], 2));
}

#[test]
fn what_never_ends_or_never_has_enough_is_ended() {
    let start = Instant::now();
    let words = ["--only", "unknown_locator_finds_nothing,saving_works", "--timeout", "6s"];
    for kind in ["hangs", "floods"] {
        let ran = test(kind, &[], &words);
        let told = broken(&ran);
        assert_eq!(names(&told), ["unknown_locator_finds_nothing"], "{kind}");
        // A flood is told as it ends: by what it found, or, on a machine that is busy, by the time.
        let is_told = told[0].1 == "no end within 6s; its process was ended"
            || kind == "floods" && told[0].1.contains("and 99992 more");
        assert!(is_told && told[0].1.len() < 10_000, "{kind}: {}", told[0].1);
    }
    assert!(start.elapsed() < Duration::from_secs(120));
    // One GiB is nothing for a machine and too much for a plugin.
    let memory =
        test("dies", &["by=memory"], &["--only", "unknown_locator_finds_nothing", "--timeout", "60s"]);
    assert_eq!(names(&broken(&memory)), ["unknown_locator_finds_nothing"]);
}

/// What stands in the user's own folders is hidden from the process with the plugin in it, and read for it.
#[cfg(target_os = "linux")]
#[test]
fn what_a_plugin_asks_to_read_is_read_for_it() {
    let home = Home::new();
    let cookie = home.path().join("cookie");
    let library = library("bitboot_misbehaving");
    let set = format!("cookie={}", cookie.display());
    let test = |more: &[&str], login: &str| {
        let words = ["plugin", "test", library.to_str().unwrap(), "--kind", "credentials", "--json"];
        let settings = ["--config", set.as_str(), "--config", "expects=open sesame"];
        let mut command = home.bitboot(&[&words[..], &settings, more].concat());
        Ran(command.env("BITBOOT_PLUGIN_MISBEHAVING_LOGIN", login).output().unwrap())
    };
    let only = ["--only", "announced_peer_is_found", "--patience", "300ms"];
    let login = [&only[..], &["--config", "login=alice"]].concat();

    std::fs::write(&cookie, "open sesame").unwrap();
    let whole = test(&["--config", "login=alice"], "alice");
    assert_eq!((whole.code(), broken(&whole)), (0, vec![]), "{}", whole.err());
    let broken_by = |more: &[&str], login: &str, how: &str| {
        let told = broken(&test(more, login));
        assert_eq!(names(&told), ["announced_peer_is_found"]);
        assert!(told[0].1.contains(how), "{told:?}");
    };
    broken_by(&login, "eve", "another login");
    // It cannot do that by itself, and would not at users'.
    broken_by(&[&only[..], &["--config", "pries=true"]].concat(), "alice", "Permission denied");
    // What is too long for a cookie is none.
    std::fs::write(&cookie, vec![b'x'; (64 << 10) + 1]).unwrap();
    broken_by(&only, "", "another cookie");
    std::fs::remove_file(&cookie).unwrap();
    broken_by(&only, "", "another cookie");
}

/// The command that makes the noise may do what its author may; the plugin may not.
#[cfg(target_os = "linux")]
#[test]
fn a_noise_that_is_a_command_leaves_the_plugin_confined() {
    let (shop, home) = (tempfile::tempdir().unwrap(), Home::new());
    // A crate whose library is there already: what cargo would say of it.
    let crate_folder = shop.path().join("noisy");
    std::fs::create_dir_all(crate_folder.join("src")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(crate_folder.join(name), text).unwrap();
    write("Cargo.toml", "");
    let cookie = home.path().join("cookie");
    std::fs::write(&cookie, "open sesame").unwrap();
    let noise = home.path().join("noise");
    write(
        "conformance.toml",
        &format!(
            "[credentials]\nconfig = {{ cookie = {cookie:?}, expects = \"open sesame\" }}\nnoise = [\"tee\", \"-a\", {noise:?}]\n"
        ),
    );
    let cargo = shop.path().join("cargo");
    let artifact = serde_json::json!({
        "reason": "compiler-artifact", "manifest_path": crate_folder.join("Cargo.toml"),
        "target": { "crate_types": ["cdylib"] }, "filenames": [library("bitboot_misbehaving")],
    });
    std::fs::write(&cargo, format!("#!/bin/sh\necho '{artifact}'\n")).unwrap();
    std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let test = |more: &[&str]| {
        let words = ["plugin", "test", crate_folder.to_str().unwrap(), "--kind", "credentials", "--json"];
        let only = ["--only", "noise_of_strangers_is_passed_over", "--patience", "300ms"];
        let mut command = home.bitboot(&[&words[..], &only, more].concat());
        Ran(command.env("CARGO", &cargo).output().unwrap())
    };
    let ran = test(&[]);
    assert_eq!((ran.code(), broken(&ran)), (0, vec![]), "{}", ran.err());
    assert!(std::fs::metadata(&noise).unwrap().len() > 200_000, "the noise was made");
    let told = broken(&test(&["--config", "pries=true"]));
    assert!(told[0].1.contains("Permission denied"), "{told:?}");
}

#[test]
fn a_setting_that_does_not_fit_is_no_fault_of_the_plugin() {
    let ran = test("careless", &["breks=nothing"], &[]);
    assert_eq!(ran.code(), 10, "{}", ran.err());
    assert!(
        ran.err().contains("there is no setting \"breks\"\n  fix: did you mean \"breaks\"?"),
        "{}",
        ran.err()
    );
    let kind = test("carless", &[], &[]);
    assert_eq!(kind.code(), 2);
    assert!(kind.err().contains("did you mean \"careless\"?"), "{}", kind.err());
}

/// The processes that have a plugin on trial and whose parent is a process, or was it.
#[cfg(target_os = "linux")]
fn sittings(of: u32) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_one = |pid: &u32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let parent = read("status").lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        read("cmdline").contains("__conformance") && parent == Some(of)
    };
    pids.filter(is_one).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_outlives_the_command() {
    use rustix::process::{Pid, Signal, kill_process};
    let library = library("bitboot_misbehaving");
    for (signal, code) in [(Signal::KILL, None), (Signal::INT, Some(130)), (Signal::TERM, Some(143))] {
        let words = [
            "plugin",
            "test",
            library.to_str().unwrap(),
            "--kind",
            "hangs",
            "--only",
            "unknown_locator_finds_nothing",
        ];
        let home = Home::new();
        let mut command = home.bitboot(&words).stdout(std::process::Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        let wait = |until: &dyn Fn() -> bool| {
            while !until() {
                assert!(start.elapsed() < support::PATIENCE, "{signal:?}");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait(&|| sittings(command.id()).len() == 1);
        let [sitting] = sittings(command.id())[..] else { panic!("{signal:?}") };
        kill_process(Pid::from_raw(command.id().try_into().unwrap()).unwrap(), signal).unwrap();
        assert_eq!(command.wait().unwrap().code(), code);
        wait(&|| !std::path::Path::new(&format!("/proc/{sitting}/fd/0")).exists());
    }
}
