use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitboot_plugin_api::Result;
use bitboot_rpc::{Node as _, Trouble, read};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{COMMITMENT, Node, Told};
use crate::layout::{HEAD, MAX_VALUE};
use crate::wire::{Key, STORE_PROGRAM, Signature};

/// An account of the store program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) key: Key,
    /// Its first bytes: all that an announcement can have.
    pub(crate) data: Vec<u8>,
    /// How many it has in all.
    pub(crate) space: u64,
}

/// A transaction that names an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: Signature,
    /// It was paid for and did nothing.
    pub(crate) failed: bool,
    /// It cannot be taken back any more.
    pub(crate) is_final: bool,
}

/// The largest answer with accounts in it: some 15 000 announcements, for each of which somebody left a deposit.
const LARGE: u64 = 16 << 20;
/// The most transactions that are listed at once.
pub(crate) const PAGE: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Found {
    pubkey: String,
    account: Account,
}

#[derive(Deserialize)]
struct Account {
    /// The bytes, and how they are written.
    data: (String, String),
    owner: String,
    space: Option<u64>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "solana-core")]
    core: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    signature: String,
    err: Option<IgnoredAny>,
    confirmation_status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Whole {
    transaction: (String, String),
}

impl Node {
    /// The accounts of the store program whose data begin with some bytes.
    pub(crate) async fn accounts(&self, start: &[u8]) -> Result<Vec<Stored>> {
        self.check().await?;
        let params = json!([STORE_PROGRAM.to_string(), {
            "encoding": "base64",
            "commitment": COMMITMENT,
            "dataSlice": { "offset": 0, "length": HEAD + MAX_VALUE },
            "filters": [{ "memcmp": { "offset": 0, "bytes": bs58::encode(start).into_string() } }],
        }]);
        let found: Vec<Found> = read(self.rpc.ask_large("getProgramAccounts", params, LARGE).await?)?;
        found
            .iter()
            .map(|found| stored(found, start).ok_or_else(|| self.lies("accounts that are none")))
            .collect()
    }

    /// The transactions that name an address, the newest first: those since one that is known, and before another one.
    pub(crate) async fn naming(
        &self,
        address: Key,
        since: Option<Signature>,
        before: Option<Signature>,
    ) -> Result<Vec<Listed>> {
        let text = |id: Option<Signature>| id.map(|id| id.to_string());
        let mut wanted = json!({ "limit": PAGE, "commitment": COMMITMENT });
        for (name, id) in [("until", text(since)), ("before", text(before))] {
            if let Some(id) = id {
                wanted[name] = id.into();
            }
        }
        let lines: Vec<Line> =
            self.ask("getSignaturesForAddress", json!([address.to_string(), wanted])).await?;
        if lines.len() > PAGE {
            return Err(self.lies("more transactions than were asked for"));
        }
        let listed = lines.iter().map(listed).collect::<Option<_>>();
        listed.ok_or_else(|| self.lies("names of transactions that are none"))
    }

    /// The bytes of a transaction by its name; `None` where the node does not have it.
    pub(crate) async fn transaction(&self, id: Signature) -> Result<Option<Vec<u8>>> {
        let wanted =
            json!({ "encoding": "base64", "commitment": COMMITMENT, "maxSupportedTransactionVersion": 0 });
        let whole: Option<Whole> = self.ask("getTransaction", json!([id.to_string(), wanted])).await?;
        let lies = || self.lies("a transaction that is none");
        whole.map(|whole| bytes_of(&whole).ok_or_else(lies)).transpose()
    }

    /// In lamports.
    pub(crate) async fn balance(&self, account: Key) -> Result<u64> {
        let wanted = json!({ "commitment": COMMITMENT });
        let told: Told<u64> = self.ask("getBalance", json!([account.to_string(), wanted])).await?;
        Ok(told.value)
    }

    /// What an account of so many bytes has to hold so that it is kept for ever, in lamports.
    pub(crate) async fn deposit(&self, space: u64) -> Result<u64> {
        self.ask("getMinimumBalanceForRentExemption", json!([space, { "commitment": COMMITMENT }])).await
    }

    /// The number of its last block.
    pub(crate) async fn height(&self) -> Result<u64> {
        self.ask("getBlockHeight", json!([{ "commitment": COMMITMENT }])).await
    }

    /// The version of its program, and whether it is up to date, in its own words where it is not.
    pub(crate) async fn health(&self) -> Result<(String, Option<String>)> {
        let version: Version = self.ask("getVersion", json!([])).await?;
        let version = version.core.as_deref().unwrap_or("unknown");
        let version = version.chars().filter(char::is_ascii_graphic).take(20).collect();
        let behind = match self.rpc.ask("getHealth", json!([])).await {
            Ok(_) => None,
            Err(Trouble::Refused(refusal)) => Some(refusal.to_string()),
            Err(Trouble::Failed(error)) => return Err(error),
        };
        Ok((version, behind))
    }
}

pub(super) fn listed(line: &Line) -> Option<Listed> {
    Some(Listed {
        id: Signature::of_text(&line.signature)?,
        failed: line.err.is_some(),
        is_final: line.confirmation_status.as_deref() == Some("finalized"),
    })
}

pub(super) fn bytes_of(whole: &Whole) -> Option<Vec<u8>> {
    STANDARD.decode(&whole.transaction.0).ok()
}

pub(super) fn stored(found: &Found, start: &[u8]) -> Option<Stored> {
    let data = STANDARD.decode(&found.account.data.0).ok()?;
    let is_asked_for = data.starts_with(start)
        && data.len() <= HEAD + MAX_VALUE
        && Key::of_text(&found.account.owner)? == STORE_PROGRAM;
    let space = found.account.space.unwrap_or(u64::try_from(data.len()).ok()?);
    is_asked_for.then_some(Stored { key: Key::of_text(&found.pubkey)?, data, space })
}
