//! From the last memo that was read to the newest.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Error, ErrorKind, Result};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::kept::{Kept, Place};
use super::{Find, Memos};
use crate::layout::of_transaction;
use crate::node::{Listed, Node, PAGE, State};
use crate::wire::{Key, Signature, Transaction, name_of};

/// So many transactions are asked for at once: providers count questions.
const AT_ONCE: usize = 8;
/// While a walk takes long, it is kept this often how far it has come.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// So often, and with such pauses, what is listed is asked for: what is final should be there at once.
const PATIENCE: usize = 4;
const PATIENCE_FINAL: usize = 2;
const PAUSE: Duration = Duration::from_millis(200);

impl Memos {
    /// Reads what is new in a place. What was read before something went wrong is kept all the same.
    pub(super) async fn walk(&self, place: Key, kept: &mut Kept) -> Result<()> {
        if let Some(read) = kept.at(place).read
            && self.node.state(read).await? == State::Unknown
        {
            // The chain began anew, or the node has forgotten so much: what it still has counts.
            *kept.at(place) = Place::default();
        }
        let mut listed = self.list(place, kept.at(place).read).await?;
        listed.reverse();
        let here: HashSet<Signature> = listed.iter().map(|listed| listed.id).collect();
        let at = kept.at(place);
        // What is listed no more was taken back.
        at.new.retain(|(id, _)| here.contains(id));
        let mut known: HashSet<Signature> = at.new.iter().map(|(id, _)| *id).collect();
        let unread: Vec<Listed> =
            listed.iter().filter(|listed| !known.contains(&listed.id)).copied().collect();
        let order: HashMap<Signature, usize> = listed.iter().map(|listed| listed.id).zip(0..).collect();
        let (mut saved, mut missing) = (Instant::now(), 0);
        for some in unread.chunks(AT_ONCE) {
            let read = self.read(some).await?;
            let at = kept.at(place);
            for (id, what) in read {
                let find = match what {
                    Fetched::Missing => {
                        missing += 1;
                        continue;
                    }
                    Fetched::Nothing => None,
                    Fetched::Bytes(bytes) => find_of(place, &bytes),
                };
                at.new.push((id, find));
                known.insert(id);
            }
            // What was missing the last time is older than what is known.
            at.new.sort_by_key(|(id, _)| order.get(id).copied());
            settle(at, &listed, &known);
            if saved.elapsed() > KEEP_EVERY {
                self.keep(kept).await;
                saved = Instant::now();
            }
        }
        settle(kept.at(place), &listed, &known);
        if missing == 0 { Ok(()) } else { Err(incomplete(missing)) }
    }

    /// All transactions that name a place since one of them, the newest first.
    async fn list(&self, place: Key, since: Option<Signature>) -> Result<Vec<Listed>> {
        let mut all: Vec<Listed> = Vec::new();
        loop {
            let before = all.last().map(|listed| listed.id);
            let page = self.node.naming(place, since, before).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last || all.len() >= self.history {
                all.truncate(self.history);
                return Ok(all);
            }
        }
    }

    /// Some transactions, in their order.
    async fn read(&self, listed: &[Listed]) -> Result<Vec<(Signature, Fetched)>> {
        let mut asking = JoinSet::new();
        for (number, listed) in listed.iter().copied().enumerate() {
            let node = self.node.clone();
            asking.spawn(async move { (number, fetch(&node, listed).await.map(|what| (listed.id, what))) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(number, _)| *number);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Takes over what cannot be taken back, up to the first that has not been read: what a node does not hand out is asked for again the next time.
fn settle(at: &mut Place, listed: &[Listed], known: &HashSet<Signature>) {
    let settled = listed.iter().take_while(|listed| listed.is_final && known.contains(&listed.id));
    let settled: HashSet<Signature> = settled.map(|listed| listed.id).collect();
    at.settle(|id| settled.contains(&id));
}

/// What a node has of a transaction that it lists.
enum Fetched {
    Bytes(Vec<u8>),
    /// It did nothing.
    Nothing,
    /// It does not hand it out, or another one instead.
    Missing,
}

/// One that was listed a moment ago may not be there yet for those who ask for it, or not at the machine that is asked this time.
async fn fetch(node: &Node, listed: Listed) -> Result<Fetched> {
    if listed.failed {
        return Ok(Fetched::Nothing);
    }
    let times = if listed.is_final { PATIENCE_FINAL } else { PATIENCE };
    for number in 0..times {
        if number > 0 {
            sleep(PAUSE).await;
        }
        let bytes = node.transaction(listed.id).await?;
        if let Some(bytes) = bytes.filter(|bytes| is_it(bytes, listed.id)) {
            return Ok(Fetched::Bytes(bytes));
        }
    }
    Ok(Fetched::Missing)
}

/// Whether bytes are the transaction of a name, which is its first signature. In another form than ours, which cannot be read, it is believed: it
/// is none of ours.
pub(super) fn is_it(bytes: &[u8], id: Signature) -> bool {
    name_of(bytes) == Some(id)
        && Transaction::of_bytes(bytes).is_none_or(|transaction| transaction.verifies())
}

fn incomplete(count: usize) -> Error {
    let what = format!("the node lists {count} transactions that it does not hand out");
    Error::new(ErrorKind::Integrity, what)
        .because("they are asked for again by the next lookup")
        .fix("name another node as well: bitboot backend set NAME rpc=https://HOST,https://OTHER")
}

pub(super) fn find_of(place: Key, bytes: &[u8]) -> Option<Find> {
    let (author, value) = of_transaction(place, &Transaction::of_bytes(bytes)?)?;
    Some(Find { author, value })
}
