//! From a value to a transaction that is out: price, signature, broadcast, confirmation.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Cx, Error, ErrorKind, Host, Result, Scheme, SignRequest};
use bitboot_rpc::{Node as _, answers, grace};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::base64url::encode;
use crate::gateway::{Gateway, Handed, Standing};
use crate::topic::Topic;
use crate::transaction::{OWNER, Transaction, sha256};

/// The user's key and what it pays.
pub(crate) struct Purse {
    host: Host,
    /// What was quoted for how many bytes, and when: what is announced soon after costs what was said.
    quoted: Mutex<Option<(Instant, usize, u128)>>,
}

/// The key, as Arweave shows it.
pub(crate) struct Owner {
    modulus: Vec<u8>,
    pub(crate) address: [u8; 32],
}

/// A quote holds for so long.
const HOLDS: Duration = Duration::from_secs(600);
/// How often a gateway is asked whether a transaction is in a block.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What an announcement leaves of its time, to tell what became of it.
pub(crate) const SPARE: Duration = Duration::from_secs(2);
/// The smallest unit is so small a part of an AR: 10^-12.
const PLACES: usize = 12;

impl Purse {
    pub(crate) fn new(host: Host) -> Self {
        Self { host, quoted: Mutex::default() }
    }

    /// The user's key for this backend. Unlocks nothing.
    pub(crate) async fn owner(&self) -> Result<Owner> {
        let modulus = self.host.public_key(Scheme::RsaPssSha256).await?;
        if modulus.len() != OWNER {
            return Err(Error::new(ErrorKind::Key, "the key is no RSA key of 4096 bits"));
        }
        Ok(Owner { address: sha256(&modulus), modulus })
    }

    /// What so many bytes cost now, in winston; it holds for a while. Fails where the wallet has not enough.
    pub(crate) async fn quote(&self, gateway: &Gateway, owner: &Owner, bytes: usize) -> Result<u128> {
        let price = gateway.price(bytes).await?;
        afford(gateway, owner, price).await?;
        *self.quoted.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), bytes, price));
        Ok(price)
    }

    /// A transaction at the price that was quoted last, signed through the host, which counts what it costs.
    pub(crate) async fn sign(
        &self,
        gateway: &Gateway,
        owner: &Owner,
        topic: Topic,
        value: &[u8],
    ) -> Result<(Transaction, u128)> {
        let quoted = *self.quoted.lock().unwrap_or_else(PoisonError::into_inner);
        let price = match quoted.filter(|(when, bytes, _)| when.elapsed() < HOLDS && *bytes == value.len()) {
            Some((_, _, price)) => price,
            None => gateway.price(value.len()).await?,
        };
        afford(gateway, owner, price).await?;
        let anchor = gateway.anchor().await?;
        let transaction = Transaction::new(&owner.modulus, anchor, price, topic.tags(), value);
        let purpose = format!("to announce in a transaction with {} bytes of data", value.len());
        let asked =
            SignRequest::new(Scheme::RsaPssSha256, transaction.message(), purpose).with_fee(told(price));
        let transaction = transaction.signed(self.host.sign(asked).await?);
        Ok((transaction, price))
    }
}

async fn afford(gateway: &Gateway, owner: &Owner, price: u128) -> Result<()> {
    let has = gateway.balance(&owner.address).await?;
    if has >= price {
        return Ok(());
    }
    let what = format!("the wallet has {}, which is not enough", told(has));
    Err(Error::new(ErrorKind::Funds, what).because(format!("it costs {}", told(price))).fix(format!(
        "send some to {}; see it with: bitboot backend run NAME wallet",
        encode(&owner.address)
    )))
}

/// Why a gateway is not known to have a transaction.
enum Failure {
    /// It understood it and does not want it.
    Refused(Error),
    /// It may have it all the same.
    Unknown(Error),
    /// It was not told: a gateway of which nothing can be asked, or of another network.
    Unasked(Error),
}

/// Hands a transaction to all gateways; those that took it. Fails where none did, in the time that the call has, and says whether it may be out
/// all the same.
pub(crate) async fn broadcast(
    gateways: &[Gateway],
    transaction: &Transaction,
    host: &Host,
    cx: &Cx,
) -> Result<Vec<Gateway>> {
    let id = transaction.id();
    // Before it is out: whoever is interrupted must know what to look for.
    cx.progress(&format!("handing over the transaction {id}"), 0, 0).await?;
    let mut handing = JoinSet::new();
    for gateway in gateways {
        handing.spawn(hand_over(gateway.clone(), transaction.clone()));
    }
    let (start, deadline) = (tokio::time::Instant::now(), cx.deadline());
    let mut end = deadline.checked_sub(SPARE).unwrap_or(deadline);
    let (mut taken, mut unknown, mut refused, mut unasked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Ok(Some(ended)) = timeout_at(end, handing.join_next()).await {
        match ended {
            // One that takes it is enough: for the others it is not waited until their time is over.
            Ok(Ok(gateway)) => {
                taken.push(Ok(gateway));
                end = end.min(grace(start));
            }
            Ok(Err(Failure::Refused(error))) => refused.push(Err(error)),
            Ok(Err(Failure::Unasked(error))) => unasked.push(Err(error)),
            Ok(Err(Failure::Unknown(error))) => unknown.push(Err(look_for(error, &id))),
            // Its panic is in the log.
            Err(_) => unknown.push(Err(look_for(silent(), &id))),
        }
    }
    if !handing.is_empty() {
        unknown.push(Err(look_for(silent(), &id)));
    }
    // What one refuses may be at another one: that is told first. Who was not asked has nothing.
    answers(taken.into_iter().chain(unknown).chain(refused).chain(unasked), host)
}

fn silent() -> Error {
    Error::new(ErrorKind::TimedOut, "a gateway did not say in time that it has the transaction")
}

fn look_for(error: Error, id: &str) -> Error {
    error.fix(format!("it may be out or not: look for the transaction {id} before you announce again"))
}

async fn hand_over(gateway: Gateway, transaction: Transaction) -> Result<Gateway, Failure> {
    gateway.check().await.map_err(Failure::Unasked)?;
    let id = transaction.id();
    let failure = match gateway.hand_over(&transaction).await {
        Ok(Handed::Taken) => return Ok(gateway),
        Ok(Handed::Refused(error)) => Failure::Refused(error),
        Err(error) => Failure::Unknown(error),
    };
    // The answer was lost, perhaps not the question; and who is told twice may refuse the second time.
    match gateway.standing(&id).await {
        Ok(Standing::Waiting | Standing::Confirmed(_)) => Ok(gateway),
        Ok(Standing::Unknown) => Err(failure),
        Err(_) => Err(match failure {
            Failure::Refused(error) | Failure::Unknown(error) | Failure::Unasked(error) => {
                Failure::Unknown(error)
            }
        }),
    }
}

/// The block of a transaction that is out; `None` where it is in none yet after so long. A second is waited in any case.
pub(crate) async fn confirmed(gateways: &[Gateway], id: &str, patience: Duration) -> Option<u64> {
    let looking = async {
        loop {
            for gateway in gateways {
                if let Ok(Standing::Confirmed(height)) = gateway.standing(id).await {
                    return Some(height);
                }
            }
            if patience.is_zero() {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(patience.max(LOOK_EVERY), looking).await.ok().flatten()
}

/// An amount of winston as the host takes it.
pub(crate) fn told(winston: u128) -> String {
    let digits = format!("{winston:0>width$}", width = PLACES + 1);
    let (whole, places) = digits.split_at(digits.len() - PLACES);
    format!("{whole}.{places} AR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_to_the_winston() {
        for (winston, text) in [
            (0, "0.000000000000 AR"),
            (19_678_652, "0.000019678652 AR"),
            (1_000_000_000_000, "1.000000000000 AR"),
            (66_000_000_123_456_789_012, "66000000.123456789012 AR"),
        ] {
            assert_eq!(told(winston), text);
        }
    }
}
