//! Which program is started as a worker.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};

use super::child;

/// The hidden command.
const WORD: &str = "__worker";

/// This program hands itself over to [`run_worker`] when it is started as a worker.
static IS_WORKER: AtomicBool = AtomicBool::new(false);

/// Serves as a worker if this process was started as one. To be called first thing in the `main` of a program that uses this library, so
/// that plugins can run in processes of that program; else the command `bitboot` is started for them, which has to be installed.
#[must_use]
pub fn run_worker() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next().as_deref() == Some(OsStr::new(WORD)) {
        return Some(ExitCode::from(child::serve()));
    }
    IS_WORKER.store(true, Ordering::Relaxed);
    None
}

/// The command that starts a worker for a plugin, with an empty environment; `None` where no program is found that can be one.
pub(super) fn command(plugin: &str) -> Option<Command> {
    let mut command = Command::new(program()?);
    // The plugin's name is for people who look at a list of processes.
    command.args([WORD, plugin]);
    scrub(&mut command);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Else Ctrl-C would end workers before the host has done with them.
        command.arg0("bitboot").process_group(0);
    }
    Some(command)
}

/// Leaves a process with a plugin in it hardly anything of the environment.
pub(crate) fn scrub(command: &mut Command) {
    command.env_clear();
    for name in PASSED_ON {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
}

/// Where a plugin may put files that it shares with others of the user, and what Windows needs for sockets. No secret is in any of them.
const PASSED_ON: &[&str] =
    if cfg!(windows) { &["SystemRoot", "TEMP", "TMP", "USERNAME"] } else { &["XDG_RUNTIME_DIR", "TMPDIR"] };

fn program() -> Option<PathBuf> {
    if IS_WORKER.load(Ordering::Relaxed) {
        // The very program that runs, also when its file was replaced meanwhile.
        return if cfg!(target_os = "linux") {
            Some("/proc/self/exe".into())
        } else {
            std::env::current_exe().ok()
        };
    }
    let name = format!("bitboot{}", std::env::consts::EXE_SUFFIX);
    let here = std::env::current_exe().and_then(dunce::canonicalize).ok()?;
    let folder = here.parent()?;
    // Beside the program or, as cargo does it for tests, a folder above; else where commands lie.
    let near = [Some(folder), folder.parent()].into_iter().flatten().map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    near.chain(std::env::split_paths(&path)).map(|folder| folder.join(&name)).find(|path| path.is_file())
}
