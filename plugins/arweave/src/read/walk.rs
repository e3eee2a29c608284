//! One gateway's list under a topic, from the newest entry back to where it was read before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::{Ear, Reader};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::kept::Pile;
use super::{KEEP_EVERY, MOST_OF_ONE, Mark, Record, SETTLED, Store, Words};
use crate::backend::MAX_VALUE;
use crate::gateway::{Entry, Gateway, MOST_ENTRIES};
use crate::topic::Topic;

/// One gateway that is being asked.
pub(super) struct Walk {
    pub(super) gateway: Gateway,
    pub(super) topic: Topic,
    /// What is known already.
    pub(super) pile: Arc<Pile>,
    pub(super) lookback: u64,
    /// What waits for a block counts too.
    pub(super) pending: bool,
    pub(super) store: Arc<Store>,
    pub(super) new: New,
}

/// What was read in one lookup and is not kept yet.
#[derive(Clone)]
pub(super) struct New(Arc<Mutex<(Words, Instant)>>);

/// How far it came.
pub(super) struct Walked {
    /// Which gateway it was.
    pub(super) mark: Mark,
    /// The height of its last block.
    pub(super) tip: u64,
    /// From this height on it was read.
    pub(super) floor: u64,
    /// What it lists from there on, of what is in a block.
    pub(super) listed: Vec<([u8; 32], u64)>,
    /// Whether the list was read to the floor.
    pub(super) is_whole: bool,
    /// The lowest block of what it lists and does not hand out.
    pub(super) missing: Option<u64>,
}

/// What a gateway has of an entry that it lists.
enum Fetched {
    Record(Record),
    /// It was read, and is none of this topic or not what its owner signed.
    Other,
    /// It is not there, or cannot be read, as it may be another time.
    Missing,
}

/// Of some entries.
#[derive(Default)]
struct Passed {
    lies: usize,
    missing: Option<u64>,
}

/// So much is looked at in one lookup: behind that are the oldest, of a topic that somebody floods.
const MOST_PAGES: usize = 50;
/// Of a list that was read before the first page is short: mostly nothing is new.
const FEW: u8 = 10;
/// So many transactions are asked for at once.
const AT_ONCE: usize = 8;
/// A gateway that answers more often with what is none is not asked on.
const MOST_LIES: usize = 16;

impl Walked {
    /// Up to which block there is nothing more to ask for: what is missing is listed and asked for again.
    pub(super) fn reached(&self) -> u64 {
        self.missing.map_or(self.tip, |height| height.min(self.tip))
    }
}

impl Default for New {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((Vec::new(), Instant::now()))))
    }
}

impl New {
    /// Adds one; all of them where it is time to keep them.
    fn add(&self, mark: Mark, record: Record) -> Option<Words> {
        let mut new = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        new.0.push((mark, record));
        (new.1.elapsed() > KEEP_EVERY).then(|| {
            new.1 = Instant::now();
            std::mem::take(&mut new.0)
        })
    }

    pub(super) fn take(&self) -> Words {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl Reader for Walk {
    /// By the transaction: its value.
    type Find = ([u8; 32], Vec<u8>);
    type End = Walked;

    async fn read(&self, ear: &Ear<Self>) -> Result<Walked> {
        // Of the share of this gateway, for it is its word that they are in a block; half of it is for what comes.
        ear.tell_some(self.pile.settled(self.gateway.mark())).await;
        self.walk(ear).await
    }

    fn answered(&self) -> Option<Instant> {
        self.gateway.answered()
    }
}

impl Walk {
    async fn walk(&self, ear: &Ear<Self>) -> Result<Walked> {
        let (mark, tip) = (self.gateway.mark(), self.gateway.height().await?);
        let oldest = tip.saturating_add(1).saturating_sub(self.lookback);
        // A chain that is shorter than it was is another one. What had no room to be kept is read again.
        let before = self.pile.read_to(mark, oldest).filter(|height| *height <= tip.saturating_add(SETTLED));
        let floor = before.map_or(oldest, |height| height.saturating_sub(SETTLED).max(oldest));
        let mut walked = Walked { mark, tip, floor, listed: Vec::new(), is_whole: false, missing: None };
        let (mut of_one, mut lies, mut after) = (BTreeMap::new(), 0, None);
        for number in 0..MOST_PAGES {
            let first = if number == 0 && before.is_some() { FEW } else { MOST_ENTRIES };
            let page = self.gateway.list(&self.topic, first, after.as_deref()).await?;
            let is_past = |entry: &Entry| entry.height.is_some_and(|height| height < floor);
            walked.is_whole = page.next.is_none() || page.entries.iter().any(is_past);
            let entries: Vec<Entry> = page.entries.into_iter().filter(|entry| !is_past(entry)).collect();
            walked.listed.extend(entries.iter().filter_map(|entry| Some((entry.id, entry.height?))));
            let wanted = entries.into_iter().filter(|entry| is_wanted(entry, &mut of_one)).collect();
            let passed = self.fetch(wanted, ear).await?;
            lies += passed.lies;
            walked.missing = lower(walked.missing, passed.missing);
            if lies > MOST_LIES {
                let what =
                    format!("the gateway at {} answers with what are no transactions", self.gateway.url());
                return Err(Error::new(ErrorKind::Integrity, what)
                    .fix("name another one: bitboot backend set NAME rpc=https://HOST"));
            }
            if walked.is_whole {
                break;
            }
            after = page.next;
        }
        Ok(walked)
    }

    /// Reads some entries, several at once; what could not be read of them.
    async fn fetch(&self, entries: Vec<Entry>, ear: &Ear<Self>) -> Result<Passed> {
        let (mut fetching, mut passed) = (JoinSet::new(), Passed::default());
        let mut entries = entries.into_iter();
        loop {
            while fetching.len() < AT_ONCE
                && let Some(entry) = entries.next()
            {
                if let Some(known) = self.pile.record(&entry.id) {
                    self.tell(ear, Record { height: entry.height, ..known }).await;
                } else {
                    let (gateway, topic) = (self.gateway.clone(), self.topic);
                    fetching.spawn(async move { (entry.height, fetch(gateway, topic, entry).await) });
                }
            }
            let Some(fetched) = fetching.join_next().await else { return Ok(passed) };
            match fetched? {
                (_, Ok(Fetched::Record(record))) => self.tell(ear, record).await,
                (_, Ok(Fetched::Other)) => {}
                (height, Ok(Fetched::Missing)) => passed.missing = lower(passed.missing, height),
                (height, Err(error)) if error.kind == ErrorKind::Integrity => {
                    passed.lies += 1;
                    passed.missing = lower(passed.missing, height);
                }
                (_, Err(error)) => return Err(error),
            }
        }
    }

    async fn tell(&self, ear: &Ear<Self>, record: Record) {
        // Not before it counts: another gateway may have in a block what waits for one here.
        if self.pending || record.height.is_some() {
            ear.tell(vec![(record.id, record.value.clone())]).await;
        }
        if let Some(new) = self.new.add(self.gateway.mark(), record) {
            self.store.keep(self.topic, new, &[]).await;
        }
    }
}

fn lower(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// Whether an entry can be an announcement, and is one of the newest of its owner.
fn is_wanted(entry: &Entry, of_one: &mut BTreeMap<[u8; 32], usize>) -> bool {
    let count = of_one.entry(entry.owner).or_default();
    *count += 1;
    *count <= MOST_OF_ONE && (1..=MAX_VALUE as u64).contains(&entry.size)
}

/// Reads one entry and verifies it.
async fn fetch(gateway: Gateway, topic: Topic, entry: Entry) -> Result<Fetched> {
    let Some(transaction) = gateway.transaction(&entry.id).await? else { return Ok(Fetched::Missing) };
    if !topic.is_of(transaction.tags()) || !transaction.is_signed(&entry.id) {
        return Ok(Fetched::Other);
    }
    let Some(value) = gateway.data(&entry.id).await? else { return Ok(Fetched::Missing) };
    let owner = transaction.address();
    let record = Record { id: entry.id, owner, height: entry.height, value };
    Ok(if transaction.holds(&record.value) { Fetched::Record(record) } else { Fetched::Other })
}
