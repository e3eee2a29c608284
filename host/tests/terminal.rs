//! What a person sees at a terminal, and what a program reads from a pipe.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::process::{Command, Stdio};

use support::{Home, Ran, Terminal};

/// A home in which one peer is found at once and another after a while.
fn home() -> Home {
    let home = Home::new();
    home.forget_the_world();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    home.add_misbehaving("slow", "slow", "peer = \"203.0.113.7:1\", delay_ms = 3000");
    home
}

/// A command whose terminal is one with colours.
fn command(home: &Home, words: &str) -> Command {
    let mut command = home.bitboot(&words.split(' ').collect::<Vec<_>>());
    command.env("TERM", "xterm-256color");
    command
}

/// A command with all streams at a terminal: everything that was sent there.
fn sent(command: Command) -> String {
    let mut terminal = Terminal::new();
    terminal.start_all(command);
    terminal.finish().1
}

/// A terminal's lines after what was sent to it. Only what bitboot uses is known: ECMA-48's colours, `EL` and `CUU`.
fn screen(sent: &str) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0, 0);
    let mut characters = sent.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(characters.next(), Some('['), "{sent:?}");
                let mut number = String::new();
                match characters.find(|&c| {
                    c.is_ascii_alphabetic() || {
                        number.push(c);
                        false
                    }
                }) {
                    Some('m') => {}
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('A') => row -= number.parse::<usize>().unwrap(),
                    other => panic!("{number}{other:?} in {sent:?}"),
                }
            }
            shown => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = shown;
                column += 1;
            }
        }
        lines.resize_with(lines.len().max(row + 1), Vec::new);
    }
    let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn has_colours(sent: &str) -> bool {
    sent.split("\u{1b}[")
        .skip(1)
        .any(|code| code.find(char::is_alphabetic).is_some_and(|at| code[at..].starts_with('m')))
}

#[test]
fn a_person_sees_a_table_and_nothing_of_the_work() {
    let home = home();
    let sent = sent(command(&home, "lookup demo --via local,slow"));
    assert!(
        sent.contains("asking the backends") && sent.contains("1 found, the last 127.0.0.1:4001"),
        "{sent:?}"
    );
    let [header, local, slow] = &screen(&sent)[..] else { panic!("{sent}") };
    let columns = ["PEER", "BACKENDS", "SIGNED BY", "SEEN", "EXPIRES", "NETWORK"]
        .map(|name| header.find(name).unwrap());
    assert!(columns.is_sorted(), "{header}");
    for (row, cells) in
        [(local, ["127.0.0.1:4001", "local", "demo"]), (slow, ["203.0.113.7:1", "slow", "demo"])]
    {
        let places = cells.map(|cell| row.find(cell).unwrap());
        assert_eq!(places, [columns[0], columns[1], columns[5]], "{sent}");
    }
}

#[test]
fn a_narrow_terminal_breaks_texts_and_no_names() {
    let home = home();
    for (columns, fits) in [(90, true), (40, false)] {
        let mut terminal = Terminal::of(columns);
        terminal.start_all(command(&home, "backend list"));
        let shown = screen(&terminal.finish().1);
        let is_narrow = shown.iter().all(|line| line.chars().count() <= columns.into());
        assert_eq!(is_narrow, fits, "{shown:#?}");
        assert!(shown.iter().any(|line| line.starts_with("bitcoin-testnet4  bitcoin")), "{shown:#?}");
    }
    let mut terminal = Terminal::of(60);
    terminal.start_all(command(&home, "help keys"));
    let shown = screen(&terminal.finish().1);
    assert!(shown.len() > 40 && shown.iter().all(|line| line.chars().count() <= 60), "{shown:#?}");
}

#[test]
fn a_peer_of_two_backends_is_one_row() {
    let home = home();
    home.append("[backends.other]\nplugin = \"local\"\n");
    let shown = screen(&sent(command(&home, "lookup demo --via local,other")));
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[1].contains("local,other"), "{shown:?}");
}

#[test]
fn colours_are_where_they_are_wanted() {
    let home = home();
    for words in ["backend list", "lookup demo --via local", "lookup demo --via locl"] {
        assert!(has_colours(&sent(command(&home, words))), "{words}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let mut command = command(&home, words);
            command.env(name, value);
            assert!(!has_colours(&sent(command)), "{words}, {name}");
        }
        if !words.ends_with("locl") {
            assert!(!has_colours(&sent(command(&home, &format!("{words} --color never")))), "{words}");
        }
        let piped = Ran(command(&home, words).output().unwrap());
        assert!(!piped.out().contains('\u{1b}') && !piped.err().contains('\u{1b}'), "{words}");
    }
    let mut forced = command(&home, "lookup demo --via locl");
    assert!(has_colours(&Ran(forced.env("CLICOLOR_FORCE", "1").output().unwrap()).err()));
    assert!(has_colours(
        &Ran(command(&home, "lookup demo --via locl --color always").output().unwrap()).err()
    ));
}

#[test]
fn a_pipe_gets_tabs_while_the_terminal_beside_it_shows_the_work() {
    let home = home();
    let mut terminal = Terminal::new();
    let mut command = command(&home, "lookup demo --via local,slow");
    let file = home.path().join("out");
    command.stdout(std::fs::File::create(&file).unwrap()).stderr(terminal.end());
    terminal.start(command);
    let (_, sent) = terminal.finish();
    assert!(sent.contains("asking the backends"), "{sent:?}");
    assert_eq!(screen(&sent), [""; 0]);
    let out = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<Vec<_>> = out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 2, "{out}");
    assert_eq!((rows[0][0], rows[0][1], rows[0][5]), ("127.0.0.1:4001", "local", "demo"));
    assert!(
        rows.iter().all(|row| row.len() == 6 && row[3].ends_with('Z')) && !out.contains('\u{1b}'),
        "{out}"
    );
}

#[test]
fn whoever_is_interrupted_leaves_a_clean_terminal() {
    let home = home();
    home.add_misbehaving("slower", "slow", "delay_ms = 60000");
    let mut terminal = Terminal::new();
    terminal.start_all(command(&home, "lookup demo --via local,slower --timeout 60s"));
    terminal.until("1 found");
    let interrupted = Command::new("kill").args(["-INT", &terminal.pid().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let (status, sent) = terminal.finish();
    assert_eq!(status.code(), Some(130));
    let shown = screen(&sent);
    assert!(shown.len() == 2 && shown[1].contains("127.0.0.1:4001"), "{shown:?}");
}

#[test]
fn what_fails_is_told_above_the_table() {
    let home = home();
    home.append("[plugins.gone]\npath = \"/no/such.so\"\n[backends.gone]\nplugin = \"gone\"\n");
    let shown = screen(&sent(command(&home, "lookup demo --via local,gone,slow")));
    assert!(shown[0].starts_with("error[plugin/file]: plugin \"gone\" cannot be loaded"), "{shown:?}");
    assert!(
        shown[1].starts_with("  why: ") && shown[2].starts_with("  fix: ") && shown[3].contains("PEER"),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 6, "{shown:?}");
}

#[test]
fn text_of_others_moves_no_cursor() {
    let home = home();
    home.append("[backends.odd]\nplugin = \"odd\"\nsummary = \"a\\u001b[2Jb\\tc\\u202e\"\n");
    home.append("[plugins.odd]\npath = \"/no/\\u001b]0;title\\u0007.so\"\n");
    home.add_misbehaving("prints", "prints", "");
    for (words, harmless) in [
        ("backend list", "a\\u{1b}[2Jb\\u{9}c\\u{202e}"),
        ("plugin list", "/no/\\u{1b}]0;title\\u{7}.so"),
        ("plugin info odd", "/no/\\u{1b}]0;title\\u{7}.so"),
        ("lookup demo --via odd", "/no/\\u{1b}]0;title\\u{7}.so"),
        ("doctor", "/no/\\u{1b}]0;title\\u{7}.so"),
        ("-v lookup demo --via prints", "\\u{1b}[31mthis\\u{1b}[0m to the log\\u{a}in two lines"),
    ] {
        let ran = Ran(command(&home, words).output().unwrap());
        for text in [sent(command(&home, words)), ran.out() + &ran.err()] {
            assert!(text.contains(harmless), "{words}: {text:?}");
            let is_ours =
                |code: &str| code.starts_with('[') && !code.starts_with("[2J") && !code.starts_with("[31m");
            assert!(text.split('\u{1b}').skip(1).all(is_ours), "{words}: {text:?}");
            assert!(!text.contains(['\u{7}', '\u{202e}']), "{words}: {text:?}");
        }
    }
    // What is JSON has its own way of saying it.
    let listed = home.ok(&["backend", "list", "--json"]);
    assert!(
        listed.out().contains("a\\u001b[2Jb\\tc") && !listed.out().contains('\u{1b}'),
        "{}",
        listed.out()
    );
}

#[test]
fn the_form_is_that_of_the_flag() {
    let home = home();
    let shown = |words: &str| screen(&sent(command(&home, words)));
    assert_eq!(shown("lookup demo --via local --plain"), ["127.0.0.1:4001"]);
    let lines = shown("lookup demo --via local --json");
    assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines:?}");
    let quiet = sent(command(&home, "-q lookup demo --via local,slow"));
    assert!(!quiet.contains("asking") && quiet.contains("127.0.0.1:4001"), "{quiet:?}");
    let mut piped = command(&home, "lookup demo --via local --table");
    let piped = Ran(piped.stderr(Stdio::null()).output().unwrap());
    assert!(piped.out().contains("PEER") && !piped.out().contains('\u{1b}'), "{}", piped.out());
}
