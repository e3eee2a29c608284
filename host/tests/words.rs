//! What is typed or written wrong: the exit code, what is wrong and what helps; and nothing is half done.

mod support;

use std::fs;
use std::process::Stdio;

use support::Home;

/// Fails with a code, and says what is wrong and what helps.
#[track_caller]
fn refused(home: &Home, words: &[&str], code: i32, says: &[&str]) {
    let ran = home.run(words);
    let told = ran.err();
    assert_eq!(ran.code(), code, "{words:.200?}: {told}");
    assert!(told.starts_with("error["), "{words:.200?}: {told}");
    for part in says.iter().chain(&["\n  fix: "]) {
        assert!(told.contains(part), "{words:.200?} says nothing of {part:?}: {told}");
    }
    assert!(told.len() < 1000 && !told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    assert_eq!(ran.out(), "", "{words:.200?}");
}

#[test]
fn a_network_has_a_name() {
    let home = Home::new();
    let long = "x".repeat(10_000);
    let names =
        [("", "is empty"), (&long, "has 10000 bytes"), ("a\nb", "control"), ("\u{1b}[31m", "control")];
    for (name, says) in names {
        for command in [
            &["lookup", name][..],
            &["announce", name, "--port", "1"],
            &["join", name, "--port", "1"],
            &["withdraw", name],
            &["network", "add", name, "--via", "local"],
            &["network", "show", name],
        ] {
            refused(&home, command, 2, &[says]);
        }
    }
    for magnet in ["magnet:", "magnet:?dn=x", "magnet:?xt=urn:btih:123"] {
        refused(&home, &["lookup", magnet], 2, &["has no info hash", "40 hexadecimal digits"]);
    }
}

#[test]
fn a_file_of_networks_is_read_line_by_line() {
    let home = Home::new();
    let file = home.path().join("networks");
    let path = file.to_str().unwrap();
    refused(&home, &["lookup", "--via", "local", "--networks-file", path], 2, &["there is no file", path]);
    fs::write(&file, "# only this\n\n").unwrap();
    refused(&home, &["lookup", "--via", "local", "--networks-file", path], 2, &["there is no network"]);
    fs::write(&file, "# mine\n\nred\nbl\u{1b}ue\n").unwrap();
    refused(&home, &["lookup", "--via", "local", "--networks-file", path], 2, &["control", "line 4"]);
    let told = home.feed(&["lookup", "--via", "local", "--networks-file", "-"], "red\nbl\u{1b}ue\n");
    told.is_refused(2, "line 2");
}

#[test]
fn a_peer_can_be_reached() {
    let home = Home::new();
    for port in ["0", "70000", "-1", "http", ""] {
        refused(&home, &["announce", "n", "--via", "local", &format!("--port={port}")], 2, &["--port"]);
    }
    for (peer, says) in [
        ("0.0.0.0:80", "unspecified"),
        ("[::]:80", "unspecified"),
        ("224.0.0.1:80", "multicast"),
        ("[ff02::1]:80", "multicast"),
        ("203.0.113.7:0", "port"),
        ("203.0.113.7:70000", "port"),
        ("203.0.113.7", "the form is"),
        ("2001:db8::7:80", "the form is"),
        ("a b:80", "the form is"),
        ("", "the form is"),
    ] {
        refused(&home, &["announce", "n", "--via", "local", "--peer", peer], 2, &[says]);
    }
    refused(&home, &["announce", "n", "--via", "local"], 2, &["--port"]);
    let both = ["announce", "n", "--via", "local", "--port", "1", "--peer", "203.0.113.7:80"];
    refused(&home, &both, 2, &["cannot be used with"]);
}

#[test]
fn a_duration_has_a_unit() {
    let home = Home::new();
    for wrong in ["10", "0s", "-1s", "soon", "", "500years"] {
        // An empty time-out is none, as in BITBOOT_TIMEOUT.
        let flags: &[&str] = if wrong.is_empty() { &["--watch"] } else { &["--timeout", "--watch"] };
        for flag in flags {
            refused(&home, &["lookup", "n", "--via", "local", &format!("{flag}={wrong}")], 2, &[flag]);
        }
        refused(&home, &["announce", "n", "--port", "1", &format!("--ttl={wrong}")], 2, &["--ttl"]);
    }
    refused(&home, &["announce", "n", "--port", "1", "--ttl", "10ms"], 2, &["at least 1s"]);
    refused(&home, &["lookup", "n", "--limit", "0"], 2, &["above 0"]);
}

#[test]
fn a_medium_that_cannot_be_entered_is_told_with_its_hosts() {
    for (bootstrap, says) in
        [("no-such-host.invalid:1", "DNS"), ("127.0.0.1:1", "no bootstrap host answered")]
    {
        let home = Home::new();
        home.add_lab(bootstrap);
        for words in [&["lookup", "n"][..], &["announce", "n", "--port", "1", "--once"]] {
            let ran = home.run(&[words, &["--via", "lab"]].concat());
            let told = ran.err();
            assert_eq!(ran.code(), 5, "{told}");
            for part in ["error[unreachable]: backend \"lab\": ", says, bootstrap, "\n  fix: "] {
                assert!(told.contains(part), "{part:?}: {told}");
            }
        }
        let ping = home.run(&["backend", "ping", "lab", "--json"]);
        assert_eq!((ping.code(), &ping.of_type("health")[0]["reachable"]), (5, &false.into()));
    }
}

#[test]
fn the_name_that_was_meant_is_suggested() {
    let home = Home::new();
    home.ok(&["network", "add", "my-game", "--via", "local"]);
    for (words, meant) in [
        ("lokup n", "'lookup'"),
        ("backend lisst", "'list'"),
        ("lookup n --frist", "'--first'"),
        ("completions bsh", "'bash'"),
        ("lookup n --via locl", "\"local\""),
        ("lookup n --via local,bitorrent", "\"bittorrent\""),
        ("announce n --port 1 --via locl", "\"local\""),
        ("backend info bitorrent", "\"bittorrent\""),
        ("backend remove locall", "\"local\""),
        ("backend add x --plugin mainlin", "\"mainline\""),
        ("backend add x --plugin mainline --set bootstrp=a:1", "\"bootstrap\""),
        ("plugin info loca", "\"local\""),
        ("plugin disable mainlin", "\"mainline\""),
        ("network remove my-gam", "\"my-game\""),
        ("network add x --via locl", "\"local\""),
        ("backend run mainline tesnet", "\"testnet\""),
        ("help exitcodes", "\"exit-codes\""),
        ("help lokup", "\"lookup\""),
    ] {
        refused(&home, &words.split(' ').collect::<Vec<_>>(), 2, &[meant]);
    }
    refused(
        &home,
        &["backend", "add", "x", "--plugin", "mainline", "--kind", "mainlin"],
        10,
        &["\"mainline\"?"],
    );
}

#[test]
fn where_nothing_is_near_the_known_names_are_told() {
    let home = Home::new();
    for (words, known) in [
        ("lookup n --via qqqqqq", "local, solana"),
        ("backend add x --plugin qqqqqq", "local, mainline"),
        ("backend run local qqqqqq", "it has: none"),
        ("backend add x --plugin mainline --set qqqqqq=1", "bootstrap"),
        ("help qqqqqq", "exit-codes, environment"),
        ("network remove qqqqqq", "known are: none"),
    ] {
        refused(&home, &words.split(' ').collect::<Vec<_>>(), 2, &[known]);
    }
    refused(&home, &["withdraw", "qqqqqq"], 3, &["bitboot status"]);
}

#[test]
fn an_entry_has_a_plain_name() {
    let home = Home::new();
    for name in ["", "Upper", "a b", "../up", "-x", "a\u{1b}b", &"x".repeat(65)] {
        refused(&home, &["backend", "add", "--plugin", "local", "--", name], 2, &["a name is 1 to 64 of"]);
    }
    for set in ["bootstrap", "=1", "boot\nstrap=1"] {
        refused(&home, &["backend", "add", "x", "--plugin", "mainline", "--set", set], 2, &["--set"]);
    }
    refused(
        &home,
        &["backend", "add", "x", "--plugin", "mainline", "--set", "port=many"],
        2,
        &["whole number"],
    );
    refused(&home, &["lookup", "n", "--via", "local", "--exec", "echo 'a"], 2, &["a quote is not closed"]);
    assert!(!home.registry().exists());
}

#[test]
fn errors_are_json_lines_too() {
    let home = Home::new();
    for (words, code, word) in [
        ("lookup n --via locl", 2, "usage"),
        ("lokup", 2, "usage"),
        ("lookup n --timeout soon", 2, "usage"),
        ("withdraw n", 3, "not-found"),
        ("plugin install /no/such/library.so", 6, "plugin"),
    ] {
        let ran = home.run(&[&words.split(' ').collect::<Vec<_>>()[..], &["--json"]].concat());
        let [line] = &ran.lines()[..] else { panic!("{words}: {}", ran.out()) };
        assert_eq!(ran.code(), code, "{words}");
        assert_eq!((&line["v"], &line["type"], &line["code"]), (&1.into(), &"error".into(), &word.into()));
        assert!(line["error"].is_string() && line["fix"].is_string(), "{line}");
    }
    home.add_lab("127.0.0.1:1");
    let ran = home.run(&["lookup", "n", "--via", "lab", "--json"]);
    let [error, summary] = &ran.lines()[..] else { panic!("{}", ran.out()) };
    assert_eq!(
        (&error["type"], &error["backend"], &error["code"]),
        (&"backend_error".into(), &"lab".into(), &"unreachable".into())
    );
    assert_eq!((&summary["failed"], &summary["exit"]), (&1.into(), &5.into()));
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let home = Home::new();
    for words in [&["backend", "list"][..], &["backend", "list", "--json"], &["help", "keys"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = support::Ran(home.bitboot(words).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ran.code(), 1, "{words:?}: {}", ran.err());
        assert!(ran.err().contains("cannot be written"), "{}", ran.err());
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = support::Ran(home.bitboot(words).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((ran.code(), ran.err().as_str()), (0, ""), "{words:?}");
    }
}

#[test]
fn an_empty_variable_is_none() {
    let home = Home::new();
    let ran = support::Ran(home.bitboot(&["backend", "list"]).env("BITBOOT_TIMEOUT", "").output().unwrap());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let ran = support::Ran(home.bitboot(&["backend", "list"]).env("BITBOOT_TIMEOUT", "x").output().unwrap());
    assert_eq!(ran.code(), 2);
}
