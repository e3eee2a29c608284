use std::net::SocketAddr;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::families::NAMES;

/// How long the DNS may take: all hosts are asked at once.
const DNS_PATIENCE: Duration = Duration::from_secs(5);
/// The most addresses of a family that a node starts from; the crate asks all of them in every query while it knows fewer nodes.
const MAX_ADDRESSES: usize = 20;

/// The hosts of the configuration, which become addresses one after the other. Whoever has one need not wait for the others.
#[derive(Debug, Clone)]
pub(crate) struct Bootstrap {
    /// Their names, in the user's order.
    pub(crate) hosts: Vec<String>,
    found: watch::Receiver<Found>,
}

/// What is known of the hosts by now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Where to start, each once, in the order in which they were found.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How many hosts have an address.
    pub(crate) resolved: usize,
    /// How many the DNS has not answered for yet.
    pub(crate) pending: usize,
    /// What is wrong with the others.
    causes: Vec<String>,
}

impl Bootstrap {
    /// Begins to resolve hosts to addresses of these families; those that have none are passed over with a line for the log.
    pub(crate) fn begin(
        hosts: &[String],
        families: [bool; 2],
        log: impl Fn(String) + Send + 'static,
    ) -> Result<Self> {
        if hosts.is_empty() {
            return Err(Error::new(ErrorKind::Config, "no bootstrap host is set, so the DHT cannot be entered")
                .fix("set one, as in `bitboot backend set NAME bootstrap=10.0.0.5:6881`, or use the backend `bittorrent`"));
        }
        let mut found = Found { pending: hosts.len(), ..Found::default() };
        // A host with many addresses must not keep the others out.
        let share = (MAX_ADDRESSES / hosts.len()).max(1);
        let mut asked = JoinSet::new();
        for host in hosts {
            if let Ok(at) = host.parse::<SocketAddr>() {
                found.take(host, Ok(vec![at]), families, share, &log);
            } else {
                let host = host.clone();
                asked.spawn(async move { (ask(&host).await, host) });
            }
        }
        let (tell, told) = watch::channel(found);
        tokio::spawn(async move {
            while let Some(Ok((answer, host))) = asked.join_next().await {
                tell.send_modify(|found| found.take(&host, answer, families, share, &log));
            }
        });
        Ok(Self { hosts: hosts.to_vec(), found: told })
    }

    /// What is known by now.
    pub(crate) fn found(&self) -> Found {
        self.found.borrow().clone()
    }

    /// What is known by now and is still to come.
    pub(crate) fn watch(&self) -> watch::Receiver<Found> {
        self.found.clone()
    }

    /// Waits until one host at least has an address.
    pub(crate) async fn first(&self) -> Result<()> {
        self.until(|found| found.resolved > 0 || found.pending == 0).await;
        if self.found().resolved > 0 { Ok(()) } else { Err(self.failure()) }
    }

    /// Waits until the DNS has answered for all hosts.
    pub(crate) async fn all(&self) -> Result<Found> {
        self.until(|found| found.pending == 0).await;
        self.first().await.map(|()| self.found())
    }

    /// Why there is no address.
    pub(crate) fn failure(&self) -> Error {
        let what = format!("no bootstrap host has an address of a family that is used: {}", self.names());
        Error::new(ErrorKind::Unreachable, what)
            .because(list(&self.found().causes))
            .fix("is DNS reachable? see \"bitboot doctor --online\"")
    }

    /// The hosts for a sentence: the first three, and how many more.
    pub(crate) fn names(&self) -> String {
        list(&self.hosts)
    }

    async fn until(&self, is_enough: impl Fn(&Found) -> bool) {
        // One that is gone has told all that it had to tell.
        let _ = self.watch().wait_for(|found| is_enough(found)).await;
    }
}

impl Found {
    fn take(&mut self, host: &str, answer: Answer, families: [bool; 2], share: usize, log: &impl Fn(String)) {
        self.pending -= 1;
        let answer = answer.and_then(|addresses| of_families(addresses, families));
        match answer {
            Ok(addresses) => {
                self.resolved += 1;
                for side in [false, true] {
                    let of_side = addresses.iter().copied().filter(|at| at.is_ipv6() == side);
                    of_side.take(share).for_each(|at| self.add(at));
                }
            }
            Err(why) => {
                log(format!("the bootstrap host {host} is passed over: {why}"));
                self.causes.push(format!("{host}: {why}"));
            }
        }
    }

    fn add(&mut self, at: SocketAddr) {
        let of_family = self.addresses.iter().filter(|other| other.is_ipv6() == at.is_ipv6()).count();
        if of_family < MAX_ADDRESSES && !self.addresses.contains(&at) {
            self.addresses.push(at);
        }
    }
}

type Answer = std::result::Result<Vec<SocketAddr>, String>;

async fn ask(host: &str) -> Answer {
    let answer = timeout(DNS_PATIENCE, lookup_host(host)).await;
    let answer = answer.map_err(|_| format!("the DNS did not answer within {} s", DNS_PATIENCE.as_secs()))?;
    answer.map(Iterator::collect).map_err(|error| error.to_string())
}

/// Those of the families that are used.
fn of_families(addresses: Vec<SocketAddr>, families: [bool; 2]) -> Answer {
    let plain = addresses.into_iter().map(|at| SocketAddr::new(at.ip().to_canonical(), at.port()));
    let used: Vec<_> = plain.filter(|at| families[usize::from(at.is_ipv6())]).collect();
    if !used.is_empty() {
        return Ok(used);
    }
    let names: Vec<_> = NAMES.iter().zip(families).filter(|(_, used)| *used).map(|(name, _)| *name).collect();
    Err(format!("it has no {} address", names.join(" or ")))
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_host_without_an_address_of_the_families_is_passed_over_and_told() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let names = hosts(&["[::1]:6881", "127.0.0.1:6881", "127.0.0.1:6881"]);
        let told = Arc::clone(&log);
        let begun =
            Bootstrap::begin(&names, [true, false], move |line| told.lock().unwrap().push(line)).unwrap();
        let found = begun.all().await.unwrap();
        assert_eq!((found.addresses.len(), found.resolved, begun.hosts.len()), (1, 2, 3));
        let told = log.lock().unwrap().clone();
        assert_eq!(told, ["the bootstrap host [::1]:6881 is passed over: it has no IPv4 address"]);
        let both = Bootstrap::begin(&names, [true, true], |_| ()).unwrap().found();
        assert_eq!((both.addresses.len(), both.resolved, both.pending), (2, 3, 0));
    }

    #[tokio::test]
    async fn an_address_is_there_before_the_dns_has_answered_for_the_others() {
        let names = hosts(&["no-such-host.invalid:1", "127.0.0.1:6881"]);
        let begun = Bootstrap::begin(&names, [true, true], |_| ()).unwrap();
        assert_eq!((begun.found().resolved, begun.found().pending), (1, 1));
        timeout(Duration::from_secs(5), begun.first()).await.unwrap().unwrap();
        assert_eq!(begun.all().await.unwrap().addresses.len(), 1);
    }

    #[tokio::test]
    async fn no_host_at_all_is_an_error_that_names_them() {
        let error = Bootstrap::begin(&[], [true, true], |_| ()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        let begun = Bootstrap::begin(&hosts(&["[::1]:6881"]), [true, false], |_| ()).unwrap();
        let error = begun.first().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("[::1]:6881") && error.fix.unwrap().contains("DNS"));
    }

    #[tokio::test]
    async fn no_more_than_twenty_addresses_are_used() {
        let many = (1..=50).map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>();
        assert_eq!(Bootstrap::begin(&many, [true, true], |_| ()).unwrap().found().addresses.len(), 20);
        assert_eq!(list(&many[..5]), "127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 and 2 more");
    }
}
