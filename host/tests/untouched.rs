//! What is only asked about is not run: no plugin is loaded for a list, a TAB or a version.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::process::Command;

use support::{Home, Ran, misfit};

/// A home with a plugin that ends whoever loads it.
fn mined() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home.add_plugin("mine", &misfit("aborts_on_load"));
    // In a process of its own it would be loaded unseen.
    home.append("isolation = \"in-process\"\n[plugins.local]\nisolation = \"in-process\"\n");
    home.append("[backends.mined]\nplugin = \"mine\"\ndefault = true\n");
    home
}

#[test]
fn what_is_only_asked_about_is_not_loaded() {
    let home = mined();
    for command in [
        "--version",
        "--help",
        "help exit-codes",
        "backend list",
        "plugin list",
        "plugin info mine",
        "plugin info local",
        "network add my-game --via mined",
        "network list",
        "network show my-game",
        "status",
        "key list",
        "key stores",
        "completions bash",
        "man",
        "backend disable mined",
        "backend enable mined",
        "plugin disable mine",
        "plugin enable mine",
    ] {
        let words: Vec<_> = command.split(' ').collect();
        let (ran, loaded) = watched(home.bitboot(&words));
        assert_eq!(ran.code(), 0, "{command}: {}", ran.err());
        assert_eq!(loaded, [""; 0], "{command}");
    }
    let info = home.ok(&["plugin", "info", "mine", "--json"]);
    assert_eq!(info.lines()[0]["plugin"], "mine");
}

#[test]
fn a_tab_loads_nothing() {
    let home = mined();
    for (shell, words) in
        [("bash", "lookup --via mi"), ("zsh", "lookup --via mi"), ("fish", "backend info mi")]
    {
        let words: Vec<_> = ["--", "bitboot"].into_iter().chain(words.split(' ')).collect();
        let mut command = home.bitboot(&words);
        let index = (words.len() - 2).to_string();
        command.env("COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
        let (ran, loaded) = watched(command);
        assert_eq!(ran.code(), 0, "{shell}: {}", ran.err());
        assert!(ran.out().starts_with("mined"), "{shell}: {}", ran.out());
        assert_eq!(loaded, [""; 0], "{shell}");
    }
}

#[test]
fn only_the_plugins_that_a_command_uses_are_loaded() {
    let home = mined();
    let (ran, loaded) = watched(home.bitboot(&["lookup", "demo", "--via", "local"]));
    assert_eq!(ran.code(), 3, "{}", ran.err());
    if cfg!(target_os = "linux") {
        assert!(loaded.iter().all(|file| file.contains("local")) && loaded.len() == 1, "{loaded:?}");
    }
    // It is a mine: whoever steps on it is gone, by a signal.
    let stepped = home.run(&["lookup", "demo", "--via", "mined"]);
    assert_eq!(stepped.0.status.code(), None, "{}", stepped.err());
}

#[test]
fn what_has_a_process_of_its_own_is_never_loaded_into_this_one() {
    let home = Home::new();
    home.forget_the_world();
    for words in [
        ["announce", "demo", "--port=1", "--once", "--via=local"],
        ["lookup", "demo", "--via", "local", "-v"],
    ] {
        let (ran, loaded) = watched(home.bitboot(&words));
        assert_eq!((ran.code(), loaded), (0, Vec::<String>::new()), "{words:?}: {}", ran.err());
    }
}

/// A command and the plugin libraries that were loaded into it: `ld.so(8)` tells, where there is one.
fn watched(mut command: Command) -> (Ran, Vec<String>) {
    let told = tempfile::tempdir().unwrap();
    command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", told.path().join("loaded"));
    let ran = Ran(command.output().unwrap());
    let files = std::fs::read_dir(told.path()).unwrap().map(|entry| entry.unwrap().path());
    let lines: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(lines.contains("libc.so") || !cfg!(target_env = "gnu"), "the loader tells nothing: {lines}");
    let maps = lines.lines().filter_map(|line| line.split_once("file=")).map(|(_, rest)| rest);
    let maps = maps.filter(|line| line.contains("generating link map"));
    let plugins = maps.filter(|line| line.contains("bitboot_") || line.contains("aborts_on_load"));
    (ran, plugins.map(ToOwned::to_owned).collect())
}
