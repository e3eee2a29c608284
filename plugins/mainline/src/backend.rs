use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Instant;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Endpoint, Error, ErrorKind, Found, Health, Host,
    Locator, Output, Peer, Query, Receipt, Result, Stores, Write,
};
use futures_lite::StreamExt;

use crate::announcing::Plan;
use crate::config::MainlineConfig;
use crate::engine::{self, Engine, InfoHash, MAX_ITEM, Untaken};
use crate::nodes::Nodes;
use crate::own::{Whose, whose};
use crate::{health, registers, testnet};

/// A BitTorrent DHT as a medium.
pub struct Mainline {
    config: MainlineConfig,
    nodes: Nodes,
}

/// How long an announcement is sure to live: nodes keep peers for 30 to 45 minutes.
const LIFETIME_S: u32 = 30 * 60;
/// At how many nodes an announcement is stored, where there are as many (the crate's bucket size; BEP 5 has 8).
const NEAREST: usize = 20;

impl Backend for Mainline {
    const KIND: &'static str = "mainline";
    type Config = MainlineConfig;

    async fn open(config: MainlineConfig, host: Host) -> Result<Self> {
        config.check()?;
        Ok(Self { nodes: Nodes::new(config.clone(), host), config })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Endpoints, LIFETIME_S);
        caps.register = u32::try_from(MAX_ITEM).ok();
        caps.lookup_ms = 2000;
        caps.announce_ms = 3000;
        [caps.ipv4, caps.ipv6] = self.config.families();
        caps.dns = false;
        caps.source_bound = true;
        caps.wide = self.config.is_wide();
        caps.needs = vec!["udp".into()];
        caps.reveals = "the nodes of the DHT see this machine's IP address and the info hash".into();
        caps
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let hash = info_hash(&what.locator)?;
        let plan = self.plan(&what).await?;
        let (node, since) = (self.nodes.ready().await?, Instant::now());
        let stored = match node.dht.announce(hash, &plan.ports).await {
            Ok(stored) => stored,
            Err(Untaken::Nobody) => {
                self.nodes.forget(&node).await;
                return Err(node.unreachable(since));
            }
            Err(Untaken::Unacknowledged(why) | Untaken::Conflict(why)) => {
                return Err(Error::new(ErrorKind::Unreachable, "no node of the DHT took the announcement")
                    .because(why)
                    .fix("try again, or set a longer request_timeout_ms"));
            }
        };
        // Only now: it is the announcement that lets the nodes say under which address they see this machine.
        let facts = node.dht.facts().await;
        let known =
            [0, 1].map(|side| if plan.ports[side].is_empty() { 0 } else { facts[side].nodes.min(NEAREST) });
        let asked = u32::try_from(known.iter().sum::<usize>())?.max(stored);
        let seen_at = engine::seen_at(&facts).map(|at| at.map(|at| at.ip()));
        Ok(plan.tell(Receipt::new(stored, asked).with_expiry(LIFETIME_S), seen_at))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let hash = info_hash(&query.locator)?;
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let (node, since) = (self.nodes.ready().await?, Instant::now());
        let mut seen = HashSet::new();
        let mut answers = node.dht.lookup(hash);
        while let Some(peers) = answers.next().await {
            for peer in peers {
                // A peer at port 0 is no peer, and there are such.
                let endpoint = Endpoint::new(peer.ip(), peer.port());
                let Some(endpoint) = endpoint.filter(|_| seen.len() < limit && seen.insert(peer)) else {
                    continue;
                };
                found.peer(Peer::new(endpoint)).await?;
            }
            if seen.len() >= limit {
                return Ok(());
            }
        }
        if seen.is_empty() && !node.is_answered().await {
            self.nodes.forget(&node).await;
            return Err(node.unreachable(since));
        }
        Ok(())
    }

    async fn read(&self, query: Query, found: Found) -> Result<()> {
        registers::read(&self.nodes, &query, &found).await
    }

    async fn write(&self, what: Write, _cx: Cx) -> Result<Receipt> {
        registers::write(&self.nodes, what, NEAREST).await
    }

    async fn here(&self, _cx: Cx) -> Result<Option<IpAddr>> {
        if let Some(ip) = self.config.here() {
            return Ok(Some(ip));
        }
        Ok(self.seen_at().await.into_iter().flatten().next())
    }

    async fn save(&self, _cx: Cx) -> Result<()> {
        self.nodes.keep().await
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        health::examine(&self.nodes).await
    }

    fn actions() -> Vec<ActionInfo> {
        vec![testnet::info()]
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        match action.name.as_str() {
            testnet::NAME => testnet::run(action.args()?, &out).await,
            unknown => Err(Error::unsupported(format!("a DHT has no action `{unknown}`"))),
        }
    }
}

impl Mainline {
    async fn plan(&self, what: &Announcement) -> Result<Plan> {
        let ours = |ip| whose(ip, &self.config);
        let unknown = what.endpoints.iter().filter_map(Endpoint::ip).any(|ip| ours(ip) == Whose::Others);
        // Behind a NAT only the other nodes can tell whether an address is ours; asked only when it matters.
        let seen_at = if unknown { self.seen_at().await } else { [None, None] };
        let whose = |ip| if seen_at.contains(&Some(ip)) { Whose::Ours } else { ours(ip) };
        Plan::new(what, self.config.families(), whose)
    }

    /// This machine's addresses as the nodes of the DHT see them.
    async fn seen_at(&self) -> [Option<IpAddr>; 2] {
        let Ok(node) = self.nodes.ready().await else { return [None, None] };
        let seen_at = |facts| engine::seen_at(&facts).map(|at| at.map(|at| at.ip()));
        let known = seen_at(node.dht.facts().await);
        if known.iter().any(Option::is_some) {
            return known;
        }
        node.dht.entered().await;
        seen_at(node.dht.facts().await)
    }
}

fn info_hash(locator: &Locator) -> Result<InfoHash> {
    locator.as_bytes().try_into().map_err(|_| {
        let bytes = locator.as_bytes().len();
        Error::new(ErrorKind::Refused, format!("a locator of {bytes} bytes is no info hash: those have 20"))
    })
}
