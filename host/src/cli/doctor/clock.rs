//! Whether the system's clock can be believed: records, indexes and what was announced end by it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::finding::Finding;
use crate::error::{Error, Kind, Result};
use crate::paths::Paths;

/// Clocks of two machines that are set by the network do not differ by more.
const SLACK: Duration = Duration::from_secs(120);
/// 2026-01-01: no bitboot is older.
const FIRST_BUILD: Duration = Duration::from_secs(1_767_225_600);

pub(super) fn clock(paths: &Paths) -> Vec<Finding> {
    let now = SystemTime::now();
    let mut findings = vec![Finding::new("clock", not_behind(now, &newest(paths)))];
    // What is not there yet has a finding of its own.
    findings.extend(of_files(&paths.state).map(|there| Finding::new("clock of files", agrees(now, there))));
    findings
}

/// A clock that is behind what it has seen already has been set back, or has lost its battery.
fn not_behind(now: SystemTime, newest: &(PathBuf, SystemTime)) -> Result<String> {
    let (path, written) = newest;
    let first = SystemTime::UNIX_EPOCH + FIRST_BUILD;
    if now + SLACK >= *written && now >= first {
        return Ok(format!("it is {}", told(now)));
    }
    let why = if now < first {
        "this bitboot was built later".to_owned()
    } else {
        format!("{} was written at {}", path.display(), told(*written))
    };
    let what = format!("the clock is behind: it says {}", told(now));
    Err(Error::new(Kind::Config, what).at("clock").because(why).fix(set_it()))
}

fn agrees(now: SystemTime, there: SystemTime) -> Result<String> {
    let apart = now.duration_since(there).unwrap_or_else(|error| error.duration());
    if apart <= SLACK {
        return Ok("files get the time of the system's clock".into());
    }
    let what = format!("files get a time that is {} s from the system's clock", apart.as_secs());
    let why = "they lie on a machine with another clock, or the clock was set just now";
    Err(Error::new(Kind::Config, what).at("clock").because(why).fix(set_it()))
}

/// The newest of this program and of what is written by it.
fn newest(paths: &Paths) -> (PathBuf, SystemTime) {
    let ours = ["registry.toml", "bitboot.lock", "trust.toml", "indexes.toml"];
    let ours = ours.map(|name| paths.config.join(name)).into_iter().chain([paths.announced()]);
    let all = ours.chain(std::env::current_exe()).filter_map(|path| {
        let written = path.metadata().ok()?.modified().ok()?;
        Some((path, written))
    });
    all.max_by_key(|(_, written)| *written).unwrap_or((PathBuf::new(), SystemTime::UNIX_EPOCH))
}

/// The time that a file gets which is written now.
fn of_files(folder: &Path) -> Option<SystemTime> {
    use std::io::Write;
    let mut file = tempfile::tempfile_in(folder).ok()?;
    file.write_all(b"now").ok()?;
    file.metadata().ok()?.modified().ok()
}

fn told(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at).to_string()
}

fn set_it() -> &'static str {
    if cfg!(windows) {
        "set it: w32tm /resync"
    } else if cfg!(target_os = "macos") {
        "set it: sudo sntp -sS time.apple.com"
    } else {
        "set it: sudo timedatectl set-ntp true"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_is_noticed() {
        let now = SystemTime::UNIX_EPOCH + FIRST_BUILD + Duration::from_secs(86_400);
        let seen = |ahead: u64| (PathBuf::from("x"), now + Duration::from_secs(ahead));
        assert!(not_behind(now, &seen(60)).is_ok());
        let error = not_behind(now, &seen(600)).unwrap_err();
        assert!(error.gate == Some("clock") && error.why.unwrap().starts_with("x was written at 2026-01-02"));
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        assert!(not_behind(old, &(PathBuf::new(), old)).unwrap_err().fix.is_some());
    }

    #[test]
    fn files_of_another_clock_are_noticed() {
        let now = SystemTime::now();
        assert!(agrees(now, now - Duration::from_secs(60)).is_ok());
        for there in [now - Duration::from_secs(600), now + Duration::from_secs(600)] {
            assert!(agrees(now, there).unwrap_err().what.contains("600 s"));
        }
    }
}
