//! `doctor`: each thing that is wrong is found with what helps, and a report of it tells nothing about its user.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use support::{Author, Home, PLUGIN, Ran, flip, library};

/// The finding about something.
#[track_caller]
fn about(ran: &Ran, what: &str) -> Value {
    let found = ran.of_type("finding").into_iter().find(|line| line["about"] == what);
    found.unwrap_or_else(|| panic!("nothing about {what}: {}", ran.out()))
}

/// It is wrong, and some command helps.
#[track_caller]
fn wrong(home: &Home, what: &str, code: i32, fix: &str) {
    let ran = home.run(&["doctor", "--json"]);
    let found = about(&ran, what);
    assert_eq!((ran.code(), &found["verdict"]), (code, &"problem".into()), "{found}");
    assert!(found["fix"].as_str().unwrap().contains(fix), "{found}");
}

fn home() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn where_all_is_well_each_thing_was_looked_at() {
    let (author, home) = (Author::new(), home());
    author.publish("1.0.0");
    author.index();
    home.add_index(&author);
    home.ok(&["plugin", "install", PLUGIN]);
    let ran = home.ok(&["doctor", "--json"]);
    for what in [
        "build",
        "config folder",
        "state folder",
        "clock",
        "registry",
        "index main",
        "secrets",
        "key store home",
    ] {
        assert_eq!(about(&ran, what)["verdict"], "ok", "{what}: {}", ran.out());
    }
    assert!(about(&ran, "index main")["finding"].as_str().unwrap().contains("fetched 0 days ago"));
    assert!(about(&ran, "key store file")["finding"].as_str().unwrap().contains(" ms"));
    let plugins = ran.of_type("checked");
    let of = |name: &str| plugins.iter().find(|line| line["plugin"] == name).unwrap().clone();
    let (mine, local) = (of(PLUGIN), of("local"));
    assert_eq!(
        (&mine["version"], &mine["state"], &mine["api"]),
        (&"1.0.0".into(), &"opens".into(), &1.into())
    );
    assert_eq!((&mine["signed_by"], &local["signed_by"]), (&author.public.clone().into(), &"bitboot".into()));
    assert_eq!(mine["sha256"], support::hash(&fs::read(home.which()).unwrap()));
    // What it says in one word agrees with what it lists.
    let is_open =
        ran.of_type("confinement").iter().any(|rule| rule["plugin"] == PLUGIN && rule["state"] == "open");
    assert_eq!(mine["isolation"], if is_open { "partly confined" } else { "confined" });
    home.ok(&["plugin", "disable", PLUGIN]);
    let ran = home.ok(&["doctor", "--json"]);
    let off = ran.of_type("checked").into_iter().find(|line| line["plugin"] == PLUGIN).unwrap();
    assert_eq!((&off["state"], &off["isolation"]), (&"disabled".into(), &"".into()));
}

#[test]
fn what_others_could_change_or_read_is_found() {
    let home = home();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home.ok(&["doctor"]);
    for (path, mode, what, fix) in [
        ("config", 0o777, "config folder", "chmod go-w"),
        ("config/registry.toml", 0o666, "modes", "chmod go-w"),
        ("state/identity", 0o644, "modes", "chmod go="),
    ] {
        let path = home.path().join(path);
        let before = fs::metadata(&path).unwrap().permissions().mode();
        chmod(&path, mode);
        wrong(&home, what, 10, fix);
        chmod(&path, before);
    }
    home.ok(&["doctor"]);
}

#[test]
fn a_clock_that_is_behind_is_found() {
    let home = home();
    let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    fs::File::options().append(true).open(home.registry()).unwrap().set_modified(ahead).unwrap();
    wrong(&home, "clock", 10, "set it: ");
}

#[test]
fn an_index_that_is_old_or_was_never_fetched_is_found() {
    let (author, home) = (Author::new(), home());
    author.publish("1.0.0");
    author.index();
    home.add_index(&author);
    let kept = home.path().join("data/indexes/main.index");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(45 * 86_400);
    fs::File::options().append(true).open(&kept).unwrap().set_modified(then).unwrap();
    let found = about(&home.ok(&["doctor", "--json"]), "index main");
    assert_eq!((&found["verdict"], &found["fix"]), (&"warning".into(), &"bitboot index update main".into()));
    assert!(found["finding"].as_str().unwrap().contains("45 days ago"), "{found}");
    fs::remove_file(&kept).unwrap();
    wrong(&home, "index main", 3, "bitboot index update main");
}

#[test]
fn a_plugin_that_does_not_open_is_found_with_its_gate() {
    let (author, home) = (Author::new(), home());
    home.trust(&author);
    home.ok(&["plugin", "install", author.publish("1.0.0").to_str().unwrap()]);
    let library = home.which();
    flip(&library, 5000);
    wrong(&home, &format!("plugin {PLUGIN}"), 7, "bitboot plugin install vocal --locked");
    let ran = home.run(&["doctor", "--json"]);
    let line = ran.of_type("checked").into_iter().find(|line| line["plugin"] == PLUGIN).unwrap();
    assert_eq!((&line["state"], &line["isolation"]), (&"library-hash".into(), &"".into()));
}

#[test]
fn a_store_that_hangs_costs_a_few_seconds_and_only_doctor() {
    let home = home();
    home.run(&["key", "stores", "--helper", "sleep 600"]);
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    for words in ["doctor --json", "lookup demo --via local --json", "status --json"] {
        let start = std::time::Instant::now();
        let ran = home.ok(&words.split(' ').collect::<Vec<_>>());
        // A slow machine takes long, a store that is waited for a minute.
        assert!(start.elapsed().as_secs() < 50, "{words}: {:?}", start.elapsed());
        if words.starts_with("doctor") {
            let found = about(&ran, "key store helper");
            assert_eq!(found["verdict"], "warning", "{found}");
            assert!(found["finding"].as_str().unwrap().contains("did not answer within"), "{found}");
        }
    }
}

/// All that a report must not tell.
#[test]
fn a_report_tells_nothing_about_its_user() {
    const SECRET: &str = "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d";
    let home = home();
    let person = home.path().join("zaphod");
    fs::create_dir(&person).unwrap();
    let run = |words: &[&str]| {
        let mut command = home.bitboot(words);
        command.env("HOME", &person).env("USER", "zaphod").env("BITBOOT_KEY_TREASURE", SECRET);
        Ran(command.output().unwrap())
    };
    for network in ["heartofgold", "milliways"] {
        assert_eq!(run(&["network", "add", network, "--secret", "new"]).code(), 0);
        let announced = run(&["announce", network, "--peer", "192.0.2.77:4001", "--via", "local", "--once"]);
        assert_eq!(announced.code(), 0, "{}", announced.err());
    }
    let invite = run(&["network", "invite", "milliways"]).out().trim().to_owned();
    let secret = invite.split("k=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let identity = home.identity();
    // In what is told of a plugin: where it lies, and what it said last.
    let plugin = person.join("libplugin.so");
    fs::copy(library("bitboot_misbehaving"), &plugin).unwrap();
    home.add_plugin("mine", &plugin);
    home.add_plugin("lost", Path::new("/mnt/zaphod-disk/heartofgold/libvogon.so"));
    home.append("[backends.dies]\nplugin = \"mine\"\nkind = \"dies\"\nconfig = { by = \"abort\" }\n");
    run(&["lookup", "heartofgold", "--via", "dies"]);
    home.append(&format!("[networks.bad]\nbackends = 7 # {invite}\n"));
    let whole = run(&["doctor"]);
    assert!(whole.out().contains("heartofgold") && whole.out().contains("zaphod"), "{}", whole.out());
    for words in [&["doctor", "--report"][..], &["doctor", "--report", "--json"]] {
        let ran = run(words);
        let report = ran.out();
        assert!(report.contains("<network ") && report.contains("libvogon.so"), "{report}");
        assert_eq!(ran.code(), whole.code(), "{report}");
        let place = home.path().display().to_string();
        for private in [
            SECRET,
            &secret,
            &invite,
            &identity,
            "zaphod",
            "heartofgold",
            "milliways",
            &place,
            "192.0.2.77",
            "TREASURE",
        ] {
            assert!(!report.contains(private), "it tells {private}: {report}");
        }
    }
    let report = run(&["doctor", "--report"]).out();
    assert!(
        report.starts_with("bitboot doctor --report: ") && report.contains("plugin   local, "),
        "{report}"
    );
    assert!(report.contains("problem  plugin lost: ") && report.contains("\n         fix: "), "{report}");
}
