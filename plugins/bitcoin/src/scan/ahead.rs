//! Blocks in their order, the next ones on their way while one is looked at.

use std::collections::VecDeque;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitcoin::{Block, BlockHash};
use tokio::task::JoinHandle;

use crate::node::{MOST_AT_ONCE, Node};

/// Reads some blocks of a node.
pub(super) struct Ahead<'a> {
    node: &'a Node,
    /// Not asked for yet.
    rest: &'a [BlockHash],
    under_way: VecDeque<Asked>,
    here: VecDeque<Block>,
    /// So many are asked for at once: few where they are large, so that a question is answered in time and the memory is bounded.
    at_once: usize,
}

/// So many questions are on their way.
const UNDER_WAY: usize = 2;
/// Together the blocks of one question should be about as large as this.
const ENOUGH: usize = 1 << 20;

/// A question that ends with whoever waits for its answer.
struct Asked(JoinHandle<Result<Vec<Block>>>);

impl<'a> Ahead<'a> {
    pub(super) fn new(node: &'a Node, hashes: &'a [BlockHash]) -> Self {
        Self { node, rest: hashes, under_way: VecDeque::new(), here: VecDeque::new(), at_once: 1 }
    }

    /// The next block; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Block>> {
        self.ask();
        while self.here.is_empty() {
            let Some(mut asked) = self.under_way.pop_front() else { return Ok(None) };
            let ended = |_| Error::new(ErrorKind::Other, "the plugin is being closed");
            self.here = (&mut asked.0).await.map_err(ended)??.into();
            let largest = self.here.iter().map(Block::total_size).max().unwrap_or(ENOUGH);
            self.at_once = (ENOUGH / largest.max(1)).clamp(1, MOST_AT_ONCE);
            self.ask();
        }
        Ok(self.here.pop_front())
    }

    fn ask(&mut self) {
        while self.under_way.len() < UNDER_WAY && !self.rest.is_empty() {
            let (now, rest) = self.rest.split_at(self.at_once.min(self.rest.len()));
            self.rest = rest;
            let (node, hashes) = (self.node.clone(), now.to_vec());
            self.under_way.push_back(Asked(tokio::spawn(async move { node.blocks(&hashes).await })));
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.abort();
    }
}
