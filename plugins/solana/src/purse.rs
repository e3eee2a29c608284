//! The user's key: what it pays for, and what it signs, through the host.

use std::sync::Arc;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result, Scheme, SignRequest};
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use crate::config::{Mode, SolanaConfig};
use crate::delivery::Parcel;
use crate::layout::{Entry, HEAD};
use crate::node::Node;
use crate::plan::{Plan, Way, Writing};
use crate::wire::{Key, Message, Signature, Transaction};

/// The user's key and what it holds.
pub(crate) struct Purse {
    host: Host,
    config: Arc<SolanaConfig>,
}

const LAMPORTS: u64 = 1_000_000_000;
/// What messages that are no transactions begin with in Solana: no node reads such bytes as a transaction, for the first bit is set.
const NO_TRANSACTION: &[u8] = b"\xffsolana offchain";
/// The bytes of an account that only holds lamports.
const BARE: u64 = 0;

impl Purse {
    pub(crate) fn new(config: Arc<SolanaConfig>, host: Host) -> Self {
        Self { host, config }
    }

    /// The public half, which is the wallet's address too. Unlocks nothing.
    pub(crate) async fn owner(&self) -> Result<Key> {
        let bytes = self.host.public_key(Scheme::Ed25519).await?;
        let key = bytes.try_into().map_err(|_| Error::new(ErrorKind::Key, "the key is no ed25519 key"))?;
        Ok(Key(key))
    }

    /// How something is best written now, and what that costs, if the wallet holds as much.
    pub(crate) async fn plan(&self, node: &Node, writing: &Writing) -> Result<Plan> {
        let way = match self.config.mode {
            Mode::Memo => Way::Memo,
            Mode::Account => way(node, writing).await?,
        };
        let mut plan = Plan::new(way, writing, self.config.priority);
        // The key of an account that is not there yet makes no difference to the fee.
        let message = plan.message(writing, Key([1; 32]), node.lifetime().await?.blockhash);
        plan.fee = plan.fee.max(node.fee(&message).await?.unwrap_or_default());
        let (has, needed) = (node.balance(writing.writer).await?, plan.cost());
        if !is_enough(has, needed, node.deposit(BARE).await?) {
            let what = format!("the wallet has {}, and {} is needed", told(has), told(needed));
            let least = "and what is left in it must not be less than the deposit of an empty account";
            return Err(Error::new(ErrorKind::Funds, what).because(least).fix(format!(
                "send some to {}; see it with: bitboot backend run NAME wallet",
                writing.writer
            )));
        }
        Ok(plan)
    }

    /// Signs a plan through the host, which counts its cost once. What is signed is good for a minute or so.
    pub(crate) async fn sign(&self, node: &Node, plan: &Plan, writing: &Writing) -> Result<Parcel> {
        let created = match plan.way {
            Way::Create { space, .. } => Some(self.derive(node.genesis().await?, writing, space).await?),
            Way::Change(_) | Way::Memo => None,
        };
        let lifetime = node.lifetime().await?;
        let key = created.as_ref().map_or(writing.writer, |key| Key(key.verifying_key().to_bytes()));
        let message = plan.message(writing, key, lifetime.blockhash);
        let bytes = message.to_bytes();
        let purpose = format!("to announce {} bytes in {}", writing.value.len(), kind(plan.way));
        let asked = SignRequest::new(Scheme::Ed25519, bytes.as_slice(), purpose).with_fee(told(plan.cost()));
        let mut signatures = vec![signature(self.host.sign(asked).await?)?];
        signatures.extend(created.map(|key| Signature(key.sign(&bytes).to_bytes())));
        parcel(message, signatures, lifetime.last)
    }

    /// The key of a new account: it has to sign once, when the account is first written, and never again. It comes from a signature of the
    /// user's key over a message that is no transaction, so that it need not be kept, and so that one announcement has one account whoever
    /// tries again. It stays in memory, and is forgotten with the announcement.
    async fn derive(&self, genesis: &str, writing: &Writing, space: u64) -> Result<SigningKey> {
        let message = derivation(genesis, writing, space);
        let asked = SignRequest::new(Scheme::Ed25519, message, "to derive the key of a new account")
            .with_fee(told(0));
        let signed = Zeroizing::new(self.host.sign(asked).await?);
        let secret = Zeroizing::new(Key::hash(&[b"bitboot/1 solana account", &signed]).0);
        Ok(SigningKey::from_bytes(&secret))
    }
}

/// Into the roomiest account of the writer that is there, else into a new one that fits.
async fn way(node: &Node, writing: &Writing) -> Result<Way> {
    let needed = u64::try_from(HEAD + writing.value.len()).unwrap_or(u64::MAX);
    let start = Entry::start_of(writing.place, writing.writer, writing.mark);
    let ours = node.accounts(&start).await?.into_iter().filter(|account| account.space >= needed);
    match ours.max_by_key(|account| (account.space, account.key)) {
        Some(account) => Ok(Way::Change(account.key)),
        None => Ok(Way::Create { space: needed, deposit: node.deposit(needed).await? }),
    }
}

/// What is signed to derive the key of an account.
fn derivation(genesis: &str, writing: &Writing, space: u64) -> Vec<u8> {
    let mark = Key::hash(&[&writing.mark.0]);
    let text = format!(
        "bitboot/1: the key of an account of {space} bytes at {} for {mark} on {genesis}",
        writing.place
    );
    [NO_TRANSACTION, text.as_bytes()].concat()
}

/// A wallet that is not emptied must keep what an account has to hold.
fn is_enough(has: u64, needed: u64, least: u64) -> bool {
    has.checked_sub(needed).is_some_and(|left| left == 0 || left >= least)
}

fn kind(way: Way) -> &'static str {
    match way {
        Way::Change(_) => "an account that is there",
        Way::Create { .. } => "a new account",
        Way::Memo => "a memo",
    }
}

fn signature(bytes: Vec<u8>) -> Result<Signature> {
    let bytes =
        bytes.try_into().map_err(|_| Error::new(ErrorKind::Key, "the signature is none of ed25519"))?;
    Ok(Signature(bytes))
}

fn parcel(message: Message, signatures: Vec<Signature>, last: u64) -> Result<Parcel> {
    // A host that signs by another key than it tells would make something that no node takes.
    let transaction = Transaction::new(message, signatures).filter(Transaction::verifies);
    transaction
        .and_then(|transaction| Parcel::new(&transaction, last))
        .ok_or_else(|| Error::new(ErrorKind::Key, "the signature is not that of the wallet's key"))
}

/// An amount as the host takes it.
pub(crate) fn told(lamports: u64) -> String {
    let places = format!("{:09}", lamports % LAMPORTS);
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    format!("{}{point}{places} SOL", lamports / LAMPORTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Mark;

    #[test]
    fn amounts_are_told_exactly() {
        for (lamports, text) in [
            (0, "0 SOL"),
            (5000, "0.000005 SOL"),
            (2_835_760, "0.00283576 SOL"),
            (1_000_000_001, "1.000000001 SOL"),
            (u64::MAX, "18446744073.709551615 SOL"),
        ] {
            assert_eq!(told(lamports), text);
        }
    }

    #[test]
    fn a_wallet_is_emptied_or_keeps_enough() {
        for (has, enough) in [(0, false), (5000, true), (5001, false), (895_879, false), (895_880, true)] {
            assert_eq!(is_enough(has, 5000, 890_880), enough, "{has}");
        }
    }

    #[test]
    fn what_a_key_is_derived_from_is_no_transaction_and_differs_for_each_account() {
        let writing = Writing {
            place: Key([5; 32]),
            mark: Mark::of(b"one", b""),
            value: Vec::new(),
            writer: Key([7; 32]),
        };
        let message = derivation("genesis", &writing, 278);
        assert!(message[0] == 0xff && Message::of_bytes(&message).is_none());
        let other = Writing { mark: Mark::of(b"two", b""), ..writing.clone() };
        let elsewhere = Writing { place: Key([6; 32]), ..writing.clone() };
        for different in [
            derivation("genesis", &writing, 342),
            derivation("another", &writing, 278),
            derivation("genesis", &other, 278),
            derivation("genesis", &elsewhere, 278),
        ] {
            assert_ne!(different, message);
        }
    }
}
