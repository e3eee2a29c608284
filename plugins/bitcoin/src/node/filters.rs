//! The filters that a node keeps of its blocks (BIP 158): which blocks pay to a script, without reading them.

use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::{Node as _, Trouble, read};
use bitcoin::{BlockHash, ScriptBuf};
use serde_json::json;

use super::Node;
use super::told::{Indexes, Relevant};

/// Another search is under way: it is waited for so long, each time.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

impl Node {
    /// Up to which height the node has filters.
    pub(crate) async fn filtered(&self) -> Result<u32> {
        let indexes: Indexes = self.ask("getindexinfo", json!([])).await?;
        let none = || {
            Error::new(ErrorKind::Unsupported, "the node keeps no filters of its blocks")
                .fix("start it with blockfilterindex=1, or set index=off")
        };
        indexes.basic.map(|basic| basic.best_block_height).ok_or_else(none)
    }

    /// The blocks from a height to another one that may pay to a script, the oldest first.
    pub(crate) async fn paying(&self, script: &ScriptBuf, from: u32, to: u32) -> Result<Vec<BlockHash>> {
        let params = json!(["start", [format!("raw({})", script.to_hex_string())], from, to]);
        self.check().await?;
        let mut pauses = PAUSES.into_iter();
        let answer = loop {
            match self.rpc.ask("scanblocks", params.clone()).await {
                Err(Trouble::Refused(refusal)) if super::is_busy(&refusal) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => {
                        return Err(Error::new(
                            ErrorKind::Conflict,
                            "the node is searching its filters for somebody else",
                        ));
                    }
                },
                answer => break answer?,
            }
        };
        let found: Relevant = read(answer)?;
        if !found.completed {
            return Err(Error::new(ErrorKind::Other, "the node did not finish its search of filters"));
        }
        if found.relevant_blocks.len() > (to - from) as usize + 1 {
            return Err(self.lies("more blocks than were asked about"));
        }
        Ok(found.relevant_blocks)
    }
}
