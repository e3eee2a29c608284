use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Error, ErrorKind, Found, Health, Host, Level,
    Output, Query, Quote, Receipt, Result, Stores,
};
use bitboot_rpc::{TO_TELL, all, first, gather};
use tokio::sync::OnceCell;
use tokio::time::timeout_at;

use crate::actions;
use crate::config::{EthereumConfig, Mode};
use crate::contract::{Compiled, MAX_VALUE, announcement, key_of};
use crate::fees::told;
use crate::node::Node;
use crate::purse::{Deed, Purse};
use crate::source::{Look, Source};
use crate::transaction::Transaction;

/// An Ethereum chain as a medium.
pub(crate) struct Ethereum {
    pub(crate) config: EthereumConfig,
    pub(crate) host: Host,
    pub(crate) nodes: Vec<Node>,
    pub(crate) purse: Purse,
    pub(crate) compiled: Compiled,
    /// Where the contract is.
    pub(crate) contract: Address,
    sources: Vec<Arc<Source>>,
    /// It was seen there.
    seen: OnceCell<()>,
}

/// Who learns what.
const READERS: &str = "everybody, for ever: the account that paid, and when; the addresses themselves only who knows the network";

impl Backend for Ethereum {
    const KIND: &'static str = "ethereum";
    type Config = EthereumConfig;

    async fn open(config: EthereumConfig, host: Host) -> Result<Self> {
        config.check()?;
        let compiled = Compiled::read()?;
        let contract = config.contract()?.unwrap_or_else(|| compiled.address());
        let nodes = config.rpc.iter().map(|url| Node::new(url, &config, host.clone()));
        let nodes: Vec<Node> = nodes.collect::<Result<_>>()?;
        let source = |(number, node)| Arc::new(Source::new(number, node, contract, &config, &host));
        let sources = nodes.iter().enumerate().map(source).collect();
        let purse = Purse::new(config.clone(), host.clone());
        Ok(Self { config, host, nodes, purse, compiled, contract, sources, seen: OnceCell::new() })
    }

    fn caps(&self) -> Caps {
        let stores = match self.config.mode {
            Mode::Event => Stores::Log,
            Mode::Storage => Stores::Values,
        };
        let mut caps = Caps::new(stores, 0);
        caps.max_value = u32::try_from(MAX_VALUE).unwrap_or(u32::MAX);
        caps.paid = true;
        caps.wide = !self.config.chain().is_local();
        (caps.ipv4, caps.ipv6, caps.dns) = (false, false, false);
        caps.lookup_ms = 1000;
        caps.announce_ms = 15_000;
        caps.needs = vec!["rpc".into(), "key".into()];
        caps.reveals = format!(
            "{READERS}; looking up tells the nodes that are asked for which key, which stands for the network"
        );
        caps
    }

    async fn quote(&self, what: Announcement, _cx: Cx) -> Result<Quote> {
        let (deed, owner) = (self.deed(&what)?, self.purse.owner().await?);
        let node = first(&self.nodes).await?;
        self.make_sure(node).await?;
        let plan = self.purse.quote(&self.nodes, owner, &deed).await?;
        let mut quote = self.quoted(&plan);
        let bytes = what.value.map_or(0, |value| value.len());
        quote.writes = format!("a call of {owner} with {bytes} bytes for the network");
        quote.readers = READERS.into();
        Ok(quote)
    }

    async fn announce(&self, what: Announcement, cx: Cx) -> Result<Receipt> {
        let (deed, owner) = (self.deed(&what)?, self.purse.owner().await?);
        let node = first(&self.nodes).await?;
        self.make_sure(node).await?;
        let plan = self.purse.spend(&self.nodes, owner, &deed).await?;
        let sent = self.purse.send(&self.nodes, owner, plan, &deed.purpose, &cx).await?;
        let asked = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        Ok(Receipt::new(sent.taken, asked).with_fee(told(sent.fee())).with_note(sent.outcome()?))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let key = key_of(&query.locator);
        let looks = self.sources.iter().map(|source| Look { source: Arc::clone(source), key });
        let deadline = found.cx().deadline();
        let tell = |(_, value): (Address, Bytes)| {
            let found = &found;
            async move { found.value(&value).await }
        };
        let gathered = gather(looks, deadline, tell).await?;
        let is_nothing = gathered.told == 0;
        gathered.answers("a node", "60s", &self.host)?;
        // Only remarks: they must not cost what was found.
        let _ = timeout_at(deadline - TO_TELL / 2, self.remark(is_nothing)).await;
        Ok(())
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let node = first(&self.nodes).await?;
        let (last, is_there) = (node.last().await?, self.is_there(node, self.contract).await?);
        let summary =
            if is_there { "the node answers" } else { "the node answers, the contract is not there yet" };
        let health = Health::new(true, summary)
            .with_fact("node", &node.url())
            .with_fact("chain", &self.config.chain().name())
            .with_fact("block", &last.number)
            .with_fact("contract", &self.contract);
        Ok(if is_there { health } else { health.with_fix(DEPLOY) })
    }

    async fn save(&self, _cx: Cx) -> Result<()> {
        for source in &self.sources {
            source.keep().await;
        }
        Ok(())
    }

    fn actions() -> Vec<ActionInfo> {
        actions::all()
    }

    async fn quote_action(&self, action: Action, _cx: Cx) -> Result<Quote> {
        self.quote_act(&action).await
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        self.act(action, out).await
    }
}

/// What a slot costs more when somebody else has written last, which may happen after the gas was estimated.
const OVERTAKEN: u64 = 3_100;
/// What helps where there is no contract.
const DEPLOY: &str = "put it there, once for everybody: bitboot backend run NAME deploy";

impl Ethereum {
    /// What is to be done for an announcement.
    fn deed(&self, what: &Announcement) -> Result<Deed> {
        let value = what.sealed(MAX_VALUE)?.to_vec();
        let (key, mode) = (key_of(&what.locator), self.config.mode);
        let purpose = format!("to announce in a transaction with {} bytes of data", value.len());
        // A byte that is 0 costs less than others, and how many there are changes each time that it is sealed.
        let dearest = announcement(mode, key, vec![0xff; value.len()]);
        let spare = match mode {
            Mode::Event => 0,
            Mode::Storage => OVERTAKEN,
        };
        let data = announcement(mode, key, value);
        Ok(Deed { to: Some(self.contract), dearest, data, spare, purpose })
    }

    pub(crate) fn quoted(&self, plan: &Transaction) -> Quote {
        let mut quote = Quote::of(told(plan.cost()));
        quote.final_in_s = Some(self.config.chain().final_in_s());
        quote.test_network = self.config.chain().is_test();
        quote
    }

    /// Whether the contract is at an address, and no other one.
    pub(crate) async fn is_there(&self, node: &Node, contract: Address) -> Result<bool> {
        Ok(node.code(contract).await? == self.compiled.deployed)
    }

    /// That calling the contract is not money for nothing.
    async fn make_sure(&self, node: &Node) -> Result<()> {
        let look = async {
            if self.is_there(node, self.contract).await? {
                return Ok(());
            }
            let chain = self.config.chain().name();
            let what = format!("the contract is not on {chain}, at {}", self.contract);
            Err(Error::new(ErrorKind::Config, what).fix(DEPLOY))
        };
        self.seen.get_or_try_init(|| look).await.copied()
    }

    /// Tells what a user can do something about: that there is no contract, and that nodes disagree.
    async fn remark(&self, is_nothing: bool) {
        if is_nothing
            && let Ok(node) = first(&self.nodes).await
            && let Err(error) = self.make_sure(node).await
            && error.kind == ErrorKind::Config
        {
            self.host.log(Level::Warn, format!("{error}; {DEPLOY}"));
        }
        if self.nodes.len() > 1 {
            self.compare().await;
        }
    }

    /// Tells when the nodes are on different branches of the chain.
    async fn compare(&self) {
        let last = self.nodes.iter().cloned().map(|node| async move { node.last().await });
        let last = all(last, Result::is_ok).await.into_iter().flatten().filter_map(Result::ok);
        let Some(common) = last.map(|block| block.number).min() else { return };
        let blocks = self.nodes.iter().cloned().map(|node| async move { node.block(common).await });
        let blocks = all(blocks, Result::is_ok).await.into_iter().flatten();
        let hashes: HashSet<B256> = blocks.filter_map(|block| Some(block.ok()??.hash)).collect();
        if hashes.len() > 1 {
            let text = format!(
                "the nodes disagree about block {common}: one is on another branch of the chain, or lies"
            );
            self.host.log(Level::Warn, text);
        }
    }
}
