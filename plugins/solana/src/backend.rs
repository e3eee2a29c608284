use std::sync::Arc;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Error, Found, Health, Host, Output, Query, Quote,
    Receipt, Result, Stores,
};
use bitboot_rpc::first;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::chain::Chain;
use crate::config::SolanaConfig;
use crate::delivery::Delivery;
use crate::layout::{MAX_VALUE, Mark, place_of};
use crate::lookup::Readers;
use crate::node::Node;
use crate::plan::{Plan, Way, Writing};
use crate::purse::{Purse, told};
use crate::wire::Key;

/// A Solana chain as a medium.
pub(crate) struct Solana {
    config: Arc<SolanaConfig>,
    nodes: Vec<Node>,
    readers: Readers,
    purse: Purse,
    /// One announcement after the other: each has to know what the one before has done.
    delivery: Mutex<Delivery>,
}

/// What the action `wallet` takes: nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Who learns what.
const READERS: &str = "everybody: the key that paid, when, and that it was bitboot; the addresses themselves only who knows the network";
/// Nobody can take a transaction back after so many seconds (32 slots).
const FINAL_S: u32 = 13;

impl Backend for Solana {
    const KIND: &'static str = "solana";
    type Config = SolanaConfig;

    async fn open(config: SolanaConfig, host: Host) -> Result<Self> {
        config.check()?;
        let config = Arc::new(config);
        let nodes: Vec<Node> =
            config.nodes().iter().map(|url| Node::new(url, &config, host.clone())).collect();
        let readers = Readers::new(&nodes, &config, &host);
        let delivery = Mutex::new(Delivery::new(nodes.clone(), host.clone()));
        Ok(Self { purse: Purse::new(Arc::clone(&config), host.clone()), config, nodes, readers, delivery })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Log, 0);
        caps.max_value = u32::try_from(MAX_VALUE).unwrap_or(u32::MAX);
        caps.paid = true;
        caps.wide = self.config.chain != Chain::Local;
        (caps.ipv4, caps.ipv6, caps.dns) = (false, false, false);
        caps.lookup_ms = 500;
        caps.announce_ms = 2000;
        caps.needs = vec!["rpc".into(), "key".into()];
        caps.reveals = format!("{READERS}; looking up tells the node that is asked for which place");
        caps
    }

    async fn quote(&self, what: Announcement, _cx: Cx) -> Result<Quote> {
        let writing = self.writing(what).await?;
        let plan = self.purse.plan(first(&self.nodes).await?, &writing).await?;
        let mut quote = Quote::of(told(plan.cost())).with_signatures(plan.signatures());
        quote.writes = writes(&plan, writing.writer);
        quote.final_in_s = Some(FINAL_S);
        quote.readers = READERS.into();
        quote.test_network = !self.config.chain.is_real();
        Ok(quote)
    }

    async fn announce(&self, what: Announcement, cx: Cx) -> Result<Receipt> {
        let writing = self.writing(what).await?;
        let node = first(&self.nodes).await?;
        let delivery = self.delivery.lock().await;
        delivery.settle(cx.deadline()).await?;
        let plan = self.purse.plan(node, &writing).await?;
        let parcel = self.purse.sign(node, &plan, &writing).await?;
        let id = parcel.id;
        let taken = delivery.deliver(parcel, cx.deadline()).await?;
        let asked = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let receipt = Receipt::new(taken, asked).with_fee(told(plan.cost()));
        Ok(receipt.with_note(format!("transaction {id}")))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        self.readers.find(place_of(&query.locator), &found).await
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let node = first(&self.nodes).await?;
        let (version, behind) = node.health().await?;
        let summary = behind.unwrap_or_else(|| "the node answers".into());
        Ok(Health::new(true, summary)
            .with_fact("node", &node.url())
            .with_fact("version", &version)
            .with_fact("first block", &node.genesis().await?)
            .with_fact("blocks", &node.height().await?))
    }

    fn actions() -> Vec<ActionInfo> {
        vec![ActionInfo::new::<NoArguments>("wallet", "The address of this backend's key, and what it holds")]
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        if action.name != "wallet" {
            return Err(Error::unsupported(format!("there is no action `{}`", action.name)));
        }
        let owner = self.purse.owner().await?;
        let balance = first(&self.nodes).await?.balance(owner).await?;
        out.emit(&json!({ "address": owner.to_string(), "balance": told(balance) })).await
    }
}

impl Solana {
    /// What an announcement writes.
    async fn writing(&self, what: Announcement) -> Result<Writing> {
        let value = what.sealed(MAX_VALUE)?.to_vec();
        let writer = self.purse.owner().await?;
        let mark = Mark::of(&what.writer, &value);
        Ok(Writing { place: place_of(&what.locator), mark, value, writer })
    }
}

fn writes(plan: &Plan, writer: Key) -> String {
    match plan.way {
        Way::Change(account) => format!("the account {account}, in place, paid by {writer}"),
        Way::Create { space, deposit } => {
            let deposit = told(deposit);
            format!(
                "a new account of {space} bytes, paid by {writer}; {deposit} of it is a deposit that stays there for ever"
            )
        }
        Way::Memo => format!("a memo in a transaction of {writer}, for as long as nodes keep those"),
    }
}
