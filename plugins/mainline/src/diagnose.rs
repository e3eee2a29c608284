//! Why nobody answers, as far as it can be found out from here.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::dht::Id;
use crate::dht::krpc::{self, Ask, Asking};

/// A likely cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    /// In a word, for programs.
    pub(crate) word: &'static str,
    /// In a part of a sentence, after a colon.
    pub(crate) why: String,
    /// What helps.
    pub(crate) fix: &'static str,
}

/// What came of asking one host once more, from a socket that hears what the network itself says about it.
#[derive(Debug)]
enum Outcome {
    Answered,
    /// The host is there, and nobody listens.
    Closed,
    Forbidden(io::Error),
    NoWay(io::Error),
    Silent,
}

/// So many hosts of each family are asked.
const MOST: usize = 4;
/// When so many different ones are silent, it is hardly their fault.
const MANY: usize = 3;
const MANY_NODES: usize = 8;

/// Asks hosts, from this machine's addresses, which of IPv4 and IPv6 are used; `known` nodes have been silent as well.
pub(crate) async fn diagnose(
    hosts: &[SocketAddr],
    from: [Option<IpAddr>; 2],
    known: usize,
    patience: Duration,
) -> Cause {
    let mut tries = JoinSet::new();
    let mut asked = BTreeSet::new();
    for side in [false, true] {
        let Some(from) = from[usize::from(side)] else { continue };
        for at in hosts.iter().copied().filter(|at| at.is_ipv6() == side).take(MOST) {
            asked.insert(at.ip());
            tries.spawn(async move { ask(from, at, patience).await.unwrap_or_else(Outcome::from) });
        }
    }
    judge(&tries.join_all().await, asked.len(), known)
}

/// Why the system lets nothing out.
pub(crate) fn of_refusal(error: io::Error) -> Cause {
    judge(&[Outcome::from(error)], 0, 0)
}

/// Why the DNS knows none of the hosts.
pub(crate) fn without_dns(now: SystemTime) -> Cause {
    if let Some(year) = impossible_year(now) {
        return Cause {
            word: "clock-off",
            why: format!(
                "this machine's clock says that it is {year}, and a DNS that checks signatures fails then"
            ),
            fix: "set the clock",
        };
    }
    Cause {
        word: "dns-failed",
        why: "is DNS reachable?".into(),
        fix: "see whether this machine can look up any name, or set a bootstrap host by its IP address",
    }
}

fn judge(outcomes: &[Outcome], hosts: usize, known: usize) -> Cause {
    let cause = |word, why: String, fix| Cause { word, why, fix };
    let find = |is: fn(&Outcome) -> bool| outcomes.iter().find(|outcome| is(outcome));
    if find(|outcome| matches!(outcome, Outcome::Answered)).is_some() {
        let fix = "try again, or set a longer request_timeout_ms";
        return cause(
            "slow",
            "asked once more, a host answers: it is slow, or much is lost on the way".into(),
            fix,
        );
    }
    if find(|outcome| matches!(outcome, Outcome::Closed)).is_some() {
        let why = "the host is there, but no DHT node listens at its port".into();
        return cause("bootstrap-dead", why, "set other bootstrap hosts, or start that node");
    }
    if let Some(Outcome::Forbidden(error)) = find(|outcome| matches!(outcome, Outcome::Forbidden(_))) {
        let why = format!("UDP is blocked by a firewall: {error}");
        return cause("udp-blocked", why, "let this program send UDP, see the firewall's rules");
    }
    if let Some(Outcome::NoWay(error)) = find(|outcome| matches!(outcome, Outcome::NoWay(_))) {
        let why = format!("this machine knows no way there: {error}");
        return cause(
            "no-route",
            why,
            "is this machine connected, and is `bind` the address that leads there?",
        );
    }
    if hosts >= MANY || known >= MANY_NODES {
        let why =
            format!("nothing came back from {} addresses: UDP is likely blocked on the way", hosts + known);
        return cause(
            "udp-blocked",
            why,
            "ask whoever runs the firewall or the network, or try another network",
        );
    }
    let why = "nothing came back: the hosts are gone, or UDP is blocked on the way".into();
    cause("bootstrap-dead", why, "set other bootstrap hosts, three or more; is outgoing UDP blocked?")
}

/// A connected socket is told what routers and hosts send back in the place of an answer (ICMP).
async fn ask(from: IpAddr, at: SocketAddr, patience: Duration) -> io::Result<Outcome> {
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(at).await?;
    let asking = Asking { transaction: b"help", id: &Id([0; 20]), read_only: true, both: false, token: None };
    socket.send(&krpc::query(asking, &Ask::Ping)).await?;
    let mut packet = [0; 512];
    match timeout(patience, socket.recv(&mut packet)).await {
        Ok(received) => received.map(|_| Outcome::Answered),
        Err(_) => Ok(Outcome::Silent),
    }
}

impl From<io::Error> for Outcome {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Windows has another word for it where no connection was.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Self::Closed,
            io::ErrorKind::PermissionDenied => Self::Forbidden(error),
            _ => Self::NoWay(error),
        }
    }
}

/// The year that the clock says, when it cannot be: it lies before this code was written.
fn impossible_year(now: SystemTime) -> Option<u64> {
    const WRITTEN: u64 = 2026;
    const YEAR: u64 = 31_556_952;
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Some(1970 + seconds / YEAR).filter(|year| *year < WRITTEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    async fn cause(hosts: &[SocketAddr], from: &str) -> Cause {
        let from: IpAddr = from.parse().unwrap();
        let mut sides = [None, None];
        sides[usize::from(from.is_ipv6())] = Some(from);
        diagnose(hosts, sides, 0, PATIENCE).await
    }

    /// A host that hears and says nothing.
    fn silent() -> std::net::UdpSocket {
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    #[tokio::test]
    async fn a_port_at_which_nobody_listens_is_told_from_silence() {
        let socket = silent();
        let at = socket.local_addr().unwrap();
        let told = cause(&[at], "127.0.0.1").await;
        assert!(told.word == "bootstrap-dead" && told.why.contains("nothing came back"), "{told:?}");
        drop(socket);
        let told = cause(&[at], "127.0.0.1").await;
        assert!(told.word == "bootstrap-dead" && told.why.contains("no DHT node listens"), "{told:?}");
    }

    #[tokio::test]
    async fn many_that_are_silent_are_not_to_blame() {
        let socket = silent();
        let told =
            diagnose(&[socket.local_addr().unwrap()], [Some([127, 0, 0, 1].into()), None], 8, PATIENCE).await;
        assert_eq!(told.word, "udp-blocked");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_cannot_be_sent_is_told_with_the_systems_words() {
        // From loopback nothing leads anywhere else.
        let told = cause(&["192.0.2.1:6881".parse().unwrap()], "127.0.0.1").await;
        assert!(told.word == "no-route" && told.why.contains("os error"), "{told:?}");
    }

    #[test]
    fn what_a_firewall_forbids_is_udp_that_is_blocked() {
        let told = judge(&[Outcome::from(io::Error::from(io::ErrorKind::PermissionDenied))], 1, 0);
        assert_eq!(told.word, "udp-blocked");
    }

    #[test]
    fn a_clock_of_the_past_is_a_cause() {
        let told = without_dns(UNIX_EPOCH + Duration::from_secs(86_400));
        assert!(told.word == "clock-off" && told.why.contains("1970"), "{told:?}");
        assert_eq!(without_dns(SystemTime::now()).word, "dns-failed");
    }
}
