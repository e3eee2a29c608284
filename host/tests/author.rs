//! An author's way, from `plugin new` to a lookup by others; nothing of bitboot is compiled for it but the packages of two crates.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::path::Path;

use support::{Home, Ran, Workshop, at_home, cargo};

/// `bitboot` in a workshop, with what it takes to build there.
fn run(home: &Home, at: &Path, words: &[&str]) -> Ran {
    let mut command = home.bitboot(words);
    at_home(&mut command);
    Ran(command.current_dir(at).output().unwrap())
}

fn ok(home: &Home, at: &Path, words: &[&str]) -> Ran {
    let ran = run(home, at, words);
    assert_eq!(ran.code(), 0, "{words:?}: {}\n{}", ran.out(), ran.err());
    ran
}

/// A new crate in a workshop, with the versions of this repository.
fn new(shop: &Workshop, home: &Home, words: &[&str]) {
    let packages = Workshop::packages().to_str().unwrap();
    ok(home, shop.path(), &[&["plugin", "new"], words, &["--api", packages]].concat());
}

#[test]
fn from_a_new_crate_to_a_lookup() {
    let (shop, home) = (Workshop::new("way"), Home::new());
    home.forget_the_world();
    new(&shop, &home, &["way-sign"]);
    let folder = shop.path().join("way-sign");
    Workshop::lock(&folder);

    // Built, and held to the contract by both roads.
    let tested = ok(&home, &folder, &["plugin", "test", ".", "--json"]);
    let verdict = |name: &str| {
        let lines = tested.of_type("clause");
        lines.iter().find(|line| line["clause"] == name).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    for clause in ["it_opens", "announced_peer_is_found", "noise_of_strangers_is_passed_over"] {
        assert_eq!(verdict(clause), "kept");
    }
    let summary = &tested.of_type("tested")[0];
    assert_eq!(
        (&summary["plugin"], &summary["kind"], &summary["broken"]),
        (&"way-sign".into(), &"way-sign".into(), &0.into())
    );
    let own = cargo(&folder, &["test"]).output().unwrap();
    let told = String::from_utf8_lossy(&own.stdout) + String::from_utf8_lossy(&own.stderr);
    assert!(own.status.success() && told.contains("the_contract_is_kept ... ok"), "{told}");
    assert!(!told.contains("warning"), "{told}");

    // Linked, and used by two people who share a folder.
    ok(&home, &folder, &["plugin", "link", "."]);
    let other = Home::new();
    other.forget_the_world();
    ok(&other, shop.path(), &["plugin", "link", &built(&home)]);
    let shared = format!("folder={}", shop.path().join("shared").display());
    for home in [&home, &other] {
        home.ok(&["backend", "add", "way-sign", "--plugin", "way-sign", "--set", &shared]);
    }
    let peer = "203.0.113.7:4001";
    home.ok(&["announce", "demo", "--peer", peer, "--via", "way-sign", "--once"]);
    assert_eq!(other.ok(&["lookup", "demo", "--via", "way-sign", "--json"]).peers(), [peer]);

    // What is built anew is what is used next.
    assert_eq!(listed(&home, "way-sign"), ("dev".into(), "0.1.0".into()));
    let manifest = folder.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("\"0.1.0\"", "\"0.2.0\"");
    std::fs::write(manifest, text).unwrap();
    Workshop::build(&folder, "bitboot_way_sign");
    assert_eq!(listed(&home, "way-sign"), ("dev".into(), "0.2.0".into()));
    assert_eq!(home.ok(&["lookup", "demo", "--via", "way-sign", "--json"]).peers(), [peer]);

    let unlinked = home.ok(&["plugin", "unlink", "way-sign"]);
    assert!(unlinked.err().contains("bitboot backend remove way-sign"), "{}", unlinked.err());
    assert_eq!(home.run(&["plugin", "info", "way-sign"]).code(), 2);
    assert!(folder.join("src/lib.rs").is_file());
}

/// Where a linked library lies.
fn built(home: &Home) -> String {
    home.ok(&["plugin", "info", "way-sign", "--json"]).lines()[0]["library"].as_str().unwrap().to_owned()
}

fn listed(home: &Home, name: &str) -> (String, String) {
    let lines = home.ok(&["plugin", "list", "--json"]).lines();
    let line = lines.iter().find(|line| line["plugin"] == name).unwrap();
    (line["state"].as_str().unwrap().to_owned(), line["version"].as_str().unwrap().to_owned())
}

#[test]
fn a_seed_draws_the_same_again() {
    let (shop, home) = (Workshop::new("seed"), Home::new());
    new(&shop, &home, &["seedling", "--kind", "seeds", "--license", "Zlib"]);
    let folder = shop.path().join("seedling");
    Workshop::lock(&folder);
    // Which locators were drawn is seen by what a run leaves in its folder.
    let drawn = |name: &str, seed: &str| {
        let place = shop.path().join(name);
        let set = format!("folder={}", place.display());
        let words = [
            "plugin",
            "test",
            ".",
            "--config",
            &set,
            "--reproduce",
            seed,
            "--only",
            "announced_peer_is_found,many_peers_are_found",
            "--json",
        ];
        assert_eq!(ok(&home, &folder, &words).of_type("tested")[0]["seed"].to_string(), seed);
        let mut names: Vec<_> =
            std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let first = drawn("a", "7");
    assert_eq!(first.len(), 2);
    assert_eq!(drawn("b", "7"), first);
    assert_ne!(drawn("c", "8"), first);
}

#[test]
fn what_cannot_be_done_is_told_with_a_way_out() {
    let (shop, home) = (Workshop::new("wrong"), Home::new());
    let told = |words: &[&str], code: i32, parts: &[&str]| {
        let ran = run(&home, shop.path(), words);
        assert_eq!(ran.code(), code, "{words:?}: {}", ran.err());
        assert!(parts.iter().all(|part| ran.err().contains(part)), "{words:?}: {}", ran.err());
    };
    std::fs::create_dir(shop.path().join("full")).unwrap();
    std::fs::write(shop.path().join("full/mine"), "mine").unwrap();
    told(&["plugin", "new", "full"], 2, &["is there already", "--dir"]);
    told(&["plugin", "new", "Full"], 2, &["with a letter first"]);
    told(
        &["plugin", "new", "a", "--api", "full"],
        2,
        &["bitboot's crates are not in", "a checkout of bitboot"],
    );
    told(&["plugin", "new", "a", "--license", "\"\n"], 2, &["SPDX"]);
    told(&["plugin", "test", "full"], 2, &["there is no Cargo.toml in it", "bitboot plugin new"]);
    told(&["plugin", "test", "nowhere"], 1, &["cannot read nowhere", "fix: "]);
    told(&["plugin", "test", "full/mine"], 6, &["it is no whole shared library"]);
    told(&["plugin", "test", ".", "--only", "it_open"], 2, &["did you mean it_opens?"]);
    told(&["plugin", "link", "full/mine"], 6, &["it is no whole shared library"]);
    told(&["plugin", "unlink", "local"], 2, &["is not linked"]);
    told(&["plugin", "unlink", "lokal"], 2, &["did you mean \"local\"?"]);
    let local = support::library("bitboot_local");
    told(&["plugin", "link", local.to_str().unwrap()], 2, &["a plugin \"local\" is there already"]);
    assert_eq!(std::fs::read_to_string(shop.path().join("full/mine")).unwrap(), "mine");
}

#[test]
fn a_crate_that_does_not_build_or_is_no_plugin_is_told() {
    let (shop, home) = (Workshop::new("broken"), Home::new());
    let folder = shop.path().join("broken");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).unwrap();
    let package =
        "[package]\nname = \"bitboot-test-broken\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    write("Cargo.toml", package);
    write("src/lib.rs", "");
    let no_library = run(&home, &folder, &["plugin", "test", "."]);
    assert!(no_library.err().contains("crate-type = [\"cdylib\", \"rlib\"]"), "{}", no_library.err());
    write("Cargo.toml", &format!("{package}[lib]\ncrate-type = [\"cdylib\"]\n"));
    let no_plugin = run(&home, &folder, &["plugin", "link", "."]);
    assert_eq!(no_plugin.code(), 6, "{}", no_plugin.err());
    assert!(no_plugin.err().contains("it carries no manifest"), "{}", no_plugin.err());
    write("src/lib.rs", "fn broken( {}");
    let unbuilt = run(&home, &folder, &["plugin", "test", "."]);
    assert_eq!(unbuilt.code(), 1, "{}", unbuilt.err());
    assert!(
        unbuilt.err().contains("does not build") && unbuilt.err().contains("unclosed"),
        "{}",
        unbuilt.err()
    );
}
