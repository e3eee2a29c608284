use std::collections::BTreeSet;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Author, Backend, Caps, Cx, Error, ErrorKind, Found, Health, Host,
    Level, Output, Query, Quote, Receipt, Result, Stores,
};
use bitcoin::{Amount, ScriptBuf};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::chain::Chain;
use crate::config::BitcoinConfig;
use crate::message::{MAX_VALUE, Message, tag_of};
use crate::node::Node;
use crate::scan::Scan;
use crate::spend::{Purse, told};

/// A Bitcoin chain as a medium.
pub(crate) struct Bitcoin {
    config: BitcoinConfig,
    host: Host,
    nodes: Vec<Node>,
    scans: Vec<Scan>,
    purse: Purse,
}

/// What the action `wallet` takes: nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Who learns what.
const READERS: &str = "everybody, for ever: the coins and the key that paid, and when; the address itself only who knows the network";

impl Backend for Bitcoin {
    const KIND: &'static str = "bitcoin";
    type Config = BitcoinConfig;

    async fn open(config: BitcoinConfig, host: Host) -> Result<Self> {
        config.check()?;
        let node = |url: &String| Node::new(url, &config, host.clone());
        let nodes: Vec<Node> = config.nodes().iter().map(node).collect();
        let scan = |(number, node): (usize, &Node)| Scan::new(number, node.clone(), &config, host.clone());
        let scans = nodes.iter().enumerate().map(scan).collect();
        Ok(Self { purse: Purse::new(config.clone(), host.clone()), config, host, nodes, scans })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Log, 0);
        caps.max_value = u32::try_from(MAX_VALUE).unwrap_or(u32::MAX);
        caps.authored = true;
        caps.paid = true;
        caps.wide = self.config.chain != Chain::Regtest;
        (caps.ipv4, caps.ipv6, caps.dns) = (false, false, false);
        caps.lookup_ms = 2000;
        caps.announce_ms = 1000;
        caps.needs = vec!["rpc".into(), "key".into()];
        caps.reveals = format!("{READERS}; looking up tells nobody but the node that is asked");
        caps
    }

    async fn quote(&self, what: Announcement, _cx: Cx) -> Result<Quote> {
        let (message, owner) = (script(&what)?, self.purse.owner().await?);
        let node = self.first().await?;
        let plan = self.purse.quote(node, &owner, &message).await?;
        let mut quote = Quote::of(told(plan.fee)).with_signatures(plan.signatures());
        quote.writes =
            format!("a transaction of {} with {} bytes for the network", owner.address, message.len() - 2);
        quote.final_in_s = Some(u32::from(self.config.target_blocks.max(1)) * Chain::BLOCK_S);
        quote.readers = READERS.into();
        quote.test_network = !self.config.chain.is_real();
        Ok(quote)
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let (message, owner) = (script(&what)?, self.purse.owner().await?);
        let node = self.first().await?;
        let plan = self.purse.spend(node, &owner, &message).await?;
        let purpose = format!("to announce in a transaction with {} bytes of data", message.len() - 2);
        let transaction = self.purse.sign(&plan, &owner, &purpose).await?;
        let taken = self.purse.broadcast(&self.nodes, &transaction, &owner).await?;
        let asked = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        Ok(Receipt::new(taken, asked).with_fee(told(plan.fee)).with_note(format!(
            "transaction {}, provisional until it is in a block",
            transaction.compute_txid()
        )))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let tag = tag_of(&query.locator);
        let (mut answered, mut failure) = (0, None);
        for scan in &self.scans {
            match scan.find(tag).await {
                Ok(finds) => {
                    answered += 1;
                    for authored in finds.iter().filter_map(crate::scan::Find::authored) {
                        found.authored(&authored).await?;
                    }
                }
                Err(error) => {
                    self.host.log(Level::Warn, format!("one node of {}: {error}", self.nodes.len()));
                    failure = failure.or(Some(error));
                }
            }
        }
        if self.nodes.len() > 1 {
            self.compare().await;
        }
        match failure {
            Some(error) if answered == 0 => Err(error),
            _ => Ok(()),
        }
    }

    async fn author(&self, _cx: Cx) -> Result<Option<Author>> {
        Ok(Author::new(&self.purse.owner().await?.key.to_bytes()))
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let node = self.first().await?;
        let info = node.info().await?;
        let summary = if info.initialblockdownload {
            "the node is still downloading the chain: what is new is not there yet"
        } else {
            "the node answers"
        };
        Ok(Health::new(true, summary)
            .with_fact("node", &node.url())
            .with_fact(
                "chain",
                &info.chain.chars().filter(char::is_ascii_alphanumeric).take(20).collect::<String>(),
            )
            .with_fact("blocks", &info.blocks))
    }

    fn actions() -> Vec<ActionInfo> {
        vec![ActionInfo::new::<NoArguments>(
            "wallet",
            "The address of this backend's key, and the coins that lie there",
        )]
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        if action.name != "wallet" {
            return Err(Error::unsupported(format!("there is no action `{}`", action.name)));
        }
        let owner = self.purse.owner().await?;
        let coins = self.purse.coins(self.first().await?, &owner).await?;
        let sum = |confirmed: bool| -> Amount {
            coins.iter().filter(|coin| coin.confirmed == confirmed).map(|coin| coin.value).sum()
        };
        out.emit(&json!({
            "address": owner.address.to_string(),
            "confirmed": told(sum(true)),
            "unconfirmed": told(sum(false)),
            "coins": coins.len(),
        }))
        .await
    }
}

impl Bitcoin {
    /// Tells when the nodes are on different branches of the chain.
    async fn compare(&self) {
        let mut tips = Vec::new();
        for scan in &self.scans {
            tips.extend(scan.last(u32::MAX).await);
        }
        let Some(common) = tips.iter().map(|(height, _)| *height).min() else { return };
        let mut blocks = BTreeSet::new();
        for scan in &self.scans {
            blocks.extend(scan.last(common).await.filter(|(height, _)| *height == common));
        }
        if blocks.len() > 1 {
            let text = format!(
                "the nodes disagree about block {common}: one is on another branch of the chain, or lies"
            );
            self.host.log(Level::Warn, text);
        }
    }

    /// The first node that answers and is on the right chain. One on another chain is an error in any case: it must not go unseen.
    async fn first(&self) -> Result<&Node> {
        let mut failure = None;
        for node in &self.nodes {
            match node.check().await {
                Ok(()) => return Ok(node),
                Err(error) if error.kind == ErrorKind::Config => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Config, "this backend has no node")))
    }
}

/// The script of the output that carries what is announced.
fn script(what: &Announcement) -> Result<ScriptBuf> {
    let value = what.value.clone().ok_or_else(|| {
        Error::new(ErrorKind::Refused, "a chain carries sealed values only, no bare addresses")
    })?;
    let message = Message { tag: tag_of(&what.locator), value };
    message
        .script()
        .ok_or_else(|| Error::new(ErrorKind::Refused, format!("a value has 1 to {MAX_VALUE} bytes here")))
}
