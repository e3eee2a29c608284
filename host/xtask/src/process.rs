//! Programs that the tasks run.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Talks to the person; results of programs go to stdout by themselves.
pub(crate) fn say(text: &str) {
    // Nobody to talk to is no failure.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Where cargo puts what it builds, by where it has put this program; without the profile's folder.
pub(crate) fn target() -> Result<PathBuf, String> {
    let program = env::current_exe().map_err(|error| format!("cannot tell where cargo builds: {error}"))?;
    program.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| "cannot tell where cargo builds".into())
}

/// Runs cargo in the repository.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Result<(), String> {
    run(Command::new(env!("CARGO")).args(words).current_dir(root))
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed: {status}")),
        Err(error) => Err(format!("cannot run {command:?}: {error}")),
    }
}

/// A program that ends with the task, by its own pid.
pub(crate) struct Running {
    child: Child,
    /// Kept open: a program whose results nobody reads any more ends.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it and waits for its first lines.
    pub(crate) fn start(command: &mut Command, lines: usize) -> Result<(Self, Vec<String>), String> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut running = Self { child, stdout };
        let stdout = running.stdout.iter_mut();
        let said: Vec<String> =
            stdout.flat_map(|stdout| stdout.lines().map_while(Result::ok).take(lines)).collect();
        if said.len() == lines {
            Ok((running, said))
        } else {
            Err(format!("{command:?} ended without a word"))
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
