use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use bitboot_mainline::dht::lab::{Lab, Spec};
use bitboot_mainline::dht::{Family, Goal, Id};
use tokio::runtime::{Builder, Runtime};

use crate::ours;

/// Resident memory in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Of a process that is a client and has looked up a hundred things.
    pub(crate) client: Option<u64>,
    /// Of that, what the process had before it was one.
    pub(crate) bare: Option<u64>,
    /// Of each node of a test network.
    pub(crate) node: Option<u64>,
}

/// Makes this program one that tells its memory: `client H:P,…`, or `lab`.
const ROLE: &str = "BITBOOT_BENCH_ROLE";
const NODES: u16 = 1000;
const LOOKUPS: usize = 100;

/// Each in a process of its own, as memory that was freed stays with a process.
pub(crate) fn measure() -> Memory {
    let runtime = runtime();
    let lab = runtime.block_on(Lab::start(&Spec { nodes: 200, ..Spec::default() })).unwrap();
    let bootstrap: Vec<_> = lab.bootstrap().iter().map(SocketAddr::to_string).collect();
    let told = child(&format!("client {}", bootstrap.join(",")));
    let network = child("lab");
    let node = match network[..] {
        [before, after] => Some(after.saturating_sub(before) / u64::from(NODES)),
        _ => None,
    };
    Memory { bare: told.first().copied(), client: told.get(1).copied(), node }
}

/// Whether this process is one of those, and has done its work.
pub(crate) fn is_child() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let before = rss_kib();
    let runtime = runtime();
    let after = runtime.block_on(async {
        if let Some(bootstrap) = role.strip_prefix("client ") {
            client(bootstrap).await
        } else {
            let _lab = Lab::start(&Spec { nodes: NODES, ..Spec::default() }).await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            rss_kib()
        }
    });
    say(before, after);
    true
}

async fn client(bootstrap: &str) -> u64 {
    let bootstrap: Vec<SocketAddr> = bootstrap.split(',').map(|at| at.parse().unwrap()).collect();
    let ip = IpAddr::from(Ipv4Addr::new(127, 0, 99, 1));
    let dht = ours::start(ip, &bootstrap, None);
    for _ in 0..LOOKUPS {
        dht.search(Goal::Peers(Id(std::array::from_fn(|_| fastrand::u8(..)))), Family::V4).done().await;
    }
    rss_kib()
}

fn child(role: &str) -> Vec<u64> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).env(ROLE, role).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[expect(clippy::print_stdout, reason = "how a child tells")]
fn say(before: u64, after: u64) {
    println!("{before} {after}");
}

/// What this process has in memory; zero where the system does not tell.
fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_default()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
