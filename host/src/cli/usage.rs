//! What clap says about the words, in the form of every other error.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit::Exit;
use crate::error::{Error, Kind};
use crate::network::Network;
use crate::output::{ColorChoice, ErrorLine, Line, Mode, Screen};

/// The longest value that is repeated to the user.
const MAX_VALUE: usize = 100;

/// Tells why the words were not taken. Help and version are what was asked for and are no failure.
pub(super) fn end(error: clap::Error) -> Exit {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // A closed pipe is nobody to tell.
        let _ = error.print();
        return if error.use_stderr() { Kind::Usage.into() } else { Exit::OK };
    }
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    // The words are not parsed, so this one is looked for by hand.
    let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    let screen = Screen::new(json.then_some(Mode::Json), ColorChoice::Auto, false, 0);
    if error.kind() == ErrorKind::MissingSubcommand && !json {
        // As clap does where there are no words at all; but it takes BITBOOT_HOME for one.
        screen.talk().page(&named(&words).render_help().to_string());
        return Kind::Usage.into();
    }
    let told = told(error, &words);
    screen.talk().error(&told);
    if json {
        let _ = screen.print(&Line::Error(ErrorLine::new(None, None, &told)));
    }
    Exit::from(&told)
}

/// clap's first paragraph is what is wrong, its tips are what helps.
fn told(mut error: clap::Error, words: &[OsString]) -> Error {
    shorten(&mut error);
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let what = first.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let tips: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let fix =
        if tips.is_empty() { format!("see: {} --help", full_name(&named(words))) } else { tips.join("; ") };
    Error::new(Kind::Usage, what).fix(fix)
}

fn shorten(error: &mut clap::Error) {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return };
    if Network::is_invite(value) {
        // It is a secret: not for a log or a screen.
        error.insert(ContextKind::InvalidValue, ContextValue::String("bitboot://…".into()));
    } else if value.len() > MAX_VALUE {
        let start = &value[..value.floor_char_boundary(MAX_VALUE)];
        let short = ContextValue::String(format!("{start}…"));
        error.insert(ContextKind::InvalidValue, short);
    }
}

fn full_name(command: &clap::Command) -> &str {
    command.get_bin_name().unwrap_or("bitboot")
}

/// The command that the words name, such as `bitboot backend add`.
fn named(words: &[OsString]) -> clap::Command {
    let mut command = super::command();
    // Gives each command its full name.
    command.build();
    for word in words {
        if let Some(child) = command.find_subcommand(word) {
            command = child.clone();
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Error {
        let words: Vec<_> = words.split(' ').map(OsString::from).collect();
        let error = super::super::command().try_get_matches_from(&words).unwrap_err();
        told(error, &words[1..])
    }

    #[test]
    fn what_is_wrong_and_what_helps_are_told_apart() {
        let error = of("bitboot lokup x");
        assert_eq!(error.what, "unrecognized subcommand 'lokup'");
        assert_eq!(error.fix.unwrap(), "a similar subcommand exists: 'lookup'");
        let error = of("bitboot backend add");
        assert_eq!(
            error.what,
            "the following required arguments were not provided: --plugin <PLUGIN> <NAME>"
        );
        assert_eq!(error.fix.unwrap(), "see: bitboot backend add --help");
    }

    #[test]
    fn a_long_value_is_not_repeated() {
        let error = of(&format!("bitboot lookup {}", "日".repeat(4000)));
        assert!(error.what.len() < 300 && error.what.contains("日…'"), "{}", error.what);
    }
}
