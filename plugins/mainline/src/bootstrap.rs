use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long the DNS may take: all hosts are asked at once.
const DNS_PATIENCE: Duration = Duration::from_secs(5);
/// The most addresses that a node starts from; the crate asks all of them in every query while it knows fewer nodes.
const MAX_ADDRESSES: usize = 20;

/// The hosts of the configuration as addresses.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    /// Where to start, IPv4 only, each once.
    pub(crate) addresses: Vec<SocketAddrV4>,
    /// How many hosts have an address.
    pub(crate) resolved: usize,
    /// Their names, in the user's order.
    pub(crate) hosts: Vec<String>,
}

impl Bootstrap {
    /// Resolves hosts; those that have no IPv4 address are passed over with a line for the log.
    pub(crate) async fn resolve(hosts: &[String], log: impl Fn(String)) -> Result<Self> {
        if hosts.is_empty() {
            return Err(Error::new(ErrorKind::Config, "no bootstrap host is set, so the DHT cannot be entered")
                .fix("set one, as in `bitboot backend set NAME bootstrap=10.0.0.5:6881`, or use the backend `bittorrent`"));
        }
        let mut found = Self { addresses: Vec::new(), resolved: 0, hosts: hosts.to_vec() };
        let mut causes = Vec::new();
        // A host with many addresses must not keep the others out.
        let share = (MAX_ADDRESSES / hosts.len()).max(1);
        for (host, answer) in hosts.iter().zip(ask_all(hosts).await) {
            match answer {
                Ok(addresses) => found.add(addresses.into_iter().take(share)),
                Err(why) => {
                    log(format!("the bootstrap host {host} is passed over: {why}"));
                    causes.push(format!("{host}: {why}"));
                }
            }
        }
        if found.resolved == 0 {
            let what = format!("no bootstrap host has an IPv4 address: {}", list(hosts));
            return Err(Error::new(ErrorKind::Unreachable, what)
                .because(list(&causes))
                .fix("is DNS reachable? see \"bitboot doctor --online\""));
        }
        Ok(found)
    }

    /// The hosts for a sentence: the first three, and how many more.
    pub(crate) fn names(&self) -> String {
        list(&self.hosts)
    }

    fn add(&mut self, addresses: impl Iterator<Item = SocketAddrV4>) {
        self.resolved += 1;
        for address in addresses {
            if !self.addresses.contains(&address) && self.addresses.len() < MAX_ADDRESSES {
                self.addresses.push(address);
            }
        }
    }
}

type Answer = std::result::Result<Vec<SocketAddrV4>, String>;

/// The answers in the order of the hosts.
async fn ask_all(hosts: &[String]) -> Vec<Answer> {
    let mut asked = JoinSet::new();
    for (index, host) in hosts.iter().cloned().enumerate() {
        asked.spawn(async move { (index, ask(&host).await) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn ask(host: &str) -> Answer {
    let answer = timeout(DNS_PATIENCE, lookup_host(host)).await;
    let answer = answer.map_err(|_| format!("the DNS did not answer within {} s", DNS_PATIENCE.as_secs()))?;
    let addresses = answer.map_err(|error| error.to_string())?;
    let ipv4 = addresses.filter_map(|address| match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    });
    let ipv4 = ipv4.collect::<Vec<_>>();
    if ipv4.is_empty() { Err("it has no IPv4 address".into()) } else { Ok(ipv4) }
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
    use std::cell::RefCell;

    use super::*;

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn a_host_without_an_ipv4_address_is_passed_over_and_told() {
        let log = RefCell::new(Vec::new());
        let names = hosts(&["[::1]:6881", "127.0.0.1:6881", "127.0.0.1:6881"]);
        let found = Bootstrap::resolve(&names, |line| log.borrow_mut().push(line)).await.unwrap();
        assert_eq!((found.addresses.len(), found.resolved, found.hosts.len()), (1, 2, 3));
        assert_eq!(*log.borrow(), ["the bootstrap host [::1]:6881 is passed over: it has no IPv4 address"]);
    }

    #[tokio::test]
    async fn no_host_at_all_is_an_error_that_names_them() {
        let error = Bootstrap::resolve(&[], |_| ()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        let error = Bootstrap::resolve(&hosts(&["[::1]:6881"]), |_| ()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("[::1]:6881") && error.fix.unwrap().contains("DNS"));
    }

    #[tokio::test]
    async fn no_more_than_twenty_addresses_are_used() {
        let many = (1..=50).map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>();
        assert_eq!(Bootstrap::resolve(&many, |_| ()).await.unwrap().addresses.len(), 20);
        assert_eq!(list(&many[..5]), "127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 and 2 more");
    }
}
