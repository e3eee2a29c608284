use std::time::Duration;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Error, Found, Health, Host, Output, Query, Quote,
    Receipt, Result, Stores,
};
use bitboot_rpc::first;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::base64url::encode;
use crate::config::ArweaveConfig;
use crate::gateway::Gateway;
use crate::read::Reader;
use crate::spend::{Purse, SPARE, broadcast, confirmed, told};
use crate::topic::Topic;

/// Arweave as a medium.
pub(crate) struct Arweave {
    config: ArweaveConfig,
    host: Host,
    gateways: Vec<Gateway>,
    reader: Reader,
    purse: Purse,
}

/// What the action `wallet` takes: nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// The largest value: a bundle with the longest record has 552 bytes.
pub(crate) const MAX_VALUE: usize = 1024;
/// Blocks come every two minutes; after so many seconds one is behind most transactions.
const FINAL_S: u32 = 20 * 60;
/// Who learns what.
const READERS: &str = "everybody, for ever: the key that paid, its balance, and when; the record itself only who knows the network";

impl Backend for Arweave {
    const KIND: &'static str = "arweave";
    type Config = ArweaveConfig;

    async fn open(config: ArweaveConfig, host: Host) -> Result<Self> {
        config.check()?;
        let gateway = |url: &String| Gateway::new(url, &config, host.clone());
        let gateways: Vec<Gateway> = config.gateways().iter().map(gateway).collect();
        let reader = Reader::new(gateways.clone(), &config, host.clone());
        Ok(Self { config, gateways, reader, purse: Purse::new(host.clone()), host })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Log, 0);
        caps.max_value = u32::try_from(MAX_VALUE).unwrap_or(u32::MAX);
        caps.paid = true;
        caps.wide = self.config.is_real();
        (caps.ipv4, caps.ipv6, caps.dns) = (false, false, false);
        caps.lookup_ms = 2000;
        caps.announce_ms = 2000;
        caps.needs = vec!["rpc".into(), "key".into()];
        caps.reveals = format!("{READERS}; looking up tells the gateways that are asked for which tag");
        caps
    }

    async fn quote(&self, what: Announcement, _cx: Cx) -> Result<Quote> {
        let (value, owner) = (what.sealed(MAX_VALUE)?, self.purse.owner().await?);
        let price = self.purse.quote(first(&self.gateways).await?, &owner, value.len()).await?;
        let mut quote = Quote::of(told(price));
        quote.writes =
            format!("a transaction of {} with {} bytes of data", encode(&owner.address), value.len());
        quote.final_in_s = Some(FINAL_S);
        quote.readers = READERS.into();
        quote.test_network = !self.config.is_real();
        Ok(quote)
    }

    async fn announce(&self, what: Announcement, cx: Cx) -> Result<Receipt> {
        let (value, owner) = (what.sealed(MAX_VALUE)?, self.purse.owner().await?);
        let gateway = first(&self.gateways).await?;
        let (transaction, price) = self.purse.sign(gateway, &owner, Topic::of(&what.locator), value).await?;
        let taken = broadcast(&self.gateways, &transaction, &self.host, &cx).await?;
        // It is out: whatever is asked now must not make it seem to have failed.
        let patience = Duration::from_secs(self.config.confirm_s.into());
        let (id, patience) = (transaction.id(), patience.min(cx.remaining().saturating_sub(SPARE)));
        let standing = confirmed(&taken, &id, patience).await.map_or_else(
            || format!("transaction {id}, provisional until it is in a block"),
            |height| format!("transaction {id}, in block {height}"),
        );
        let [stored, asked] =
            [taken.len(), self.gateways.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Receipt::new(stored, asked).with_fee(told(price)).with_note(standing))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        self.reader.find(Topic::of(&query.locator), &found).await
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let gateway = first(&self.gateways).await?;
        let height = gateway.height().await?;
        Ok(Health::new(true, "the gateway answers")
            .with_fact("node", &gateway.url())
            .with_fact("network", &self.config.network)
            .with_fact("blocks", &height))
    }

    fn actions() -> Vec<ActionInfo> {
        vec![ActionInfo::new::<NoArguments>("wallet", "The address of this backend's key, and what it has")]
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        if action.name != "wallet" {
            return Err(Error::unsupported(format!("there is no action `{}`", action.name)));
        }
        let owner = self.purse.owner().await?;
        let balance = first(&self.gateways).await?.balance(&owner.address).await?;
        out.emit(&json!({ "address": encode(&owner.address), "balance": told(balance) })).await
    }
}
