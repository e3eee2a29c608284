use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitboot_plugin_api::Result;
use bitboot_rpc::{Node as _, Trouble};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{COMMITMENT, Node, Told};
use crate::wire::{Key, Message, Signature};

/// For how long a transaction can be taken: while nodes know the block that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) blockhash: Key,
    /// The number of the last block in which it can be.
    pub(crate) last: u64,
}

/// What a node knows of a transaction; more of it is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Unknown,
    /// In a block for which not enough nodes have voted yet.
    Seen,
    /// It is in a block, its fee is paid, and it did nothing: the reason.
    Failed(String),
    Confirmed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Latest {
    blockhash: String,
    last_valid_block_height: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    err: Option<Box<RawValue>>,
    confirmation_status: Option<String>,
}

/// The most of a reason that is shown.
const LINE: usize = 200;

impl Node {
    pub(crate) async fn lifetime(&self) -> Result<Lifetime> {
        let told: Told<Latest> =
            self.ask("getLatestBlockhash", json!([{ "commitment": COMMITMENT }])).await?;
        lifetime_of(&told.value).ok_or_else(|| self.lies("the hash of a block that is none"))
    }

    /// What the chain takes for a transaction, in lamports; `None` where the node cannot tell.
    pub(crate) async fn fee(&self, message: &Message) -> Result<Option<u64>> {
        let params = json!([STANDARD.encode(message.to_bytes()), { "commitment": COMMITMENT }]);
        let told: Told<Option<u64>> = self.ask("getFeeForMessage", params).await?;
        Ok(told.value)
    }

    /// Hands a transaction over; that it is there already is as good.
    pub(crate) async fn send(&self, transaction: &[u8]) -> Result<(), Trouble> {
        self.check().await?;
        let wanted = json!({ "encoding": "base64", "preflightCommitment": COMMITMENT });
        match self.rpc.ask("sendTransaction", json!([STANDARD.encode(transaction), wanted])).await {
            Err(Trouble::Refused(refusal)) if refusal.message.contains("already been processed") => Ok(()),
            other => other.map(drop),
        }
    }

    /// What became of a transaction, however old.
    pub(crate) async fn state(&self, id: Signature) -> Result<State> {
        let params = json!([[id.to_string()], { "searchTransactionHistory": true }]);
        let told: Told<Vec<Option<Status>>> = self.ask("getSignatureStatuses", params).await?;
        Ok(told.value.into_iter().next().flatten().map_or(State::Unknown, state_of))
    }
}

pub(super) fn lifetime_of(latest: &Latest) -> Option<Lifetime> {
    let blockhash = Key::of_text(&latest.blockhash)?;
    Some(Lifetime { blockhash, last: latest.last_valid_block_height })
}

pub(super) fn state_of(status: Status) -> State {
    let is_confirmed =
        status.confirmation_status.is_some_and(|status| status == COMMITMENT || status == "finalized");
    match status.err {
        _ if !is_confirmed => State::Seen,
        Some(error) => State::Failed(error.get().chars().take(LINE).collect()),
        None => State::Confirmed,
    }
}
