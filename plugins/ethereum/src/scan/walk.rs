//! From where was read to the block that came last.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U64};
use bitboot_plugin_api::{ErrorKind, Level, Result};
use bitboot_rpc::Trouble;

use super::kept::{Kept, Line};
use super::{Find, Scan};
use crate::answers::Log;
use crate::contract::event_of;

/// The last blocks are read anew each time: they may still be replaced, and one of several machines behind one address may not have them yet.
const SETTLED: u64 = 8;
/// While a walk takes long, it is kept this often how far it has come.
const KEEP_EVERY: Duration = Duration::from_secs(2);

impl Scan {
    /// Reads what is new under a key. Where the chain was reorganized, what is gone is forgotten first.
    pub(super) async fn walk(&self, kept: &mut Kept, key: B256) -> Result<()> {
        let line = kept.line(key);
        self.rewind(line).await?;
        let last = self.node.last().await?.number;
        let first = last.saturating_add(1).saturating_sub(self.lookback);
        // More is wanted than was read then; a node that is some blocks behind is no reason.
        if line.anchors.is_empty() || line.from > first.saturating_add(SETTLED) {
            *line = Line { key, from: first, ..Line::default() };
        }
        line.forget_before(first);
        let next = line.next;
        line.cut(next);
        // Before anything is read: if it is replaced meanwhile, the next lookup sees that.
        let settled = last.saturating_sub(SETTLED);
        if settled >= next
            && let Some(block) = self.node.block(settled).await?
        {
            line.anchor(settled, block.hash);
        }
        self.read(kept, key, settled, last).await?;
        if self.is_ahead.load(Relaxed) {
            self.keep(kept).await;
        }
        Ok(())
    }

    /// Forgets what was read on a branch that is not the chain any more.
    async fn rewind(&self, line: &mut Line) -> Result<()> {
        while let Some((number, hash)) = line.anchors.last().copied() {
            if self.node.block(number).await?.is_some_and(|block| block.hash == hash) {
                break;
            }
            line.rewind();
        }
        Ok(())
    }

    /// The first block of some that the node answers for, where it answers for all later ones; the last of them where it is that one or none.
    async fn answered_from(&self, key: B256, mut from: u64, last: u64) -> Result<u64> {
        let mut to = last;
        while from < to {
            let middle = from.midpoint(to);
            match self.node.logs(self.contract, key, middle, middle).await {
                Ok(_) => to = middle,
                Err(Trouble::Refused(_)) => from = middle + 1,
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Ok(to)
    }

    /// Reads up to a block, in parts as large as the node answers for.
    async fn read(&self, kept: &mut Kept, key: B256, settled: u64, last: u64) -> Result<()> {
        let (mut saved, mut range, mut next) = (Instant::now(), self.range, kept.line(key).next);
        while next <= last {
            let to = last.min(next.saturating_add(range - 1));
            match self.node.logs(self.contract, key, next, to).await {
                Ok(logs) => {
                    let line = kept.line(key);
                    line.extend(logs.iter().filter_map(find_of).collect());
                    next = to + 1;
                    let done = next.min(settled + 1).max(line.next);
                    self.is_ahead.fetch_or(done > line.next, Relaxed);
                    line.next = done;
                    // Slowly: what a node refuses for the number of blocks it refuses the next time too.
                    range = (range + (range / 8).max(1)).min(self.range);
                }
                Err(trouble) if to > next && may_be_too_much(&trouble) => range = (to - next).div_ceil(2),
                Err(Trouble::Refused(refusal)) if next < last => {
                    // It keeps no events of this age, or has more in this one block than it answers with.
                    let missing = next;
                    next = self.answered_from(key, missing + 1, last).await?;
                    let why = format!("blocks {missing} to {} cannot be read: {refusal}", next - 1);
                    self.host.log(
                        Level::Warn,
                        format!("{why}; look less far back: bitboot backend set NAME lookback_blocks=..."),
                    );
                    kept.line(key).skip_to(next.min(settled + 1));
                    range = self.range;
                }
                Err(trouble) => return Err(trouble.into()),
            }
            if saved.elapsed() > KEEP_EVERY {
                self.keep(kept).await;
                saved = Instant::now();
            }
        }
        Ok(())
    }
}

/// Fewer blocks may be answered for: providers refuse too many, and a flood of events takes too long, or more than an answer can have.
fn may_be_too_much(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused(_) => true,
        Trouble::Failed(error) => matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Integrity),
    }
}

pub(super) fn find_of(log: &Log) -> Option<Find> {
    let (writer, value) = event_of(log)?;
    let number = |number: Option<U64>| number.map(|number| number.to());
    Some(Find { block: number(log.block)?, index: number(log.index)?, writer, value })
}
