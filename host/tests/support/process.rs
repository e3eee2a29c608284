use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// The workers of a process: those of its children that are called so.
pub fn workers(of: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    all.filter(|pid: &u32| parent(*pid) == Some(of) && is_worker(*pid)).collect()
}

/// The worker of a process, once there is one.
pub fn worker(of: u32) -> u32 {
    let mut found = None;
    wait("it has no worker", || {
        found = workers(of).first().copied();
        found.is_some()
    });
    found.unwrap()
}

fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn is_worker(pid: u32) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(b"__worker")
}

/// Whether a process runs; one that has ended and was not yet buried does not.
pub fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}

/// Waits until something is so.
pub fn wait(for_nothing: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "{for_nothing}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends a process without asking it.
pub fn kill(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

/// What is written of a process where others of the user can read it.
pub fn visible(pid: u32) -> Vec<(PathBuf, Vec<u8>)> {
    let files = ["cmdline", "environ"].map(|name| PathBuf::from(format!("/proc/{pid}/{name}")));
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}
