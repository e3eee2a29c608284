//! Plugins that break the contract, and their life from `plugin install` to `plugin remove`.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use support::{Home, Ran, library, misfit};

/// What is no plugin: the gate at which it stops, and the sentence that says why.
const MISFITS: [(&str, &str, &str); 6] = [
    ("liar", "truth", "it says another thing of itself when it runs than in its manifest"),
    ("no_layout", "layout", "it hides the layout of its types, so it cannot be trusted to fit"),
    ("no_magic", "magic", "it is no bitboot plugin: it has no BITBOOT_PLUGIN_MAGIC"),
    ("no_root", "layout", "it is no bitboot plugin: it has no BITBOOT_PLUGIN_ROOT"),
    ("no_symbols", "manifest", "it is no bitboot plugin: it carries no manifest"),
    ("other_major", "manifest", "it speaks plugin API 9, this bitboot speaks 1"),
];

/// A home in which somebody is found by the backend `local`.
fn peopled() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home
}

fn lookup(home: &Home, via: &str) -> Ran {
    within(home, via, "60s")
}

/// The same with a deadline to which it comes.
fn within(home: &Home, via: &str, deadline: &str) -> Ran {
    home.run(&["lookup", "demo", "--via", via, "--timeout", deadline, "--json"])
}

/// Libraries that are refused, each with its gate and the sentence that says why.
fn refusals(home: &Home) -> Vec<(String, PathBuf, &'static str, &'static str)> {
    let text = home.path().join("text.so");
    fs::write(&text, "#!/bin/sh\nexit 0\n").unwrap();
    let cut = home.path().join("cut.so");
    let whole = fs::read(library("bitboot_misbehaving")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let folder = home.path().to_owned();
    let missing = home.path().join("missing.so");
    let files = [
        ("text", text, "library", "it is no whole shared library"),
        ("cut", cut, "library", "it is "),
        ("folder", folder, "file", "it is no regular file"),
        ("missing", missing, "file", "it cannot be read (No such file or directory"),
    ];
    let misfits = MISFITS.map(|(name, gate, why)| (name, misfit(name), gate, why));
    files
        .into_iter()
        .chain(misfits)
        .map(|(name, path, gate, why)| (name.to_owned(), path, gate, why))
        .collect()
}

#[test]
fn what_is_no_plugin_is_told_in_one_sentence_and_hides_nobody() {
    let home = peopled();
    for (name, path, gate, why) in refusals(&home) {
        home.add_plugin(&name, &path);
        home.append(&format!("[backends.{name}]\nplugin = \"{name}\"\ndefault = true\n"));
        let alone = lookup(&home, &name);
        let told = alone.err();
        assert_eq!((alone.code(), alone.peers().len()), (6, 0), "{name}: {told}");
        assert!(
            told.starts_with(&format!("error[plugin/{gate}]: plugin \"{name}\" cannot be loaded: {why}")),
            "{told}"
        );
        assert!(told.contains(path.to_str().unwrap()) && told.contains("\n  fix: "), "{told}");
        assert_eq!(told.lines().count(), 3, "{told}");

        let beside = lookup(&home, &format!("{name},local"));
        assert_eq!((beside.code(), beside.peers()), (9, vec!["127.0.0.1:4001".into()]), "{name}");
    }
    // As the default ones, with nobody named.
    let usual = home.ok(&["lookup", "demo", "--json"]);
    assert_eq!((usual.peers().len(), usual.of_type("backend_error").len()), (1, 10));
    assert!(usual.err().contains("warning[plugin/"), "{}", usual.err());
}

#[test]
fn a_plugin_that_did_not_come_along_is_told_with_the_places() {
    let home = peopled();
    let lonely = home.path().join("bitboot");
    fs::copy(env!("CARGO_BIN_EXE_bitboot"), &lonely).unwrap();
    let mut command = home.program(&lonely, &["lookup", "demo", "--via", "local"]);
    // A process that another test starts at this moment may still have the copy open for writing.
    let ran = loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
            outcome => break Ran(outcome.unwrap()),
        }
    };
    let told = ran.err();
    assert_eq!(ran.code(), 6, "{told}");
    assert!(
        told.contains("error[plugin]: the library ") && told.contains("of plugin \"local\" is not there"),
        "{told}"
    );
    assert!(told.contains(home.path().to_str().unwrap()) && told.contains("\n  fix: "), "{told}");
}

#[test]
fn a_panic_is_an_error_of_its_backend() {
    let home = peopled();
    for entry in ["open", "caps", "lookup", "payload"] {
        home.add_misbehaving(entry, "panics", &format!("panic_in = \"{entry}\""));
        let ran = lookup(&home, &format!("{entry},local"));
        assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{entry}: {}", ran.err());
        assert!(
            ran.err().contains(&format!("error[plugin]: backend \"{entry}\": the plugin panicked in `")),
            "{}",
            ran.err()
        );
        assert!(ran.err().contains("\n  fix: this is a fault of the plugin"), "{}", ran.err());
        assert_eq!(lookup(&home, entry).code(), 6);
    }
    // Where a lookup never comes, or where nobody waits for it.
    for entry in ["announce", "withdraw", "watch", "quote", "health", "save", "action", "drop", "future_drop"]
    {
        home.add_misbehaving(entry, "panics", &format!("panic_in = \"{entry}\""));
        let (deadline, code) = if entry == "future_drop" { ("5s", 9) } else { ("60s", 0) };
        let ran = within(&home, &format!("{entry},local"), deadline);
        assert_eq!((ran.code(), ran.peers().len()), (code, 1), "{entry}: {}", ran.err());
    }
    for (entry, words) in [
        ("announce", "announce demo --once --port 4002 --via announce"),
        ("health", "backend ping health"),
        ("caps", "backend info caps"),
        ("action", "backend run action echo"),
        ("open", "backend run open echo"),
    ] {
        let ran = home.run(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code(), 6, "{words}: {}", ran.err());
        assert!(ran.err().contains(&format!("the plugin panicked in `{entry}`")), "{}", ran.err());
    }
}

#[test]
fn a_backend_that_hangs_is_left_at_its_deadline() {
    let home = peopled();
    home.add_misbehaving("hangs", "hangs", "");
    let alone = within(&home, "hangs", "2s");
    assert_eq!(alone.code(), 5, "{}", alone.err());
    assert!(
        alone.err().contains("error[unreachable]: backend \"hangs\": ") && alone.err().contains("fix: "),
        "{}",
        alone.err()
    );
    let beside = within(&home, "hangs,local", "5s");
    assert_eq!((beside.code(), beside.peers().len()), (9, 1));
    // Five seconds were given; the rest is the grace and a slow machine.
    let took = beside.of_type("summary")[0]["took_ms"].as_u64().unwrap();
    assert!((5000..60_000).contains(&took), "{took}");
}

#[test]
fn a_flood_ends_and_takes_little_memory() {
    let home = peopled();
    home.add_misbehaving("peers", "floods", "");
    home.add_misbehaving("values", "floods", "value_bytes = 1_000_000");
    for via in ["peers", "values"] {
        // With 128 MiB; where the shell cannot limit it, without.
        let limit = "ulimit -d 131072; exec \"$0\" \"$@\"";
        let via = format!("{via},local");
        let words = ["-c", limit, env!("CARGO_BIN_EXE_bitboot"), "lookup", "demo", "--via", &via, "--plain"];
        let ran = Ran(home.program(Path::new("sh"), &words).output().unwrap());
        assert_eq!(ran.code(), 0, "{via}: {}", ran.err());
        let peers = ran.out().lines().count();
        assert!(peers <= 10_001 && ran.out().contains("127.0.0.1:4001\n"), "{via}: {peers}");
    }
}

#[test]
fn garbage_is_an_error_of_its_backend() {
    let home = peopled();
    for what in ["no_message", "no_endpoint", "nested", "no_error"] {
        let name = what.replace('_', "-");
        home.add_misbehaving(&name, "garbage", &format!("what = \"{what}\""));
        let ran = lookup(&home, &format!("{name},local"));
        assert_eq!((ran.code(), ran.peers().len()), (9, 1), "{what}: {}", ran.err());
        assert_eq!(lookup(&home, &name).code(), 7, "{what}");
    }
    for what in ["too_long", "unknown_kind", "two_ends", "after_the_end"] {
        let name = what.replace('_', "-");
        home.add_misbehaving(&name, "garbage", &format!("what = \"{what}\""));
        assert_eq!(lookup(&home, &name).code(), 3, "{what}");
    }
}

#[test]
fn three_files_are_three_plugins_in_one_process() {
    let home = peopled();
    home.add_misbehaving("slow", "slow", "peer = \"203.0.113.7:1\"");
    let copy = home.path().join("copy.so");
    fs::copy(library("bitboot_misbehaving"), &copy).unwrap();
    home.add_plugin("copy", &copy);
    home.append(
        "[backends.copied]\nplugin = \"copy\"\nkind = \"slow\"\nconfig = { peer = \"203.0.113.7:2\" }\n",
    );
    let found = lookup(&home, "local,slow,copied").of_type("peer");
    let mut who: Vec<_> = found
        .iter()
        .map(|line| (line["peer"].as_str().unwrap(), line["backends"][0].as_str().unwrap()))
        .collect();
    who.sort_unstable();
    assert_eq!(who, [("127.0.0.1:4001", "local"), ("203.0.113.7:1", "slow"), ("203.0.113.7:2", "copied")]);
}

/// The files under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>());
    let within = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.unwrap_or_default().into_iter().flat_map(within).collect()
}

#[test]
fn a_plugin_is_installed_used_and_removed() {
    let home = Home::new();
    let given = home.path().join("given.so");
    fs::copy(library("bitboot_misbehaving"), &given).unwrap();
    for _ in 0..2 {
        home.ok(&["plugin", "install", given.to_str().unwrap()]);
        assert_eq!(files(&home.path().join("data")).len(), 1);
    }
    // The copy is what is used.
    fs::remove_file(&given).unwrap();
    home.ok(&[
        "backend",
        "add",
        "mine",
        "--plugin",
        "misbehaving",
        "--kind",
        "slow",
        "--set",
        "peer=203.0.113.7:1",
    ]);
    assert_eq!(lookup(&home, "mine").peers(), ["203.0.113.7:1"]);
    let info = home.ok(&["plugin", "info", "misbehaving", "--json"]);
    assert_eq!(
        (&info.lines()[0]["version"], &info.lines()[0]["state"]),
        (&"0.1.0".into(), &"enabled".into())
    );

    let removed = home.ok(&["plugin", "remove", "misbehaving"]);
    assert!(removed.err().contains("bitboot backend remove mine"), "{}", removed.err());
    assert_eq!(files(&home.path().join("data")).len(), 0);
    let orphan = lookup(&home, "mine");
    assert_eq!(orphan.code(), 6);
    assert!(orphan.err().contains("error[plugin]: backend \"mine\" has no plugin"), "{}", orphan.err());
}

#[test]
fn what_is_no_plugin_is_not_installed() {
    let home = Home::new();
    let liar = home.path().join("another.so");
    fs::write(&liar, with_another_manifest(&fs::read(library("bitboot_misbehaving")).unwrap())).unwrap();
    let others = refusals(&home).into_iter().map(|(_, path, ..)| path);
    for path in others.chain([liar, library("bitboot_local")]) {
        let ran = home.run(&["plugin", "install", path.to_str().unwrap()]);
        assert!([2, 6].contains(&ran.code()), "{}: {}", path.display(), ran.err());
        assert!(ran.err().starts_with("error[") && ran.err().contains("\n  fix: "), "{}", ran.err());
        assert_eq!(files(&home.path().join("data")), [] as [PathBuf; 0], "{}", path.display());
        assert!(!home.registry().exists());
    }
}

/// The library as a liar: it has its manifest twice, for who looks at it and for who runs it.
fn with_another_manifest(library: &[u8]) -> Vec<u8> {
    let (name, other) = (b"name = \"misbehaving\"", b"name = \"wellbehaved\"");
    let at = library.windows(name.len()).position(|part| part == name).unwrap();
    [&library[..at], other, &library[at + name.len()..]].concat()
}

#[cfg(unix)]
#[test]
fn what_a_plugin_prints_is_no_result() {
    let home = peopled();
    for isolation in ["process", "in-process"] {
        home.append(&format!(
            "[plugins.{isolation}]\npath = {:?}\nisolation = {isolation:?}\n",
            library("bitboot_misbehaving")
        ));
        home.append(&format!("[backends.{isolation}]\nplugin = {isolation:?}\nkind = \"prints\"\n"));
        let words = ["-v", "lookup", "demo", "--via", isolation, "--via", "local", "--json"];
        let ran = home.run(&words);
        // Each line of stdout is ours, or this fails to parse it.
        assert_eq!(ran.peers(), ["127.0.0.1:4001"], "{isolation}");
        assert!(ran.err().contains("203.0.113.66:666"), "{isolation}: {}", ran.err());
    }
}
