use std::fs;

use crate::refused;
use crate::support::{Author, Home, PLUGIN, hash, library, of_version, target, with_manifest};

/// The session, from the author's second step on: nothing is recompiled.
#[test]
fn from_its_author_to_a_plugin_in_use() {
    let (author, home) = (Author::new(), Home::new());
    author.publish("1.0.0");
    author.index();
    home.add_index(&author);
    let found = home.ok(&["plugin", "search", "voc", "--json"]);
    assert_eq!(found.of_type("offer")[0]["version"], "1.0.0");

    let installed = home.ok(&["plugin", "install", PLUGIN, "--json"]);
    let change = &installed.of_type("change")[0];
    assert_eq!(
        (&change["from"], &change["to"], &change["done"]),
        (&().into(), &"1.0.0".into(), &true.into())
    );
    assert_eq!(change["key"], author.public.as_str());
    assert!(installed.err().contains("now: bitboot backend add local --plugin vocal"), "{}", installed.err());
    home.works();

    author.publish("1.1.0");
    author.index();
    // What the user has is as old as it was fetched.
    assert_eq!(home.ok(&["plugin", "outdated", "--json"]).lines().len(), 0);
    home.ok(&["index", "update"]);
    let outdated = home.ok(&["plugin", "outdated", "--json"]);
    let offer = &outdated.of_type("offer")[0];
    assert_eq!((&offer["installed"], &offer["version"]), (&"1.0.0".into(), &"1.1.0".into()));
    let plan = home.ok(&["plugin", "upgrade", "--dry-run", "--json"]);
    assert_eq!(plan.of_type("change")[0]["done"], false);
    assert_eq!(home.version().unwrap(), "1.0.0");
    home.ok(&["plugin", "upgrade"]);
    assert_eq!(home.version().unwrap(), "1.1.0");
    home.works();

    home.ok(&["plugin", "rollback", PLUGIN]);
    assert_eq!(home.version().unwrap(), "1.0.0");
    home.works();
    home.ok(&["plugin", "pin", PLUGIN]);
    let pinned = home.ok(&["plugin", "upgrade"]);
    assert!(pinned.err().contains("it is pinned"), "{}", pinned.err());
    assert_eq!(home.version().unwrap(), "1.0.0");
    home.ok(&["plugin", "unpin", PLUGIN]);
    home.ok(&["plugin", "rollback", PLUGIN, "--to", "1.1.0"]);
    assert_eq!(home.version().unwrap(), "1.1.0");

    let verified = home.ok(&["plugin", "verify", PLUGIN, "--json"]).of_type("finding");
    assert_eq!(verified.iter().filter(|line| line["verdict"] == "ok").count(), 2);
    let info = &home.ok(&["plugin", "info", PLUGIN, "--json"]).lines()[0];
    assert_eq!((&info["origin"], &info["key"]), (&"signed".into(), &author.public.as_str().into()));
    assert_eq!(info["sha256"], hash(&fs::read(home.which()).unwrap()));
    assert_eq!(info["versions"].as_array().unwrap().len(), 2);

    only_the_version_before_stays(&author, &home);

    home.ok(&["plugin", "disable", PLUGIN]);
    assert_eq!(home.try_lookup().code(), 6);
    home.ok(&["plugin", "enable", PLUGIN]);
    home.works();
    home.ok(&["plugin", "remove", PLUGIN]);
    assert_eq!(home.version(), None);
    assert!(!home.path().join("data/plugins").join(PLUGIN).exists());
}

/// At 1.1.0, with 1.0.0 before.
fn only_the_version_before_stays(author: &Author, home: &Home) {
    let versions = || -> Vec<String> {
        let info = &home.ok(&["plugin", "info", PLUGIN, "--json"]).lines()[0];
        info["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version.as_str().unwrap().to_owned())
            .collect()
    };
    let there = |version| home.path().join("data/plugins").join(PLUGIN).join(version).exists();
    // A command that runs since then, and may have to start its plugin again.
    home.ok(&["plugin", "rollback", PLUGIN, "--to", "1.0.0"]);
    let keeper = home.start(&["announce", "demo", "--port", "4002", "--via", "voice", "--json"]);
    keeper.json_of("receipt");
    home.ok(&["plugin", "rollback", PLUGIN, "--to", "1.1.0"]);
    for version in ["1.2.0", "1.3.0"] {
        author.publish(version);
        author.index();
        let change = &home.ok(&["plugin", "upgrade", "--json"]).of_type("change")[0];
        assert_eq!(
            change["removed"],
            if version == "1.3.0" { serde_json::json!(["1.1.0"]) } else { serde_json::json!([]) }
        );
    }
    assert_eq!(versions(), ["1.0.0", "1.2.0", "1.3.0"], "what is open stays");
    assert!(there("1.0.0") && !there("1.1.0"));
    drop(keeper);
    author.publish("1.4.0");
    author.index();
    let upgraded = home.ok(&["plugin", "upgrade"]);
    assert!(upgraded.err().contains("older versions are removed: 1.0.0, 1.2.0"), "{}", upgraded.err());
    assert_eq!(versions(), ["1.3.0", "1.4.0"]);
    home.ok(&["plugin", "verify", PLUGIN]);
    refused(&home.run(&["plugin", "rollback", PLUGIN, "--to", "1.0.0"]), 7, "integrity", "lock");
    home.ok(&["plugin", "rollback", PLUGIN]);
    home.works();
}

#[test]
fn the_same_plugin_makes_the_same_package() {
    let (one, other) = (Author::new(), Author::new());
    let packages = [&one, &other].map(|author| fs::read(author.pack(&of_version("1.0.0"), "1.0.0")).unwrap());
    assert!(packages[0] == packages[1]);
}

#[test]
fn a_package_holds_what_its_author_gave() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.pack_whole();
    home.trust(&author);
    assert_eq!(home.install(&package).code(), 0);
    let installed = home.which().parent().unwrap().to_owned();
    assert_eq!(fs::read_to_string(installed.join("LICENSE")).unwrap(), "do as you please\n");
    assert_eq!(fs::read_to_string(installed.join("bitboot-plugin-vocal.7")).unwrap(), ".TH vocal 7\n");
    let schema: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(installed.join("config.schema.json")).unwrap()).unwrap();
    assert!(schema["local"]["properties"]["folder"].is_object(), "{schema}");
    #[cfg(unix)]
    for (path, mode) in
        [(installed.clone(), 0o700), (home.which(), 0o400), (installed.join("LICENSE"), 0o400)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode, "{}", path.display());
    }
}

#[test]
fn a_lock_makes_another_machine_the_same() {
    let (author, home, other) = (Author::new(), Home::new(), Home::new());
    let package = author.publish("1.0.0");
    home.trust(&author);
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    // What a user keeps under version control.
    fs::create_dir_all(other.path().join("config")).unwrap();
    for file in ["registry.toml", "bitboot.lock"] {
        fs::copy(home.path().join("config").join(file), other.path().join("config").join(file)).unwrap();
    }
    let missing = other.run(&["backend", "add", "voice", "--plugin", PLUGIN]);
    refused(&missing, 6, "plugin", "missing");
    other.ok(&["plugin", "install", PLUGIN, "--locked"]);
    other.works();
    let locks =
        [&home, &other].map(|home| fs::read_to_string(home.path().join("config/bitboot.lock")).unwrap());
    assert_eq!(locks[0], locks[1]);
    // Nothing else than what is locked.
    let newer = author.publish("1.1.0");
    let ran = other.run(&["plugin", "install", newer.to_str().unwrap(), "--locked"]);
    refused(&ran, 7, "integrity", "locked");
    assert_eq!(fs::read_to_string(other.path().join("config/bitboot.lock")).unwrap(), locks[0]);
    assert_eq!(other.version().unwrap(), "1.0.0");
}

#[test]
fn a_removal_that_was_cut_short_goes_on() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    home.trust(&author);
    let [registry, lock] =
        ["registry.toml", "bitboot.lock"].map(|file| home.path().join("config").join(file));
    let files = home.path().join("data/plugins").join(PLUGIN);
    let before = fs::read_to_string(&registry).unwrap_or_default();
    for files_are_gone in [false, true] {
        home.ok(&["plugin", "install", package.to_str().unwrap()]);
        fs::write(&registry, &before).unwrap();
        if files_are_gone {
            fs::remove_dir_all(&files).unwrap();
        }
        home.ok(&["plugin", "remove", PLUGIN]);
        assert!(!files.exists() && !fs::read_to_string(&lock).unwrap().contains(PLUGIN));
    }
    for name in [PLUGIN, "../config", ".stage"] {
        let ran = home.run(&["plugin", "remove", name]);
        assert!(ran.code() == 2 && ran.err().contains("there is no plugin"), "{}", ran.err());
    }
    assert!(registry.exists());
}

#[test]
fn an_unsigned_package_wants_its_hash_and_stays_unsigned() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.pack(&of_version("1.0.0"), "1.0.0");
    refused(&home.install(&package), 7, "integrity", "unsigned");
    let path = package.to_str().unwrap();
    assert_eq!(home.run(&["plugin", "install", path, "--allow-unsigned"]).code(), 2);
    let wrong = home.run(&["plugin", "install", path, "--allow-unsigned", "--sha256", &hash(b"another")]);
    refused(&wrong, 7, "integrity", "archive-hash");
    let right = hash(&fs::read(&package).unwrap());
    home.ok(&["plugin", "install", path, "--allow-unsigned", "--sha256", &right]);
    home.works();
    let info = &home.ok(&["plugin", "info", PLUGIN, "--json"]).lines()[0];
    assert_eq!((&info["origin"], &info["key"]), (&"unsigned".into(), &().into()));
    // Once somebody has signed the name, nobody takes it without a signature.
    author.sign(&package);
    let signed = author.publish("1.1.0");
    home.trust(&author);
    home.ok(&["plugin", "install", signed.to_str().unwrap()]);
    let unsigned = author.pack(&of_version("1.2.0"), "1.2.0");
    let right = hash(&fs::read(&unsigned).unwrap());
    let ran =
        home.run(&["plugin", "install", unsigned.to_str().unwrap(), "--allow-unsigned", "--sha256", &right]);
    refused(&ran, 7, "integrity", "changed-key");
}

#[test]
fn a_library_for_development_gives_way_to_what_is_installed() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    home.trust(&author);
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    let dev = home.path().join("libvocal.so");
    fs::write(&dev, of_version("9.9.9")).unwrap();
    // Nobody has signed it, and the name is a publisher's.
    let ran = home.run(&["plugin", "install", dev.to_str().unwrap()]);
    assert_eq!(ran.code(), 8, "{}", ran.err());
    assert_eq!(home.version().unwrap(), "1.0.0");
    home.ok(&["plugin", "install", dev.to_str().unwrap(), "--yes"]);
    let info = &home.ok(&["plugin", "info", PLUGIN, "--json"]).lines()[0];
    assert_eq!((&info["origin"], &info["version"]), (&"dev".into(), &"9.9.9".into()));
    home.works();
    // To forget it would be to forget the installed one too.
    let unlinked = home.run(&["plugin", "unlink", PLUGIN]);
    assert_eq!(unlinked.code(), 2);
    assert!(unlinked.err().contains("bitboot plugin rollback vocal"), "{}", unlinked.err());
    home.ok(&["plugin", "rollback", PLUGIN]);
    let info = &home.ok(&["plugin", "info", PLUGIN, "--json"]).lines()[0];
    assert_eq!((&info["origin"], &info["version"]), (&"signed".into(), &"1.0.0".into()));
}

#[test]
fn what_asks_for_more_is_asked_about() {
    let (author, home) = (Author::new(), Home::new());
    author.publish("1.0.0");
    author.index();
    home.add_index(&author);
    home.ok(&["plugin", "install", PLUGIN]);
    let hungry = with_manifest(&[
        ("version = \"0.1.0\"", "version = \"1.1.0\""),
        ("network = false", "network = true "),
    ]);
    author.publish_library(&hungry, "1.1.0");
    author.index();
    let ran = home.run(&["plugin", "upgrade"]);
    refused(&ran, 8, "needs-human", "asks-more");
    assert!(ran.err().contains("why: the network"), "{}", ran.err());
    assert_eq!(home.version().unwrap(), "1.0.0");
    // What cannot be read any more has asked for nothing.
    let library = home.which();
    fs::write(library.with_extension("broken"), "").unwrap();
    fs::rename(library.with_extension("broken"), &library).unwrap();
    refused(&home.run(&["plugin", "upgrade"]), 8, "needs-human", "asks-more");
    fs::remove_file(&library).unwrap();
    refused(&home.run(&["plugin", "upgrade"]), 8, "needs-human", "asks-more");
    home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0"), "--locked"]);
    refused(&home.run(&["plugin", "upgrade"]), 8, "needs-human", "asks-more");
    home.ok(&["plugin", "upgrade", "--yes"]);
    assert_eq!(home.version().unwrap(), "1.1.0");
}

#[test]
fn what_ships_keeps_its_name() {
    let (author, home) = (Author::new(), Home::new());
    let out = author.folder().display().to_string();
    author.home.ok(&["plugin", "pack", library("bitboot_local").to_str().unwrap(), "--out", &out]);
    let package = author.folder().join(format!("local-0.1.0-{}.bbp", target()));
    author.sign(&package);
    home.trust(&author);
    let ran = home.install(&package);
    assert_eq!(ran.code(), 2);
    assert!(ran.err().contains("ships with bitboot"), "{}", ran.err());
}
