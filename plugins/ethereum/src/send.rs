//! From a planned transaction to one that is in a block: its number, its signature, the nodes, the receipt.

use std::cmp::Reverse;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use bitboot_plugin_api::{Cx, Error, ErrorKind, Level, Result, Scheme, SignRequest};
use bitboot_rpc::{Node as _, Refusal, all, answers, before};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

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
        let (nonce, signed, takers) = self.hand_over(nodes, owner, plan, purpose, cx).await?;
        let receipt = self.wait(&takers, signed.hash, cx).await;
        let taken = u32::try_from(takers.len()).unwrap_or(u32::MAX);
        Ok(Sent { hash: signed.hash, nonce, taken, most, receipt })
    }

    /// The nodes that took it. It is signed once: what nodes say about its number may be a lie, and a second transaction beside the first would
    /// spend what nobody has agreed to.
    async fn hand_over(
        &self,
        nodes: &[Node],
        owner: Address,
        mut plan: Transaction,
        purpose: &str,
        cx: &Cx,
    ) -> Result<(u64, Signed, Vec<Node>)> {
        let _turn = self.turn.lock().await;
        plan.nonce = self.nonce(nodes, owner).await?;
        let until = cx.deadline() - TO_TELL;
        before(until)?;
        let signed = self.sign(&plan, purpose).await?;
        // Before it is out: whoever goes away now knows what to look for.
        let text = format!("hands over the transaction {}", signed.hash);
        cx.progress(&text, 0, 0).await?;
        self.host.log(Level::Info, text);
        let takers = self.offer(nodes, &signed, until).await?;
        Ok((plan.nonce, signed, takers))
    }

    /// The next number that is free, as most nodes have it: with one that is too high it would wait for ever.
    async fn nonce(&self, nodes: &[Node], owner: Address) -> Result<u64> {
        let counts = nodes.iter().cloned().map(|node| async move { node.nonce(owner).await });
        let counts = all(counts, Result::is_ok).await.into_iter().flatten();
        let counts = answers(counts, &self.host)?;
        let next = most_common(&counts);
        if counts.iter().any(|count| *count != next) {
            let text = format!(
                "the nodes disagree about the number of the next transaction, {counts:?}: {next} is used"
            );
            self.host.log(Level::Warn, text);
        }
        Ok(next)
    }

    async fn sign(&self, plan: &Transaction, purpose: &str) -> Result<Signed> {
        let asked =
            SignRequest::new(Scheme::EcdsaRecoverable, plan.digest().0, purpose).with_fee(told(plan.cost()));
        let signature = self.host.sign(asked).await?;
        plan.signed(&signature).ok_or_else(|| Error::new(ErrorKind::Key, "the host's signature is none"))
    }

    /// Hands a transaction to all nodes: those that have it. Fails where none has, in time for saying whether it may be out all the same.
    async fn offer(&self, nodes: &[Node], signed: &Signed, until: Instant) -> Result<Vec<Node>> {
        let handed = nodes.iter().cloned().map(|node| {
            let signed = signed.clone();
            async move {
                let handing = async {
                    node.check().await?;
                    Ok(node.send(&signed).await)
                };
                timeout_at(until, handing).await.unwrap_or_else(|_| Ok(Handed::Unknown(late())))
            }
        });
        let handed = all(handed, |handed| matches!(handed, Ok(Handed::Taken))).await;
        let (mut takers, mut lost, mut refused, mut unasked, mut used) = (Vec::new(), None, None, None, None);
        for (node, handed) in nodes.iter().zip(handed) {
            match handed {
                Some(Ok(Handed::Taken)) => takers.push(node.clone()),
                Some(Ok(Handed::NonceUsed(refusal))) => used = used.or(Some(refusal)),
                Some(Ok(Handed::Refused(refusal))) => refused = refused.or(Some(refusal)),
                Some(Ok(Handed::Unknown(error))) => lost = lost.or(Some(error)),
                // A node on which nothing can be asked was not told anything either.
                Some(Err(error)) => {
                    self.host.log(Level::Warn, format!("one node of {} was not told: {error}", nodes.len()));
                    unasked = unasked.or(Some(error));
                }
                None => lost = lost.or_else(|| Some(late())),
            }
        }
        match (lost, used, refused) {
            _ if !takers.is_empty() => Ok(takers),
            (Some(error), ..) => Err(error.fix(format!(
                "it may be out or not: look for the transaction {} before you do it again",
                signed.hash
            ))),
            (None, Some(refusal), _) => Err(overtaken(&refusal, signed)),
            (None, None, Some(refusal)) if refusal.message.to_lowercase().contains("insufficient funds") => {
                Err(Error::new(ErrorKind::Funds, "the wallet does not hold enough")
                    .because(refusal.to_string()))
            }
            (None, None, Some(refusal)) => Err(refusal.into()),
            (None, None, None) => unasked.map_or(Ok(takers), Err),
        }
    }

    /// The receipt, if it comes before the time is over. It is in a block then, not yet final. That it was undone is believed when every node
    /// says so that took it: one that lies must not make a user pay again.
    async fn wait(&self, takers: &[Node], hash: B256, cx: &Cx) -> Option<Receipt> {
        let time = self.config.wait().min(cx.remaining().saturating_sub(TO_TELL));
        let mut looks: JoinSet<Receipt> = takers.iter().map(|node| receipt(node.clone(), hash)).collect();
        let look = async {
            let mut undone = None;
            while let Some(Ok(receipt)) = looks.join_next().await {
                if !receipt.is_undone() {
                    return Some(receipt);
                }
                undone = Some(receipt);
            }
            undone
        };
        timeout(time, look).await.ok().flatten()
    }
}

/// What became of a transaction, as one node tells it, once it is in a block.
async fn receipt(node: Node, hash: B256) -> Receipt {
    let mut pause = PAUSE;
    loop {
        // A node that does not answer now may do so the next time.
        if let Ok(Some(receipt)) = node.receipt(hash).await {
            return receipt;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Of those that are as common the lowest: a number that is used is refused, and nothing is spent.
fn most_common(counts: &[u64]) -> u64 {
    let how_often = |count: u64| counts.iter().filter(|other| **other == count).count();
    counts.iter().copied().max_by_key(|count| (how_often(*count), Reverse(*count))).unwrap_or_default()
}

fn late() -> Error {
    Error::new(ErrorKind::TimedOut, "a node did not answer in time")
}

/// What is to be said where its number is another transaction's.
fn overtaken(refusal: &Refusal, signed: &Signed) -> Error {
    Error::new(ErrorKind::Conflict, "another transaction of the same key was faster")
        .because(refusal.to_string())
        .fix(format!("no node has taken {}: do it again when nothing else spends by this key", signed.hash))
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
            Some(receipt) if receipt.is_undone() => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_nodes_decide_about_the_next_number() {
        for (counts, next) in [(&[][..], 0), (&[7], 7), (&[7, 8, 7], 7), (&[8, 7, 8], 8), (&[8, 7], 7)] {
            assert_eq!(most_common(counts), next, "{counts:?}");
        }
    }
}
