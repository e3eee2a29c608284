//! From a value to a transaction that is out: coins, fee, signatures, broadcast.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bitboot_plugin_api::{Cx, Error, ErrorKind, Host, Result, Scheme, SignRequest};
use bitboot_rpc::{Node as _, Refusal, TO_TELL, Trouble, all, answers, before, in_time};
use bitcoin::hashes::Hash;
use bitcoin::key::CompressedPublicKey;
use bitcoin::sighash::SighashCache;
use bitcoin::{
    Address, Amount, Denomination, EcdsaSighashType, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness,
    ecdsa,
};
use tokio::time::{Instant, timeout_at};

use crate::coins::Plan;
use crate::config::BitcoinConfig;
use crate::node::{Coin, Node, sum};

/// The user's key and what pays with it.
pub(crate) struct Purse {
    host: Host,
    config: BitcoinConfig,
    /// The rate that was quoted, and when: what is announced soon after costs what was said.
    quoted: Mutex<Option<(Instant, u64)>>,
}

/// The key and where its coins lie.
pub(crate) struct Owner {
    pub(crate) key: CompressedPublicKey,
    pub(crate) address: Address,
    pub(crate) script: ScriptBuf,
}

/// A quote holds for so long.
const HOLDS: Duration = Duration::from_secs(600);
/// So many waiting transactions of ours may spend each other; nodes take no longer chain.
const LONGEST_CHAIN: usize = 25;
/// What is left of the time of a call when it has to say that a transaction may be out.
const TO_WARN: Duration = Duration::from_secs(1);
/// How often coins are looked for while blocks come.
const LOOKS: usize = 3;
/// The name in the host's cache under which the last change lies.
const LAST: &str = "change";

impl Purse {
    pub(crate) fn new(config: BitcoinConfig, host: Host) -> Self {
        Self { host, config, quoted: Mutex::default() }
    }

    /// The user's key for this backend. Unlocks nothing.
    pub(crate) async fn owner(&self) -> Result<Owner> {
        let bytes = self.host.public_key(Scheme::EcdsaDer).await?;
        let key = CompressedPublicKey::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Key, "the key is no compressed secp256k1 key").because(error.to_string())
        })?;
        let address = Address::p2wpkh(&key, self.config.chain.hrp());
        Ok(Owner { key, script: address.script_pubkey(), address })
    }

    /// A transaction with outputs for the network at the present rate, which holds for a while.
    pub(crate) async fn quote(&self, node: &Node, owner: &Owner, outputs: &[TxOut], cx: &Cx) -> Result<Plan> {
        let rate = self.rate(node).await?;
        let plan = self.plan(node, owner, outputs, rate, cx).await?;
        *self.quoted() = Some((Instant::now(), rate));
        Ok(plan)
    }

    /// A transaction with outputs for the network at the rate that was quoted last.
    pub(crate) async fn spend(&self, node: &Node, owner: &Owner, outputs: &[TxOut], cx: &Cx) -> Result<Plan> {
        let quoted = self.quoted().filter(|(when, _)| when.elapsed() < HOLDS);
        let rate = match quoted {
            Some((_, rate)) => rate,
            None => self.rate(node).await?,
        };
        self.plan(node, owner, outputs, rate, cx).await
    }

    fn quoted(&self) -> std::sync::MutexGuard<'_, Option<(Instant, u64)>> {
        self.quoted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In satoshi for 1000 virtual bytes.
    async fn rate(&self, node: &Node) -> Result<u64> {
        let fallback = u64::from(self.config.fallback_rate) * 1000;
        let estimated = node.estimated_rate(self.config.target_blocks).await?.unwrap_or(fallback);
        let (least, most) = (node.least_rate().await?, u64::from(self.config.max_rate) * 1000);
        if least > most {
            let what = format!("the node wants {} satoshi for each virtual byte", least.div_ceil(1000));
            return Err(Error::new(ErrorKind::Refused, what)
                .because(format!("this backend is set to pay at most {}", self.config.max_rate))
                .fix("wait, or allow more: bitboot backend set NAME max_rate=..."));
        }
        Ok(estimated.clamp(least, most))
    }

    async fn plan(&self, node: &Node, owner: &Owner, outputs: &[TxOut], rate: u64, cx: &Cx) -> Result<Plan> {
        // What was left the last time is found at once, where a search of all coins takes a node of the main chain minutes.
        if let Some(plan) =
            self.last(node, owner).await?.and_then(|coin| Plan::new(vec![coin], outputs, &owner.script, rate))
        {
            return Ok(plan);
        }
        let coins = self.coins(node, owner, cx).await?;
        let has = sum(&coins);
        Plan::new(coins, outputs, &owner.script, rate).ok_or_else(|| {
            Error::new(ErrorKind::Funds, format!("the wallet has {}, which is not enough", told(has)))
                .fix(format!("send some to {}; see it with: bitboot backend run NAME wallet", owner.address))
        })
    }

    async fn last(&self, node: &Node, owner: &Owner) -> Result<Option<Coin>> {
        let kept = self.host.cache_get(LAST).await.ok().flatten();
        let at: Option<OutPoint> = kept.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        match at {
            Some(at) => node.output(at, Some(&owner.script), true).await,
            None => Ok(None),
        }
    }

    /// All coins of the owner: also what waiting transactions of theirs leave, and without what those spend. A block that comes while they are
    /// looked for takes transactions along of which neither the chain nor what waits told: then they are looked for once more.
    pub(crate) async fn coins(&self, node: &Node, owner: &Owner, cx: &Cx) -> Result<Vec<Coin>> {
        for _ in 0..LOOKS {
            let (before, coins) = (node.height().await?, self.coins_now(node, owner, cx).await?);
            if node.height().await? == before {
                return Ok(coins);
            }
        }
        self.coins_now(node, owner, cx).await
    }

    async fn coins_now(&self, node: &Node, owner: &Owner, cx: &Cx) -> Result<Vec<Coin>> {
        let mut coins = node.coins(&owner.script, cx.deadline() - TO_TELL).await?;
        let mut free = Vec::new();
        for _ in 0..LONGEST_CHAIN {
            let at: Vec<OutPoint> = coins.iter().map(|coin| coin.at).collect();
            let spenders = node.spenders(&at).await?;
            free.extend(
                coins.iter().zip(&spenders).filter(|(_, spender)| spender.is_none()).map(|(coin, _)| *coin),
            );
            let mut spenders: Vec<Txid> = spenders.into_iter().flatten().collect();
            spenders.sort_unstable();
            spenders.dedup();
            if spenders.is_empty() {
                break;
            }
            coins = left_by(node.transactions(&spenders).await?.iter().flatten(), owner);
        }
        Ok(free)
    }

    /// Signs a plan through the host, which counts its cost once.
    pub(crate) async fn sign(&self, plan: &Plan, owner: &Owner, purpose: &str) -> Result<Transaction> {
        let digests: Vec<[u8; 32]> = {
            let mut cache = SighashCache::new(&plan.transaction);
            let digest = |(at, coin): (usize, &Coin)| {
                let digest =
                    cache.p2wpkh_signature_hash(at, &owner.script, coin.value, EcdsaSighashType::All)?;
                Ok(digest.to_byte_array())
            };
            plan.coins.iter().enumerate().map(digest).collect::<Result<_>>()?
        };
        let mut transaction = plan.transaction.clone();
        for (at, (input, digest)) in transaction.input.iter_mut().zip(digests).enumerate() {
            let fee = if at == 0 { told(plan.cost) } else { told(Amount::ZERO) };
            let asked = SignRequest::new(Scheme::EcdsaDer, digest, purpose).with_fee(fee);
            let signature = bitcoin::secp256k1::ecdsa::Signature::from_der(&self.host.sign(asked).await?)?;
            input.witness = Witness::p2wpkh(
                &ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All },
                &owner.key.0,
            );
        }
        Ok(transaction)
    }

    /// Hands a transaction to all nodes; how many took it. Fails where none did, in time for saying whether it may be out all the same.
    pub(crate) async fn broadcast(
        &self,
        nodes: &[Node],
        transaction: &Transaction,
        owner: &Owner,
        cx: &Cx,
    ) -> Result<u32> {
        let until = cx.deadline() - TO_WARN;
        before(until)?;
        // Before it is out: whoever goes away now knows what to look for.
        cx.progress(&format!("hands over the transaction {}", transaction.compute_txid()), 0, 0).await?;
        let handing = nodes.iter().map(|node| hand_over(node.clone(), transaction.clone(), until));
        // The first one that takes it is enough: for the others it is not waited until their time is over.
        let mut handed: Vec<Result<(), Failure>> =
            all(handing, Result::is_ok).await.into_iter().map(in_time).collect();
        // That it may be out is told first, then why a node refuses it, then why one was not asked.
        handed.sort_by_key(|handed| match handed {
            Ok(()) | Err(Failure::Unknown(_)) => 0,
            Err(Failure::Refused(_)) => 1,
            Err(Failure::Unasked(_)) => 2,
        });
        let handed = handed.into_iter().map(|handed| {
            handed.map_err(|failure| match failure {
                Failure::Unknown(error) | Failure::Unasked(error) => error,
                Failure::Refused(refusal) => refused(refusal),
            })
        });
        let taken = answers(handed, &self.host)?.len();
        if let Some(change) = left_by(std::iter::once(transaction), owner).pop() {
            // Only found more slowly where it is not kept.
            let _ = self.host.cache_put(LAST, change.at.to_string().as_bytes()).await;
        }
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }
}

/// Why a node is not known to have a transaction.
enum Failure {
    /// It may have it all the same.
    Unknown(Error),
    /// It understood it and does not want it.
    Refused(Refusal),
    /// It was not told: a node on which nothing can be asked, or of another chain.
    Unasked(Error),
}

/// One that did not answer in time.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Unknown(error)
    }
}

async fn hand_over(node: Node, transaction: Transaction, until: Instant) -> Result<(), Failure> {
    let id = transaction.compute_txid();
    let late =
        || Error::new(ErrorKind::TimedOut, format!("the node at {} did not answer in time", node.url()));
    let checked = timeout_at(until, node.check()).await;
    checked.unwrap_or_else(|_| Err(late())).map_err(Failure::Unasked)?;
    let handing = async {
        match node.send(&transaction).await {
            // The answer was lost, perhaps not the question.
            Err(Trouble::Failed(_)) if node.knows(id).await.unwrap_or(false) => Ok(()),
            told => told,
        }
    };
    let handed = timeout_at(until, handing).await.unwrap_or_else(|_| Err(late().into()));
    handed.map_err(|trouble| match trouble {
        Trouble::Refused(refusal) => Failure::Refused(refusal),
        Trouble::Failed(error) => {
            Failure::Unknown(error.fix(format!(
                "it may be out or not: look for the transaction {id} before you announce again"
            )))
        }
    })
}

fn left_by<'a>(transactions: impl Iterator<Item = &'a Transaction>, owner: &Owner) -> Vec<Coin> {
    let of = |transaction: &'a Transaction| {
        let id = transaction.compute_txid();
        let ours =
            transaction.output.iter().zip(0..).filter(|(output, _)| output.script_pubkey == owner.script);
        ours.map(move |(output, vout)| Coin {
            at: OutPoint::new(id, vout),
            value: output.value,
            confirmed: false,
        })
    };
    transactions.flat_map(of).collect()
}

/// The reasons of a node that a user can do something about.
fn refused(refusal: Refusal) -> Error {
    let message = refusal.message.as_str();
    if message.contains("too-long-mempool-chain") {
        return Error::new(ErrorKind::Refused, "too many announcements of this key wait for a block")
            .fix("wait for the next block, some ten minutes");
    }
    if ["txn-mempool-conflict", "bad-txns-inputs-missingorspent", "insufficient fee"]
        .iter()
        .any(|word| message.contains(word))
    {
        return Error::new(ErrorKind::Conflict, "something else spent the same coins meanwhile")
            .because(message.chars().take(100).collect::<String>())
            .fix("announce again");
    }
    refusal.into()
}

/// An amount as the host takes it.
pub(crate) fn told(amount: Amount) -> String {
    format!("{} BTC", amount.to_string_in(Denomination::Bitcoin))
}
