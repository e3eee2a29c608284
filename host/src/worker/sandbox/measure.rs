//! What confines this process, found out by trying: what a kernel does not have, or a container takes away, is not claimed.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;

use super::{Confine, InForce, Rule, State};

pub(super) fn measure(confine: &Confine) -> InForce {
    let mut rules = vec![files(confine), programs(), network(confine), listening(confine)];
    #[cfg(unix)]
    rules.push(local_sockets());
    #[cfg(target_os = "linux")]
    rules.extend([processes(), privileges(), system_calls(), memory(), descriptors()]);
    rules.push(environment());
    InForce { rules }
}

fn rule(what: &str, state: State, detail: impl Into<String>) -> Rule {
    Rule { what: what.into(), state, detail: detail.into() }
}

fn files(confine: &Confine) -> Rule {
    if fs::read_dir(if cfg!(windows) { r"C:\" } else { "/" }).is_ok() {
        return rule("files", State::Open, "it reads and writes what the user can");
    }
    if confine.files.is_empty() {
        return rule("files", State::Refused, "it reads the system's libraries and network settings only");
    }
    let granted = confine.files.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
    rule("files", State::Limited, format!("it reads and writes in {} only", granted.join(", ")))
}

fn programs() -> Rule {
    // A file that is not there: what refuses to start programs does not get so far as to look for it.
    let started = Command::new("/nonexistent/bitboot").env_clear().spawn();
    match started.map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => {
            rule("programs", State::Refused, "it starts no program and no process")
        }
        _ => rule("programs", State::Open, "it can start programs"),
    }
}

fn network(confine: &Confine) -> Rule {
    let works = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok();
    match (works, confine.network) {
        (false, _) => rule("network", State::Refused, "it has no sockets"),
        (true, true) => {
            rule("network", State::Granted, "it sends and receives, whatever the address (UDP, TCP)")
        }
        (true, false) => rule("network", State::Open, "it can send and receive"),
    }
}

fn listening(confine: &Confine) -> Rule {
    let works = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).is_ok();
    match (works, confine.listen) {
        (false, _) => rule("listening", State::Refused, "it takes no TCP connections of others"),
        (true, true) => rule("listening", State::Granted, "it takes TCP connections of others"),
        (true, false) => rule("listening", State::Open, "it can take TCP connections of others"),
    }
}

#[cfg(unix)]
fn local_sockets() -> Rule {
    match std::os::unix::net::UnixDatagram::unbound() {
        Err(_) => rule("local sockets", State::Refused, "it reaches no D-Bus, no keyring, no agent"),
        Ok(_) => rule("local sockets", State::Open, "it can reach D-Bus and the keyring"),
    }
}

#[cfg(target_os = "linux")]
fn processes() -> Rule {
    use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open, test_kill_process};
    // A host in another PID namespace has no number here.
    let other = getppid().unwrap_or(Pid::INIT);
    if pidfd_open(other, PidfdFlags::empty()).is_err() && test_kill_process(other).is_err() {
        rule("other processes", State::Refused, "it neither signals them nor looks into them")
    } else {
        rule("other processes", State::Open, "it can signal and trace processes of the user")
    }
}

#[cfg(target_os = "linux")]
fn privileges() -> Rule {
    use rustix::thread::{capabilities, no_new_privs};
    let gains = !no_new_privs().unwrap_or(false);
    let has = capabilities(None).is_ok_and(|sets| !sets.effective.is_empty());
    match (gains, has) {
        (false, false) => rule("privileges", State::Refused, "it has none and gains none"),
        (false, true) => rule("privileges", State::Limited, "it gains none, but reads the files of others"),
        (true, _) => rule("privileges", State::Open, "it can gain some"),
    }
}

#[cfg(target_os = "linux")]
fn system_calls() -> Rule {
    use rustix::thread::{SecureComputingMode, secure_computing_mode};
    match secure_computing_mode() {
        Ok(SecureComputingMode::Filter) => rule(
            "system calls",
            State::Limited,
            "without those for kernel keys, tracing, BPF, mounts, namespaces, io_uring, shared memory, queues",
        ),
        _ => rule("system calls", State::Open, "all that the user has"),
    }
}

#[cfg(target_os = "linux")]
fn memory() -> Rule {
    match rustix::process::getrlimit(rustix::process::Resource::Data).current {
        Some(most) => rule("memory", State::Limited, format!("at most {} MiB of data", most >> 20)),
        None => rule("memory", State::Open, "as much as there is"),
    }
}

#[cfg(target_os = "linux")]
fn descriptors() -> Rule {
    match rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum {
        Some(most) => rule("descriptors", State::Limited, format!("at most {most} open files and sockets")),
        None => rule("descriptors", State::Open, "as many as there are"),
    }
}

fn environment() -> Rule {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect::<Vec<_>>();
    match names.as_slice() {
        [] => rule("environment", State::Refused, "it sees no variable of the user"),
        names => rule("environment", State::Limited, format!("it sees {} only", names.join(", "))),
    }
}
