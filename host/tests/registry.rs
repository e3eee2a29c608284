//! registry.toml in every state in which people and programs leave it: what is wrong is told with its place, and what is right stays.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use support::Home;

/// Everything that changes the registry.
const CHANGES: [&str; 9] = [
    "backend add x --plugin local",
    "backend set lab --default true",
    "backend remove lab",
    "backend disable local",
    "backend enable local",
    "network add my-game --via local",
    "network remove my-game",
    "plugin disable local",
    "plugin remove local",
];

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// The names of the files in the configuration folder: a file that was only half written would be one more.
fn files(home: &Home) -> Vec<String> {
    let folder = home.registry();
    let entries = fs::read_dir(folder.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
fn only_the_registry_is_there(home: &Home) {
    let names = files(home);
    assert!(names.iter().all(|name| ["registry.toml", "registry.toml.lock"].contains(&&**name)), "{names:?}");
}

#[test]
fn a_syntax_error_is_told_with_its_place_and_nothing_is_changed() {
    for (text, place) in [
        ("# mine\n[backends.lab\nplugin = \"local\"\n", "line 2, column 14"),
        ("# mine\n\n  [backends.lab]\nplugin = \n", "line 4, column 10"),
        ("[backends.lab]\nplugin = \"local\"\n[backends.lab]\n", "line 3, column 11"),
        ("backends = 7\n", "line 1, column 12"),
        ("é = \"é\" x", "line 1, column 9"),
    ] {
        let home = Home::new();
        home.append(text);
        let asking =
            ["backend list", "backend info lab", "network list", "plugin list", "lookup n", "doctor"];
        for command in asking.iter().chain(&CHANGES) {
            let ran = home.run(&words(command));
            let told = ran.out() + &ran.err();
            assert_eq!(ran.code(), 10, "{command}: {told}");
            let file = home.registry().display().to_string();
            assert!(told.contains(&format!("{file}, {place}")), "{command}: {told}");
            assert!(
                ran.err().contains("error[config]: ") && ran.err().contains("\n  fix: ")
                    || *command == "doctor",
                "{told}"
            );
            assert_eq!(fs::read_to_string(home.registry()).unwrap(), text, "{command}");
        }
        only_the_registry_is_there(&home);
    }
}

#[test]
fn bytes_that_are_no_text_are_left_alone() {
    let home = Home::new();
    home.append("");
    let bytes = b"[backends.lab]\nplugin = \"\xff\xfe\"\n";
    fs::write(home.registry(), bytes).unwrap();
    for command in CHANGES {
        let ran = home.run(&words(command));
        assert_ne!(ran.code(), 0, "{command}");
        assert!(ran.err().contains("registry.toml"), "{command}: {}", ran.err());
        assert_eq!(fs::read(home.registry()).unwrap(), bytes, "{command}");
    }
}

#[test]
fn an_entry_that_does_not_parse_disables_itself_only() {
    let home = Home::new();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home.append("# mine\n[backends.bad]\nplugin = 7\n\n[backends.good]\nplugin = \"local\"\n\n[networks.odd]\nbackends = 7\n");
    let listed = home.ok(&["backend", "list", "--json"]).of_type("backend");
    let state = |name: &str| listed.iter().find(|line| line["backend"] == name).unwrap();
    assert_eq!((&state("good")["state"], &state("bad")["state"]), (&"enabled".into(), &"invalid".into()));
    assert!(state("bad")["summary"].as_str().unwrap().contains("line 2, column 1"), "{}", state("bad"));

    assert_eq!(home.ok(&["lookup", "demo", "--via", "good", "--json"]).peers(), ["127.0.0.1:4001"]);
    let alone = home.run(&["lookup", "demo", "--via", "bad"]);
    assert_eq!(alone.code(), 10);
    assert!(alone.err().contains("error[config]: the entry [backends.bad] is invalid"), "{}", alone.err());
    assert!(alone.err().contains("line 2, column 1") && alone.err().contains("fix: "), "{}", alone.err());
    let both = home.run(&["lookup", "demo", "--via", "bad,good", "--json"]);
    assert_eq!((both.code(), both.peers().len()), (9, 1));
    assert_eq!(home.run(&["lookup", "odd"]).code(), 10);
    // What is beside an invalid entry can be changed, and the entry can be removed.
    home.ok(&["backend", "disable", "good"]);
    home.ok(&["backend", "remove", "bad"]);
    home.ok(&["network", "remove", "odd"]);
    let text = fs::read_to_string(home.registry()).unwrap();
    assert!(!text.contains("bad") && !text.contains("odd") && text.contains("[backends.good]"), "{text}");
}

#[test]
fn what_is_there_already_is_not_added_again() {
    let home = Home::new();
    home.add_lab("127.0.0.1:1");
    let before = fs::read(home.registry()).unwrap();
    for name in ["lab", "local", "bittorrent"] {
        let ran = home.run(&["backend", "add", name, "--plugin", "local"]);
        assert_eq!(ran.code(), 2);
        assert!(
            ran.err().contains(&format!("error[usage]: there is a backend \"{name}\" already\n  fix: ")),
            "{}",
            ran.err()
        );
    }
    assert_eq!(fs::read(home.registry()).unwrap(), before);
}

#[test]
fn many_at_once_lose_nothing() {
    let home = Home::new();
    let names: Vec<_> = (0..8).map(|number| format!("b{number}")).collect();
    let adding: Vec<_> = names
        .iter()
        .map(|name| home.bitboot(&["-q", "backend", "add", name, "--plugin", "local"]).spawn().unwrap())
        .collect();
    for mut child in adding {
        assert!(child.wait().unwrap().success());
    }
    let listed = home.ok(&["backend", "list", "--plain"]).out();
    assert_eq!(listed.lines().filter(|name| names.iter().any(|added| added == name)).count(), 8, "{listed}");
    only_the_registry_is_there(&home);
}

#[test]
fn one_name_is_added_once_however_many_try() {
    let home = Home::new();
    let add = |number: u32| {
        let summary = format!("the one of {number}");
        let mut add = home.bitboot(&["backend", "add", "mine", "--plugin", "local", "--summary", &summary]);
        add.stderr(Stdio::null()).spawn().unwrap()
    };
    let adding: Vec<_> = (0..8).map(add).collect();
    let codes: Vec<_> = adding.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    assert_eq!(codes.iter().filter(|&&code| code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 2].contains(code)), "{codes:?}");
}

#[test]
fn comments_and_order_are_kept() {
    let home = Home::new();
    let mine = "# top\n\n[backends.lab] # beside\n# above\nplugin = 'local' # odd quotes\n\n\n[networks.\"my game\"]\nbackends = [\n  \"lab\", # first\n]\n# end\n";
    home.append(mine);
    home.ok(&["backend", "add", "other", "--plugin", "local"]);
    home.ok(&["network", "add", "red", "--via", "lab,other"]);
    home.ok(&["plugin", "disable", "mainline"]);
    for part in mine.split('\n').filter(|line| line.contains('#')) {
        assert!(fs::read_to_string(home.registry()).unwrap().contains(part), "{part}");
    }
    home.ok(&["backend", "remove", "other"]);
    home.ok(&["network", "remove", "red"]);
    home.ok(&["plugin", "enable", "mainline"]);
    let text = fs::read_to_string(home.registry()).unwrap();
    assert!(text.starts_with(mine.trim_end_matches("# end\n")), "{text}");
    assert_eq!(
        home.ok(&["network", "show", "my game", "--json"]).of_type("network")[0]["backends"][0],
        "lab"
    );
}

#[test]
fn what_is_off_says_how_it_is_switched_on() {
    let home = Home::new();
    home.ok(&["backend", "disable", "local"]);
    let off = home.run(&["lookup", "n", "--via", "local"]);
    assert_eq!(off.code(), 10);
    assert!(off.err().contains("fix: switch it on: bitboot backend enable local"), "{}", off.err());
    home.ok(&["backend", "enable", "local"]);
    home.ok(&["plugin", "disable", "local"]);
    let off = home.run(&["lookup", "n", "--via", "local"]);
    assert_eq!(off.code(), 6);
    assert!(off.err().contains("fix: switch it on: bitboot plugin enable local"), "{}", off.err());
    home.ok(&["plugin", "enable", "local"]);
    assert_eq!(home.run(&["lookup", "n", "--via", "local"]).code(), 3);
    for name in ["local", "bittorrent"] {
        home.ok(&["backend", "set", name, "--default", "false"]);
    }
    let nobody = home.run(&["lookup", "n"]);
    assert_eq!(nobody.code(), 10);
    assert!(
        nobody.err().contains("no backend is a default one") && nobody.err().contains("fix: "),
        "{}",
        nobody.err()
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let home = Home::new();
    home.append("# mine\n");
    // For everybody, root too: a file where a folder has to be.
    let file = home.registry();
    let ran = home.run(&["--home", file.to_str().unwrap(), "backend", "add", "x", "--plugin", "local"]);
    assert_eq!(ran.code(), 1, "{}", ran.err());
    assert!(
        ran.err().contains("error[other]: cannot ") && ran.err().contains(file.to_str().unwrap()),
        "{}",
        ran.err()
    );
    if protect(file.parent().unwrap()) {
        for command in ["backend add x --plugin local", "network add n --via local", "plugin disable local"] {
            let ran = home.run(&words(command));
            assert_eq!(ran.code(), 1, "{command}: {}", ran.err());
            assert!(ran.err().contains("Permission denied"), "{}", ran.err());
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
}

/// Takes the right to write away; whether that hinders us, which it does not if we are root.
#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn protect(folder: &Path) -> bool {
    let mut rights = fs::metadata(folder).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(folder, rights).unwrap();
    let is_hindered = fs::write(folder.join("try"), "").is_err();
    if !is_hindered {
        fs::remove_file(folder.join("try")).unwrap();
        eprintln!("skipped: this user may write everywhere");
    }
    is_hindered
}
