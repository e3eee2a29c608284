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

use install::Profile;
use process::say;

const USAGE: &str = "\
cargo xtask demo                 build, start a private DHT, announce two peers, find them, clean up
cargo xtask setup                install what the tests need
cargo xtask test [ARGS]          setup, build, and run all tests; ARGS go to cargo test
cargo xtask check                formatting, lints, and the rules for dependencies
cargo xtask bench [NAME]         run the benchmarks: border, dht, lookup, writers
cargo xtask contract             compile the contract of plugins/ethereum anew
cargo xtask install [--root DIR] put binary, plugins, completions and man pages into DIR (default ~/.local);
                                 with --debug as they are developed, which takes less time to build";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::demo(&root()),
        ["setup"] => setup::setup(&root()),
        ["test", args @ ..] => test::test(&root(), args),
        ["check"] => test::check(&root()),
        ["bench", names @ ..] => test::bench(&root(), names),
        ["contract"] => chains::contract(&root()),
        ["install", options @ ..] => install(options),
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

fn install(options: &[&str]) -> Result<(), String> {
    let (mut folder, mut profile) = (None, Profile::Release);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--debug" => profile = Profile::Debug,
            "--root" => folder = Some(PathBuf::from(options.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.into()),
        }
    }
    let to = folder.map_or_else(|| home().map(|home| home.join(".local")), Ok)?;
    install::install(&root(), &to, profile)
}

/// The repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn home() -> Result<PathBuf, String> {
    env::home_dir().ok_or_else(|| "the system tells no home folder: give --root DIR".into())
}
