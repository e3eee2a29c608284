//! From a planned transaction to one that is in a block: its number, its signature, the nodes, the receipt.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use bitboot_plugin_api::{Cx, Error, ErrorKind, Level, Result, Scheme, SignRequest};
use bitboot_rpc::{Node as _, all};

use crate::answers::Receipt;
use crate::fees::told;
use crate::node::{Handed, Node};
use crate::purse::Purse;
use crate::transaction::{Signed, Transaction};

/// A transaction that nodes have taken.
pub(crate) struct Sent {
    pub(crate) hash: B256,
    pub(crate) nonce: u64,
    /// By how many nodes.
    pub(crate) taken: u32,
    /// The most that it costs, in wei.
    pub(crate) most: U256,
    /// `None` while it waits.
    pub(crate) receipt: Option<Receipt>,
}

/// How often a transaction whose number another one has taken is signed anew.
pub(crate) const AGAIN: u32 = 3;
/// The first pause between two looks for a receipt; it grows.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What is left of the time of a call when it has to tell what it knows.
const TO_TELL: Duration = Duration::from_secs(2);

impl Purse {
    /// Signs a planned transaction, hands it to all nodes, and waits for its receipt as long as there is time.
    pub(crate) async fn send(
        &self,
        nodes: &[Node],
        owner: Address,
        plan: Transaction,
        purpose: &str,
        cx: &Cx,
    ) -> Result<Sent> {
        let most = plan.cost();
        let (nonce, signed, takers) = self.hand_over(nodes, owner, plan, purpose).await?;
        // Nobody has to hear it.
        let _ = cx.progress(&format!("transaction {} waits for a block", signed.hash), 0, 0).await;
        let receipt = self.wait(&takers, signed.hash, cx).await;
        let taken = u32::try_from(takers.len()).unwrap_or(u32::MAX);
        Ok(Sent { hash: signed.hash, nonce, taken, most, receipt })
    }

    /// The nodes that took it. Another program that spends by the same key may have been faster: then it gets another number and is signed
    /// anew, but only where every node has refused the first one, so that it can never be in the chain.
    async fn hand_over(
        &self,
        nodes: &[Node],
        owner: Address,
        mut plan: Transaction,
        purpose: &str,
    ) -> Result<(u64, Signed, Vec<Node>)> {
        let _turn = self.turn.lock().await;
        let mut used = None;
        for again in 0..=AGAIN {
            plan.nonce = self.nonce(nodes, owner, used).await?;
            let signed = self.sign(&plan, purpose, again == 0).await?;
            let takers = self.offer(nodes, &signed).await?;
            if !takers.is_empty() {
                return Ok((plan.nonce, signed, takers));
            }
            used = Some(plan.nonce);
            self.host.log(Level::Info, format!("the number {} is another transaction's by now", plan.nonce));
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "other transactions of the same key were faster, again and again",
        )
        .fix("nothing was sent: do it again when nothing else spends by this key"))
    }

    /// The next number that is free on every node that answers. After a refusal one that is not known to be used.
    async fn nonce(&self, nodes: &[Node], owner: Address, used: Option<u64>) -> Result<u64> {
        let mut pause = PAUSE;
        loop {
            let counts = nodes.iter().cloned().map(|node| async move { node.nonce(owner).await });
            let counts = all(counts, Result::is_ok).await.into_iter().flatten();
            let next = bitboot_rpc::answers(counts, &self.host)?.into_iter().max().unwrap_or_default();
            // The node that refused may show the other transaction a moment later.
            if used.is_none_or(|used| next > used) || pause > LONGEST_PAUSE {
                return Ok(next);
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause *= 2;
        }
    }

    /// Signs through the host. Only the first time with what it costs: of two transactions of which one is refused everywhere, one is paid.
    async fn sign(&self, plan: &Transaction, purpose: &str, is_first: bool) -> Result<Signed> {
        let fee = told(if is_first { plan.cost() } else { U256::ZERO });
        let asked = SignRequest::new(Scheme::EcdsaRecoverable, plan.digest().0, purpose).with_fee(fee);
        let signature = self.host.sign(asked).await?;
        plan.signed(&signature).ok_or_else(|| Error::new(ErrorKind::Key, "the host's signature is none"))
    }

    /// Hands a transaction to all nodes: those that have it. None at all where all say that its number is used.
    async fn offer(&self, nodes: &[Node], signed: &Signed) -> Result<Vec<Node>> {
        let handed = nodes.iter().cloned().map(|node| {
            let signed = signed.clone();
            async move {
                node.check().await?;
                Ok::<_, Error>(node.send(&signed).await)
            }
        });
        let handed = all(handed, |handed| matches!(handed, Ok(Handed::Taken))).await;
        let (mut takers, mut lost, mut refused, mut unasked) = (Vec::new(), None, None, None);
        let mut is_used = false;
        for (node, handed) in nodes.iter().zip(handed) {
            match handed {
                Some(Ok(Handed::Taken)) => takers.push(node.clone()),
                Some(Ok(Handed::NonceUsed)) => is_used = true,
                Some(Ok(Handed::Refused(refusal))) => refused = refused.or(Some(refusal)),
                Some(Ok(Handed::Unknown(error))) => lost = lost.or(Some(error)),
                // A node on which nothing can be asked was not told anything either.
                Some(Err(error)) => {
                    self.host.log(Level::Warn, format!("one node of {} was not told: {error}", nodes.len()));
                    unasked = unasked.or(Some(error));
                }
                None => {
                    let silent = Error::new(ErrorKind::TimedOut, "a node did not answer in time");
                    lost = lost.or(Some(silent));
                }
            }
        }
        match (lost, refused) {
            _ if !takers.is_empty() => Ok(takers),
            (Some(error), _) => Err(error.fix(format!(
                "it may be out or not: look for the transaction {} before you do it again",
                signed.hash
            ))),
            (None, Some(refusal)) if refusal.message.to_lowercase().contains("insufficient funds") => {
                Err(Error::new(ErrorKind::Funds, "the wallet does not hold enough")
                    .because(refusal.to_string()))
            }
            (None, Some(refusal)) => Err(refusal.into()),
            (None, None) => unasked.filter(|_| !is_used).map_or(Ok(takers), Err),
        }
    }

    /// The receipt, if it comes before the time is over. It is in a block then, not yet final.
    async fn wait(&self, takers: &[Node], hash: B256, cx: &Cx) -> Option<Receipt> {
        let time = self.config.wait().min(cx.remaining().saturating_sub(TO_TELL));
        let look = async {
            let mut pause = PAUSE;
            loop {
                for node in takers {
                    // A node that does not answer now may do so the next time.
                    if let Ok(Some(receipt)) = node.receipt(hash).await {
                        return receipt;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        tokio::time::timeout(time, look).await.ok()
    }
}

impl Sent {
    /// What it cost, or may cost while it waits. A node cannot make it more than was signed.
    pub(crate) fn fee(&self) -> U256 {
        let paid =
            self.receipt.as_ref().map(|receipt| receipt.gas_used.saturating_mul(receipt.effective_gas_price));
        paid.map_or(self.most, |paid| paid.min(self.most))
    }

    /// That it did what it should, in a sentence.
    ///
    /// # Errors
    /// Where it is in a block and did nothing; the fee is spent then.
    pub(crate) fn outcome(&self) -> Result<String> {
        match &self.receipt {
            None => Ok(format!("transaction {} waits for a block", self.hash)),
            Some(receipt) if receipt.status.is_zero() => {
                let what =
                    format!("the transaction {} was carried out and undone; its fee is spent", self.hash);
                Err(Error::new(ErrorKind::Other, what)
                    .because("the contract did not take it")
                    .fix("see what the contract is: bitboot backend ping NAME"))
            }
            Some(receipt) => Ok(format!("transaction {} in block {}", self.hash, receipt.block_number)),
        }
    }
}
