//! Completions by the real shells, manual pages by the real formatter, and every page of help.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Home, Terminal, program};

/// A user with a backend, a network and something announced.
fn home() -> Home {
    let home = Home::new();
    home.ok(&["backend", "add", "my-lab", "--plugin", "local", "--summary", "at home: mine"]);
    home.ok(&["network", "add", "my-game", "--via", "my-lab"]);
    home.ok(&["announce", "my-peers", "--port", "4001", "--via", "my-lab", "--once"]);
    home
}

/// What is typed before a TAB, and the line after it.
const COMPLETED: [(&str, &str); 8] = [
    ("bitboot looku", "bitboot lookup"),
    ("bitboot lookup --via loc", "bitboot lookup --via local"),
    ("bitboot lookup --via my", "bitboot lookup --via my-lab"),
    ("bitboot lookup --via local,my", "bitboot lookup --via local,my-lab"),
    ("bitboot backend inf", "bitboot backend info"),
    ("bitboot plugin info mainl", "bitboot plugin info mainline"),
    ("bitboot lookup my-g", "bitboot lookup my-game"),
    ("bitboot withdraw my", "bitboot withdraw my-peers"),
];

/// A shell that finds `bitboot` in its PATH, as an installed one is found.
fn shell(home: &Home, shell: &Path, words: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_bitboot")).parent().unwrap();
    let mut command = home.program(shell, words);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", folder.display())).env("TERM", "xterm");
    command.env("HOME", home.path()).current_dir(home.path());
    command
}

/// Types lines with a TAB at their end into an interactive shell. After each the line itself is shown, by going to its start and making it an `echo`.
fn type_into(command: Command, setup: &str) {
    let mut terminal = Terminal::new();
    terminal.start_all(command);
    terminal.keys(&format!("{setup}; echo set'-'up\n"));
    terminal.until("set-up");
    for (typed, completed) in COMPLETED {
        // Ctrl-A goes to the start. The quotes tell what is shown from what is typed.
        terminal.keys(&format!("{typed}\t\u{1}echo '=''>' \n"));
        terminal.until(&format!("=> {completed}"));
    }
    terminal.keys("exit\n");
    assert!(terminal.finish().0.success());
}

#[test]
fn bash_completes_names_of_the_moment() {
    let Some(bash) = program("bash") else { return };
    let home = home();
    let command = shell(&home, &bash, &["--norc", "--noprofile", "-i"]);
    type_into(command, "source <(bitboot completions bash)");
}

#[test]
fn zsh_completes_names_of_the_moment() {
    let Some(zsh) = program("zsh") else { return };
    let home = home();
    let command = shell(&home, &zsh, &["-f", "-i"]);
    type_into(command, "autoload -Uz compinit && compinit -u -D && source <(bitboot completions zsh)");
}

#[test]
fn fish_completes_names_of_the_moment() {
    let Some(fish) = program("fish") else { return };
    let home = home();
    for (typed, completed) in COMPLETED {
        let script = format!("bitboot completions fish | source; complete -C '{typed}'");
        let ran = support::Ran(shell(&home, &fish, &["--no-config", "-c", &script]).output().unwrap());
        let word = completed.rsplit(' ').next().unwrap();
        let told = ran.out();
        assert!(
            told.lines().any(|line| line.split('\t').next() == Some(word)),
            "{typed}: {told}{}",
            ran.err()
        );
    }
    let script = "bitboot completions fish | source; complete -C 'bitboot lookup --via my'";
    let ran = support::Ran(shell(&home, &fish, &["--no-config", "-c", script]).output().unwrap());
    assert_eq!(ran.out(), "my-lab\tat home: mine\n");
}

#[test]
fn every_script_can_be_printed() {
    let home = Home::new();
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.ok(&["completions", name]).out();
        // For whatever `bitboot` is in the PATH, not for this one.
        assert!(script.contains("bitboot") && !script.contains("target/"), "{script}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let home = Home::new();
    let folder = home.path().join("man");
    home.ok(&["man", "--dir", folder.to_str().unwrap()]);
    let mut pages: Vec<_> = fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    for name in
        ["bitboot", "bitboot-lookup", "bitboot-backend", "bitboot-backend-add", "bitboot-plugin-install"]
    {
        assert!(pages.contains(&folder.join(format!("{name}.1"))), "{name}: {pages:?}");
    }
    assert_eq!(
        fs::read_to_string(folder.join("bitboot.1")).unwrap().trim_end(),
        home.ok(&["man"]).out().trim_end()
    );
    let Some(mandoc) = program("mandoc") else { return };
    let checked =
        support::Ran(Command::new(mandoc).args(["-Tlint", "-W", "warning"]).args(&pages).output().unwrap());
    assert_eq!((checked.code(), &*(checked.out() + &checked.err())), (0, ""));
}

#[test]
fn help_explains_each_command_and_topic() {
    let home = Home::new();
    let topics = ["exit-codes", "environment", "formats", "costs", "plugins"];
    for topic in topics {
        let page = home.ok(&["help", topic]).out();
        assert!(page.lines().count() > 5, "{page}");
    }
    assert!(home.ok(&["help", "exit-codes"]).out().contains(" 10  a configuration is invalid,"));
    let whole = home.ok(&["help"]).out();
    let commands = whole.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<_> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() >= 12, "{names:?}");
    for name in names.iter().filter(|name| **name != "help") {
        let page = home.ok(&["help", name]).out();
        assert!(page.contains(&format!("Usage: bitboot {name}")), "{page}");
        assert_eq!(page.lines().next(), home.ok(&[name, "--help"]).out().lines().next());
    }
    assert!(home.ok(&["help", "backend", "add"]).out().contains("Usage: bitboot backend add"));
    assert!(topics.iter().all(|topic| whole.contains(topic)), "{whole}");
}

#[test]
fn without_words_the_help_is_shown() {
    let home = Home::new();
    for words in [&[][..], &["backend"], &["plugin"]] {
        let ran = home.run(words);
        assert_eq!(ran.code(), 2);
        assert!(ran.err().contains("Usage: bitboot") && ran.err().contains("Commands:"), "{}", ran.err());
    }
    assert_eq!(home.ok(&["--version"]).out(), concat!("bitboot ", env!("CARGO_PKG_VERSION"), "\n"));
}
