use std::collections::BTreeSet;
use std::sync::Arc;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Author, Backend, Caps, Cx, Error, Found, Health, Host, Level, Output,
    Query, Quote, Receipt, Result, Stores,
};
use bitboot_rpc::{TO_TELL, first, gather};
use bitcoin::{Amount, TxOut};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout_at;

use crate::chain::Chain;
use crate::config::BitcoinConfig;
use crate::lookup::{Look, Told};
use crate::message::{MAX_VALUE, Message, Place};
use crate::node::{Node, sum};
use crate::scan::Scan;
use crate::spend::{Purse, told};

/// A Bitcoin chain as a medium.
pub(crate) struct Bitcoin {
    config: BitcoinConfig,
    host: Host,
    nodes: Vec<Node>,
    scans: Vec<Arc<Scan>>,
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
        let node = |url: &String| Node::new(url, &config, &host);
        let nodes: Vec<Node> = config.nodes().iter().map(node).collect();
        let scan = |node: &Node| Arc::new(Scan::new(node.clone(), &config, host.clone()));
        let scans = nodes.iter().map(scan).collect();
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

    async fn quote(&self, what: Announcement, cx: Cx) -> Result<Quote> {
        let ((outputs, size), owner) = (self.outputs(&what)?, self.purse.owner().await?);
        let node = first(&self.nodes).await?;
        let plan = self.purse.quote(node, &owner, &outputs, &cx).await?;
        let mut quote = Quote::of(told(plan.cost)).with_signatures(plan.signatures());
        let lost: Amount = outputs.iter().map(|output| output.value).sum();
        let index = if self.config.index_output {
            format!(", and {} for its index, which are lost", told(lost))
        } else {
            String::new()
        };
        quote.writes = format!("a transaction of {} with {size} bytes for the network{index}", owner.address);
        quote.final_in_s = Some(u32::from(self.config.target_blocks.max(1)) * Chain::BLOCK_S);
        quote.readers = READERS.into();
        quote.test_network = !self.config.chain.is_real();
        Ok(quote)
    }

    async fn announce(&self, what: Announcement, cx: Cx) -> Result<Receipt> {
        let ((outputs, size), owner) = (self.outputs(&what)?, self.purse.owner().await?);
        let node = first(&self.nodes).await?;
        let plan = self.purse.spend(node, &owner, &outputs, &cx).await?;
        let purpose = format!("to announce in a transaction with {size} bytes of data");
        let transaction = self.purse.sign(&plan, &owner, &purpose).await?;
        let taken = self.purse.broadcast(&self.nodes, &transaction, &owner, &cx).await?;
        let asked = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        Ok(Receipt::new(taken, asked).with_fee(told(plan.cost)).with_note(format!(
            "transaction {}, provisional until it is in a block",
            transaction.compute_txid()
        )))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let (place, deadline) = (Place::of(&query.locator), found.cx().deadline());
        let looks = self.scans.iter().map(|scan| Look { scan: Arc::clone(scan), place: place.clone() });
        let tell = |told: Told| {
            let found = &found;
            async move {
                match told.authored() {
                    Some(authored) => found.authored(&authored).await,
                    None => Ok(()),
                }
            }
        };
        gather(looks, deadline, tell).await?.answers("a node", "5m", &self.host)?;
        if self.nodes.len() > 1 {
            // Only a remark: it must not cost what was found.
            let _ = timeout_at(deadline - TO_TELL / 2, self.compare()).await;
        }
        Ok(())
    }

    async fn author(&self, _cx: Cx) -> Result<Option<Author>> {
        Ok(Author::new(&self.purse.owner().await?.key.to_bytes()))
    }

    async fn save(&self, _cx: Cx) -> Result<()> {
        for scan in &self.scans {
            scan.save().await;
        }
        Ok(())
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let node = first(&self.nodes).await?;
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
        let coins = self.purse.coins(first(&self.nodes).await?, &owner, out.cx()).await?;
        let all = |confirmed: bool| sum(coins.iter().filter(|coin| coin.confirmed == confirmed));
        out.emit(&json!({
            "address": owner.address.to_string(),
            "confirmed": told(all(true)),
            "unconfirmed": told(all(false)),
            "coins": coins.len(),
        }))
        .await
    }
}

impl Bitcoin {
    /// The outputs that carry what is announced, and how many bytes of data are in them.
    fn outputs(&self, what: &Announcement) -> Result<(Vec<TxOut>, usize)> {
        let place = Place::of(&what.locator);
        let value = what.sealed(MAX_VALUE)?.to_vec();
        let message = Message { tag: place.tag, value }.script()?;
        let size = message.len() - 2;
        let mut outputs = vec![TxOut { value: Amount::ZERO, script_pubkey: message }];
        if self.config.index_output {
            // As little as nodes pass on.
            outputs.push(TxOut { value: place.index.minimal_non_dust(), script_pubkey: place.index });
        }
        Ok((outputs, size))
    }

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
}
