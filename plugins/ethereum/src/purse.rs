//! The user's key, what lies at its address, and what calling a contract would cost.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, U256};
use bitboot_plugin_api::{Error, ErrorKind, Host, Result, Scheme};
use bitboot_rpc::{all, answers, first};
use k256::PublicKey;
use k256::elliptic_curve::sec1::ToSec1Point;

use crate::chain::Chain;
use crate::config::EthereumConfig;
use crate::fees::{Price, gwei, told};
use crate::node::Node;
use crate::transaction::Transaction;

/// What pays.
pub(crate) struct Purse {
    pub(super) host: Host,
    pub(super) config: EthereumConfig,
    /// The price that was quoted, and when: what is announced soon after costs what was said.
    quoted: Mutex<Option<(Instant, Price)>>,
    /// Two transactions of one moment must not have the same number.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What a transaction is to do.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// The contract; `None` makes one.
    pub(crate) to: Option<Address>,
    pub(crate) data: Bytes,
    /// As long as the data, and never cheaper: what gas is estimated for.
    pub(crate) dearest: Bytes,
    /// Gas that it may take more than is estimated, by what others do meanwhile.
    pub(crate) spare: u64,
    /// For the user's log of signatures.
    pub(crate) purpose: String,
}

/// A quote holds for so long.
const HOLDS: Duration = Duration::from_secs(600);

impl Purse {
    pub(crate) fn new(config: EthereumConfig, host: Host) -> Self {
        Self { host, config, quoted: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The address of the user's key for this backend. Unlocks nothing.
    pub(crate) async fn owner(&self) -> Result<Address> {
        let bytes = self.host.public_key(Scheme::EcdsaRecoverable).await?;
        let key = PublicKey::from_sec1_bytes(&bytes).map_err(|error| {
            Error::new(ErrorKind::Key, "the key is no secp256k1 key").because(error.to_string())
        })?;
        Ok(Address::from_raw_public_key(&key.to_sec1_point(false).as_bytes()[1..]))
    }

    /// A transaction at the present price, which holds for a while. Its number is not chosen yet.
    pub(crate) async fn quote(&self, nodes: &[Node], owner: Address, deed: &Deed) -> Result<Transaction> {
        let price = self.price(nodes).await?;
        let plan = self.plan(nodes, owner, deed, price).await?;
        *self.quoted() = Some((Instant::now(), price));
        Ok(plan)
    }

    /// A transaction at the price that was quoted last.
    pub(crate) async fn spend(&self, nodes: &[Node], owner: Address, deed: &Deed) -> Result<Transaction> {
        let quoted = self.quoted().filter(|(when, _)| when.elapsed() < HOLDS);
        let now = self.price(nodes).await?;
        let price = match quoted {
            Some((_, price)) if price.does(now.base) => price,
            Some((_, price)) => {
                let what = "fees have risen above what was quoted";
                return Err(Error::new(ErrorKind::Conflict, what)
                    .because(format!(
                        "{} wei of gas were quoted, the next block burns {}",
                        price.most, now.base
                    ))
                    .fix("nothing was sent: do it again"));
            }
            None => now,
        };
        self.plan(nodes, owner, deed, price).await
    }

    async fn plan(&self, nodes: &[Node], owner: Address, deed: &Deed, price: Price) -> Result<Transaction> {
        if !self.config.takes_gas_only() {
            return Err(besides_gas(self.config.chain()));
        }
        let plan = Transaction {
            chain: self.config.chain_id,
            nonce: 0,
            tip: price.tip,
            most: price.most,
            gas: self.gas(nodes, owner, deed).await?.saturating_add(deed.spare),
            to: deed.to,
            data: deed.data.clone(),
        };
        let balance = first(nodes).await?.balance(owner).await?;
        if plan.cost() <= balance {
            return Ok(plan);
        }
        let what = format!("the wallet has {}, and this may cost {}", told(balance), told(plan.cost()));
        Err(Error::new(ErrorKind::Funds, what)
            .fix(format!("send some to {owner}; see it with: bitboot backend run NAME wallet")))
    }

    /// The most gas that a node says it takes: with too little it is undone, and its fee is spent.
    async fn gas(&self, nodes: &[Node], owner: Address, deed: &Deed) -> Result<u64> {
        let estimates = nodes.iter().cloned().map(|node| {
            let (to, data) = (deed.to, deed.dearest.clone());
            async move { node.gas(owner, to, &data).await }
        });
        let estimates = all(estimates, Result::is_ok).await.into_iter().flatten();
        Ok(answers(estimates, &self.host)?.into_iter().max().unwrap_or_default())
    }

    async fn price(&self, nodes: &[Node]) -> Result<Price> {
        let node = first(nodes).await?;
        let base = node.base_fee().await?.ok_or_else(|| {
            Error::new(ErrorKind::Config, "this chain has no base fee: its transactions are of an older kind")
                .because("EIP-1559 is not in force there")
        })?;
        let tip = node.tip().await?.unwrap_or(u128::MAX).min(gwei(self.config.max_tip_gwei));
        let (price, most) = (Price::of(base, tip), gwei(self.config.max_fee_gwei));
        if price.most <= most {
            return Ok(price);
        }
        let told = told(U256::from(price.most) * U256::from(1_000_000_000_u64));
        let what = format!("the chain wants {} gwei for each unit of gas", told.trim_end_matches(" ETH"));
        Err(Error::new(ErrorKind::Refused, what)
            .because(format!("this backend is set to pay at most {}", self.config.max_fee_gwei))
            .fix("wait, or allow more: bitboot backend set NAME max_fee_gwei=..."))
    }

    fn quoted(&self) -> MutexGuard<'_, Option<(Instant, Price)>> {
        self.quoted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be said where a quote could leave something out.
fn besides_gas(chain: Chain) -> Error {
    let what = format!("whether {} takes fees for gas alone is not known", chain.name());
    Error::new(ErrorKind::Config, what)
        .because(
            "many chains that stand on Ethereum take another one besides, which no quote would have in it",
        )
        .fix("if you know that it does: bitboot backend set NAME gas_only=true")
}
