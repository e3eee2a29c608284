//! The rules of the house, see ARCHITECTURE.md.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below a folder with an ending, by their path from the repository, with their text.
fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.file_name().and_then(|name| name.to_str()) {
                Some("target" | "node_modules") => {}
                _ if entry.is_dir() => walk(&entry, ending, found),
                Some(name) if name.ends_with(ending) => found.push(entry),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "nothing to look at in {folder}");
    found.sort();
    let name = |path: &Path| path.strip_prefix(repository()).unwrap().to_str().unwrap().replace('\\', "/");
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_test_code(file: &str) -> bool {
    ["/tests/", "/benches/", "/examples/", "/fuzz/"].iter().any(|folder| file.contains(folder))
}

#[test]
fn the_top_level_is_what_the_architecture_names() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "host",
        "plugin-api",
        "plugins",
        "registry.toml",
        "completions",
        "man",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "target",
    ];
    for entry in std::fs::read_dir(repository()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} is not named in ARCHITECTURE.md"
        );
    }
}

#[test]
fn the_host_names_no_medium() {
    for (file, text) in sources("host/src", ".rs") {
        let code = code(&text).to_lowercase();
        for medium in ["mainline", "bittorrent", "bitcoin", "ethereum", "solana", "arweave"] {
            assert!(
                !code.contains(medium),
                "{file} names {medium}: it belongs into a plugin or into registry.toml"
            );
        }
    }
}

#[test]
fn rooms_do_not_import_each_other_sideways() {
    // What each room may use besides the words that all share: error, paths, files.
    let rooms: [(&str, &[&str]); 12] = [
        ("backend", &[]),
        ("network", &[]),
        ("daemon", &[]),
        ("registry", &[]),
        ("state", &[]),
        ("discovery", &["backend", "network"]),
        ("keys", &["network"]),
        ("worker", &["backend"]),
        ("loader", &["backend", "registry", "worker"]),
        ("install", &["loader", "registry"]),
        ("author", &["loader", "output", "registry", "worker"]),
        ("output", &["discovery", "network"]),
    ];
    for (room, allowed) in rooms {
        for (file, text) in sources(&format!("host/src/{room}"), ".rs") {
            for (other, _) in rooms.iter().chain(&[("cli", &[][..]), ("client", &[][..])]) {
                let uses = code(&text).contains(&format!("crate::{other}::"));
                assert!(!uses || *other == room || allowed.contains(other), "{file} reaches into {other}/");
            }
        }
    }
}

#[test]
fn pure_rooms_do_no_io_and_read_no_clock() {
    let mut pure = sources("host/src/network", ".rs");
    pure.retain(|(file, _)| !is_test_code(file));
    pure.extend(sources("host/src/daemon", ".rs"));
    pure.extend(
        sources("host/src/discovery", ".rs")
            .into_iter()
            .filter(|(file, _)| file.ends_with("merge.rs") || file.ends_with("rounds.rs")),
    );
    assert!(pure.len() >= 5);
    // Chance is an argument there.
    let engine =
        ["krpc", "node", "store"].map(|room| sources(&format!("plugins/mainline/src/dht/{room}"), ".rs"));
    let chance = engine.concat().into_iter().map(|(file, text)| (file, text.replace("fastrand::Rng", "Rng")));
    pure.extend(chance);
    for (file, text) in pure {
        for word in ["std::fs", "std::net::Udp", "std::net::Tcp", "tokio", "::now()", "std::env", "fastrand"]
        {
            assert!(!code(&text).contains(word), "{file} is pure and has {word}");
        }
    }
}

#[test]
fn only_the_border_knows_how_libraries_are_loaded() {
    let mut files = sources("host/src", ".rs");
    files.extend(sources("plugin-api/src", ".rs"));
    files.extend(sources("plugins", ".rs"));
    for (file, text) in files {
        let knows =
            ["abi_stable", "libloading"].iter().any(|name| code(&text).contains(&format!("{name}::")));
        assert!(
            !knows || file.starts_with("plugin-api/src/ffi/"),
            "{file} names what only plugin-api/src/ffi may name"
        );
    }
}

#[test]
fn a_plugin_depends_on_the_contract_and_its_helpers_only() {
    for (file, text) in sources("plugins", "Cargo.toml") {
        // Other people's programs and fuzzers are no plugins.
        if ["/peers/", "/fuzz/"].iter().any(|folder| file.contains(folder)) {
            continue;
        }
        let manifest: toml::Table = toml::from_str(&text).unwrap();
        let ours = manifest["dependencies"].as_table().unwrap().keys();
        let mut ours = ours.filter(|name| name.starts_with("bitboot"));
        assert!(ours.all(|name| ["bitboot-plugin-api", "bitboot-rpc"].contains(&name.as_str())), "{file}");
    }
}

#[test]
fn only_output_prints() {
    for (file, text) in sources("host/src", ".rs") {
        if file.starts_with("host/src/output/") {
            continue;
        }
        for word in ["println!", "eprintln!", "print!(", "io::stdout()", "dbg!("] {
            assert!(!code(&text).contains(word), "{file} prints with {word}: that is the work of output/");
        }
        assert!(!code(&text).contains("process::exit"), "{file} ends the process: return an Exit");
    }
}

#[test]
fn files_hold_one_job() {
    let mut files = sources("host", ".rs");
    files.extend(sources("plugin-api", ".rs"));
    files.extend(sources("plugins", ".rs"));
    for (file, text) in files {
        let lines = text.lines().count();
        assert!(lines <= 300 || is_test_code(&file), "{file} has {lines} lines: it holds two jobs");
    }
}

#[test]
fn nothing_is_left_to_be_done() {
    // Spelled apart, so that this file does not find itself.
    let words = [
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["FIX", "ME"].concat(),
        ["#[ign", "ore"].concat(),
    ];
    let mut files = sources("host", ".rs");
    files.extend(sources("plugin-api", ".rs"));
    files.extend(sources("plugins", ".rs"));
    for (file, text) in files {
        for word in &words {
            assert!(!text.contains(word), "{file} has {word}");
        }
    }
}

#[test]
fn adding_a_medium_touches_its_own_folder_and_the_registry() {
    let plugins: BTreeSet<String> = std::fs::read_dir(repository().join("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let registry: toml::Table =
        toml::from_str(&std::fs::read_to_string(repository().join("registry.toml")).unwrap()).unwrap();
    let registered: BTreeSet<String> = registry["plugins"].as_table().unwrap().keys().cloned().collect();
    assert_eq!(plugins, registered, "each folder of plugins/ has its line in registry.toml");
}

#[test]
fn the_crates_of_a_medium_stay_inside_its_plugin() {
    let command =
        ["tree", "--offline", "--package", "bitboot", "--edges", "normal,build", "--prefix", "none"];
    let tree = Command::new(env!("CARGO")).args(command).current_dir(repository()).output().unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("bitboot-plugin-api") && crates.contains("tokio"), "{tree}");
    for name in ["alloy-primitives", "alloy-sol-types", "bitcoin", "mainline"] {
        assert!(!crates.contains(name), "the host is built with {name}, which is for a plugin");
    }
    let ours: Vec<&str> = crates.into_iter().filter(|name| name.starts_with("bitboot-")).collect();
    assert_eq!(ours, ["bitboot-conformance", "bitboot-plugin-api"]);
}

#[test]
fn architecture_names_the_test_that_keeps_each_invariant() {
    let text = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let tests = std::fs::read_to_string(repository().join("host/tests/tidy.rs")).unwrap();
    let named: Vec<&str> = text.split("`tidy::").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(named.len() >= 8, "ARCHITECTURE.md names {} tests", named.len());
    for name in named {
        assert!(tests.contains(&format!("fn {name}()")), "ARCHITECTURE.md names {name}, which is no test");
    }
}
