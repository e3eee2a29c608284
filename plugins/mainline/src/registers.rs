//! Registers: the mutable items of BEP 44, with the slot as the seed of their key.

use std::collections::HashSet;
use std::time::Instant;

use bitboot_plugin_api::{Error, ErrorKind, Found, Held, Locator, Query, Receipt, Result, Write};
use futures_lite::StreamExt;

use crate::engine::{Engine, Item, MAX_ITEM, Seed, Untaken};
use crate::nodes::{Node, Nodes};

/// How long an item is sure to live (BEP 44).
const LIFETIME_S: u32 = 2 * 3600;
/// The `seq` of a slot in which nothing was seen: written items begin at 1, so whoever has one has another.
const NOTHING: i64 = 0;

/// Reports every different item that a node tells of.
pub(crate) async fn read(nodes: &Nodes, query: &Query, found: &Found) -> Result<()> {
    let seed = seed(&query.locator)?;
    let (node, since) = (nodes.ready().await?, Instant::now());
    let mut told = HashSet::new();
    let (mut items, answered) = node.dht.items(&seed).await;
    while let Some(item) = items.next().await {
        // No honest writer puts a negative number.
        let Ok(revision) = u64::try_from(item.seq) else { continue };
        if told.insert(item.clone()) {
            found.held(&Held::new(item.value, revision)).await?;
        }
    }
    if answered.await > 0 {
        return Ok(());
    }
    // Nothing heard is not the same as nothing there.
    if node.is_answered().await {
        return Err(Error::new(ErrorKind::Unreachable, "no node near the slot told what it holds")
            .because("they do not store values (BEP 44), or have too much to do")
            .fix("try again, or set a longer request_timeout_ms"));
    }
    nodes.forget(&node).await;
    Err(node.unreachable(since))
}

/// Puts an item with the next `seq`; how many nodes took it.
pub(crate) async fn write(nodes: &Nodes, what: Write, nearest: usize) -> Result<Receipt> {
    let (seed, after, item) = plan(what)?;
    let (node, since) = (nodes.ready().await?, Instant::now());
    let stored = match put(&node, &seed, after, &item).await {
        Ok(stored) => stored,
        Err(Untaken::Nobody) => {
            nodes.forget(&node).await;
            return Err(node.unreachable(since));
        }
        Err(Untaken::Conflict(why)) => {
            return Err(Error::new(ErrorKind::Conflict, "another writer was faster").because(why));
        }
        Err(Untaken::Unacknowledged(why)) => {
            return Err(Error::new(ErrorKind::Unreachable, "no node of the DHT took the value")
                .because(why)
                .fix("try again, or set a longer request_timeout_ms"));
        }
    };
    let known = node.dht.facts().await.map(|side| side.nodes.min(nearest));
    let asked = u32::try_from(known.iter().sum::<usize>())?.max(stored);
    Ok(Receipt::new(stored, asked).with_expiry(LIFETIME_S))
}

/// Where and after which `seq` what is put; refuses what no node would take.
fn plan(what: Write) -> Result<(Seed, i64, Item)> {
    let seed = seed(&what.slot)?;
    if what.value.len() > MAX_ITEM {
        let message =
            format!("a value of {} bytes is more than the {MAX_ITEM} of a register", what.value.len());
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let after = what.after.map_or(Ok(NOTHING), i64::try_from).ok();
    let Some((after, seq)) = after.and_then(|after| Some((after, after.checked_add(1)?))) else {
        return Err(Error::new(ErrorKind::Refused, "no revision comes after the one that the register has")
            .because("whoever knows the slot can set the last one, and somebody did"));
    };
    Ok((seed, after, Item { value: what.value, seq }))
}

async fn put(node: &Node, seed: &Seed, after: i64, item: &Item) -> Result<u32, Untaken> {
    let outcome = match node.dht.put(seed, item, Some(after)).await {
        // The nodes and tokens of the last search may be those of minutes ago: search again, once.
        Err(Untaken::Unacknowledged(_)) => {
            holders(node, seed, item).await;
            node.dht.put(seed, item, Some(after)).await
        }
        outcome => outcome,
    };
    match outcome {
        Err(Untaken::Conflict(why)) => put_at_stragglers(node, seed, item, why).await,
        outcome => outcome,
    }
}

/// Nodes that missed an earlier item refuse the next one, as they have another than `cas` names; for ever, if most of them did.
/// They take it without `cas`, and that is safe when nobody else has put a newer one.
async fn put_at_stragglers(node: &Node, seed: &Seed, item: &Item, why: String) -> Result<u32, Untaken> {
    if holders(node, seed, item).await.is_none() {
        return Err(Untaken::Conflict(why));
    }
    let outcome = node.dht.put(seed, item, None).await;
    // Strict nodes that had it already have refused it, and the others have taken it again: neither count is the whole.
    match (holders(node, seed, item).await, outcome) {
        (None, _) => Err(Untaken::Conflict(why)),
        (Some(holders), Ok(stored)) => Ok(stored.max(holders)),
        (Some(0), Err(error)) => Err(error),
        (Some(holders), Err(_)) => Ok(holders),
    }
}

/// How many nodes have the item; `None` when one has another that is as new or newer.
async fn holders(node: &Node, seed: &Seed, item: &Item) -> Option<u32> {
    let (mut holders, mut is_newest) = (0, true);
    let (mut items, answered) = node.dht.items(seed).await;
    while let Some(held) = items.next().await {
        holders += u32::from(held == *item);
        is_newest &= held == *item || held.seq < item.seq;
    }
    answered.await;
    is_newest.then_some(holders)
}

fn seed(slot: &Locator) -> Result<Seed> {
    slot.as_bytes().try_into().map_err(|_| {
        let bytes = slot.as_bytes().len();
        Error::new(
            ErrorKind::Refused,
            format!("a locator of {bytes} bytes is no slot: those have {}", Write::SLOT),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write() -> Write {
        Write::new(Locator::new(&[7; Write::SLOT]).unwrap_or_else(|| unreachable!()), [1, 2, 3])
    }

    #[test]
    fn the_first_item_has_seq_1_and_the_others_the_next() {
        for (what, after, seq) in [
            (write(), 0, 1),
            (write().with_after(0), 0, 1),
            (write().with_after(1), 1, 2),
            (write().with_after(i64::MAX as u64 - 1), i64::MAX - 1, i64::MAX),
        ] {
            let (seed, known, item) = plan(what).unwrap();
            assert_eq!((seed, known, item), ([7; 32], after, Item { value: vec![1, 2, 3], seq }));
        }
    }

    #[test]
    fn what_no_node_would_take_is_refused_before_anything_is_sent() {
        let slot = |bytes: usize| Locator::new(&vec![7; bytes]).unwrap();
        for (what, told) in [
            (Write::new(slot(20), [1]), "20 bytes is no slot"),
            (Write::new(slot(33), [1]), "33 bytes is no slot"),
            (Write::new(slot(32), [0; 997]), "997 bytes is more than the 996"),
            (write().with_after(i64::MAX as u64), "no revision comes after"),
            (write().with_after(u64::MAX), "no revision comes after"),
        ] {
            let error = plan(what).unwrap_err();
            assert!(error.kind == ErrorKind::Refused && error.message.contains(told), "{error:?}");
        }
        assert!(plan(Write::new(slot(32), [0; 996])).is_ok());
    }
}
