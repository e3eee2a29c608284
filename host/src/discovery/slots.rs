//! Many writers on registers that hold one value each: a tree of slots. A writer merges itself into the first slot on its own path
//! that has room; a reader goes down wherever somebody has written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot_plugin_api::{ErrorKind, Query, Receipt, Write};
use tokio::task::JoinSet;

use super::Ignored;
use super::listen::Listener;
use crate::backend::{self, Step};
use crate::error::{Error, Kind, Result};
use crate::network::{Newest, Place, Record, Slot, Standing};

/// The most values that are taken from one register: more than nodes that hold an item.
const MAX_VARIANTS: usize = 64;
/// How often a writer loses against others before it says that it could not.
const LOSSES: u32 = 24;
/// How many losses in one slot send a writer to the one below.
const PATIENCE: u32 = 2;
/// After a write, how long at least until the writer looks whether it is still there: racing writers need a moment to overwrite each other.
const SETTLES: Duration = Duration::from_millis(400);
/// How long at least a writer waits that was refused.
const STEPS_BACK: Duration = Duration::from_millis(100);

/// What a register holds: the records of all variants that its places hold, merged.
#[derive(Default)]
struct Contents {
    records: Newest,
    /// Those of the highest revision. What is in an older one only is on a few places, and goes with the next write there.
    lasting: Newest,
    /// The highest revision, of whatever can be read or not.
    revision: Option<u64>,
}

impl Contents {
    fn add(&mut self, records: &Newest, revision: u64) {
        if self.revision < Some(revision) {
            (self.revision, self.lasting) = (Some(revision), Newest::default());
        }
        if self.revision == Some(revision) {
            self.lasting.extend(records.iter().cloned());
        }
        self.records.extend(records.iter().cloned());
    }

    /// Whether somebody has written, be it what nobody can read: then there may be more below.
    fn is_taken(&self) -> bool {
        self.revision.is_some()
    }
}

/// Reads the tree of a place, handing on what each slot holds the moment that it is read.
pub(super) async fn walk(listener: Listener, place: Arc<Place>) -> (Ignored, Result<()>) {
    let mut reading = JoinSet::new();
    let start = |reading: &mut JoinSet<_>, slot| {
        let (listener, place) = (listener.clone(), Arc::clone(&place));
        reading.spawn(async move { (slot, read_on(&listener, &place, slot).await) });
    };
    start(&mut reading, Slot::ROOT);
    let (mut ignored, mut of_root) = (Ignored::default(), Ok(()));
    while let Some(ended) = reading.join_next().await {
        let Ok((slot, (contents, more, ended))) = ended else { continue };
        ignored += more;
        if contents.is_taken() {
            slot.children().for_each(|child| start(&mut reading, child));
        }
        listener.tell(contents.records, &mut ignored).await;
        // A branch that cannot be read hides nothing of the others.
        if slot == Slot::ROOT {
            of_root = ended;
        }
    }
    (ignored, of_root)
}

async fn read(listener: &Listener, place: &Place, slot: Slot) -> Result<(Contents, Ignored)> {
    let (contents, ignored, ended) = read_on(listener, place, slot).await;
    ended.map(|()| (contents, ignored))
}

/// Reads a slot as far as it can be read.
async fn read_on(listener: &Listener, place: &Place, slot: Slot) -> (Contents, Ignored, Result<()>) {
    let at = place.slot(slot);
    let mut following = backend::read(&*listener.backend, &Query::new(at.clone()), listener.left());
    let (mut contents, mut ignored, mut variants) = (Contents::default(), Ignored::default(), 0);
    loop {
        let step = match following.next().await {
            Ok(step) => step,
            Err(error) => return (contents, ignored, Err(listener.error(error))),
        };
        match step {
            Step::Held(held) if variants < MAX_VARIANTS => {
                variants += 1;
                let mut records = Newest::default();
                listener.open(place, &at, &held.value, &mut records, &mut ignored);
                contents.add(&records, held.revision);
            }
            Step::Done(_) | Step::Held(_) => return (contents, ignored, Ok(())),
            Step::Peer(_) | Step::Value(_) | Step::Authored(_) | Step::Output(_) | Step::Progress(_) => {}
        }
    }
}

/// Puts a record where readers of the place find it, beside those of others. `room` is the largest value of a register.
pub(super) async fn put(listener: &Listener, place: &Place, record: &Record, room: u32) -> Result<Receipt> {
    let (mut level, mut losses, mut losses_here) = (0, 0, 0);
    while losses < LOSSES {
        let (slot, started) = (Slot::of(&record.signer, level), Instant::now());
        let (contents, _) = read(listener, place, slot).await?;
        let goes_on = level < Slot::DEEPEST;
        // Where many write at once there is more room below; a reader goes down wherever somebody has written.
        let is_crowded = losses_here >= PATIENCE && contents.is_taken();
        let bundle = add(listener, place, slot, &contents, record, room, goes_on);
        let Some(bundle) = bundle.filter(|_| !(is_crowded && goes_on)) else {
            (level, losses_here) = (level + 1, 0);
            continue;
        };
        match write(listener, place, slot, &contents, bundle).await {
            Ok(receipt) => {
                pause(SETTLES.max(started.elapsed() / 4)).await;
                let after = read(listener, place, slot).await.unwrap_or_default().0;
                let there = after.lasting.get(&record.signer);
                if there.is_some_and(|there| there == record || there.time > record.time) {
                    return Ok(receipt);
                }
            }
            // Somebody has set the last revision that there is, so nobody can write there any more.
            Err(error) if error.kind == ErrorKind::Refused && contents.is_taken() && goes_on => {
                losses_here = PATIENCE;
                continue;
            }
            Err(error) if error.kind == ErrorKind::Conflict => {
                // In proportion to what a try takes on this medium, or all would meet again.
                pause(STEPS_BACK.max(started.elapsed() / 4)).await;
            }
            Err(error) => return Err(listener.error(error)),
        }
        (losses, losses_here) = (losses + 1, losses_here + 1);
    }
    Err(outrun(listener))
}

async fn write(
    listener: &Listener,
    place: &Place,
    slot: Slot,
    over: &Contents,
    bundle: Vec<u8>,
) -> bitboot_plugin_api::Result<Receipt> {
    let mut write = Write::new(place.slot(slot), bundle);
    write.after = over.revision;
    backend::write(&*listener.backend, &write, listener.left()).await
}

fn outrun(listener: &Listener) -> Error {
    let what = format!("backend \"{}\": other writers were faster {LOSSES} times", listener.name);
    Error::new(Kind::Unreachable, what).fix("it is tried again while the announcement is kept alive")
}

/// The slot's records with this one; `None` when they do not fit and there is more room below.
fn add(
    listener: &Listener,
    place: &Place,
    slot: Slot,
    contents: &Contents,
    record: &Record,
    room: u32,
    goes_on: bool,
) -> Option<Vec<u8>> {
    let mut records = contents.records.clone();
    records.remove(&record.signer);
    records.retain(|other| matches!(other.standing(listener.now), Standing::Live | Standing::Withdrawn));
    let mut others: Vec<&Record> = records.iter().collect();
    // Where not all have room, those that say least have to go: first the withdrawn, then the oldest.
    others.sort_by_key(|other| (other.withdrawn, std::cmp::Reverse(other.time)));
    let all = 1 + others.len();
    let (bundle, fitted) =
        place.seal(&place.slot(slot), nonce(), std::iter::once(record).chain(others), room as usize);
    (fitted == all || !goes_on).then_some(bundle)
}

/// Replaces a node's record by its withdrawal wherever on its path it lies. Where there is no room for it beside all others, it goes
/// below: of one signer the newest holds, wherever it lies.
pub(super) async fn withdraw(
    listener: &Listener,
    place: &Place,
    withdrawal: &Record,
    room: u32,
) -> Result<u32> {
    let (mut level, mut losses, mut replaced, mut is_owed) = (0, 0, 0, false);
    while level <= Slot::DEEPEST && losses < LOSSES {
        let (slot, started) = (Slot::of(&withdrawal.signer, level), Instant::now());
        let (contents, _) = read(listener, place, slot).await?;
        is_owed |= contents.records.get(&withdrawal.signer).is_some_and(|there| !there.withdrawn);
        if is_owed {
            let goes_on = level < Slot::DEEPEST;
            if let Some(bundle) = add(listener, place, slot, &contents, withdrawal, room, goes_on) {
                match write(listener, place, slot, &contents, bundle).await {
                    Ok(receipt) => (is_owed, replaced) = (false, replaced + receipt.stored),
                    Err(error) if error.kind == ErrorKind::Conflict => {
                        losses += 1;
                        pause(STEPS_BACK.max(started.elapsed() / 4)).await;
                        continue;
                    }
                    Err(error) => return Err(listener.error(error)),
                }
            }
        }
        if !contents.is_taken() {
            break;
        }
        level += 1;
    }
    if losses < LOSSES { Ok(replaced) } else { Err(outrun(listener)) }
}

/// Twenty-four random bytes: with so many, none ever comes twice.
pub(super) fn nonce() -> [u8; 24] {
    let mut nonce = [0; 24];
    // Without randomness from the system there is nothing that could be sealed safely.
    getrandom::fill(&mut nonce).expect("the system gives random bytes");
    nonce
}

/// Between this time and twice as long, so that racing writers fall out of step.
async fn pause(least: Duration) {
    tokio::time::sleep(least.mul_f64(1.0 + fastrand::f64())).await;
}

#[cfg(test)]
#[path = "tests/slots.rs"]
mod tests;
