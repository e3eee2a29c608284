//! Tasks of the bitboot repository. `cargo xtask` lists them.

mod chains;
mod demo;
mod install;
mod process;
mod setup;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use process::say;

const USAGE: &str = "\
cargo xtask demo                 build, start a private DHT, announce two peers, find them, clean up
cargo xtask setup                install what the tests need
cargo xtask test [ARGS]          setup, build, and run all tests; ARGS go to cargo test
cargo xtask check                formatting, lints, and the rules for dependencies
cargo xtask bench [NAME]         run the benchmarks: border, dht, lookup, writers
cargo xtask install [--root DIR] put binary, plugins, completions and man pages into DIR (default ~/.local)";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::demo(&root()),
        ["setup"] => setup::setup(&root()),
        ["test", args @ ..] => test::test(&root(), args),
        ["check"] => test::check(&root()),
        ["bench", names @ ..] => test::bench(&root(), names),
        ["install"] => home().and_then(|home| install::install(&root(), &home.join(".local"))),
        ["install", "--root", folder] => install::install(&root(), Path::new(folder)),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn home() -> Result<PathBuf, String> {
    env::home_dir().ok_or_else(|| "the system tells no home folder: give --root DIR".into())
}
