//! The lines of `--json`. Additive within `v`: a field may come, none changes or goes.

use std::time::{Duration, SystemTime};

use bitboot_plugin_api::Receipt;
use schemars::JsonSchema;
use serde::Serialize;

use super::checked::{CheckedLine, ConfinementLine, FindingLine};
use super::listed::{
    AnnouncedLine, BackendLine, HealthLine, IdentityLine, KeyLine, NetworkLine, OutputLine, PluginLine,
    QuoteLine, SpentLine,
};
use super::packages::{ChangeLine, IndexLine, MadeLine, OfferLine, PublisherLine};
use super::tested::{ClauseLine, TestedLine};
use crate::discovery::Peer;
use crate::error::Error;
use crate::network::{Metadata, conceal};

/// The version of the lines.
const VERSION: u8 = 1;

/// One line of `--json`: `{"v":1,"type":...}` and the fields of its type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Line {
    /// `lookup`: a peer, the moment the first backend found it.
    Peer(PeerLine),
    /// `lookup`: a peer that was told before, seen by one more backend.
    PeerConfirmed(PeerLine),
    /// `lookup --watch`, `join`: a peer came.
    PeerAdded(PeerLine),
    /// `lookup --watch`, `join`: a peer is gone.
    PeerExpired(PeerLine),
    /// `announce`, `withdraw`: what a backend answered.
    Receipt(ReceiptLine),
    /// A backend could not; the others go on.
    BackendError(ErrorLine),
    /// The command could not.
    Error(ErrorLine),
    /// The last line of `announce`, `lookup`, `join` and `withdraw`.
    Summary(SummaryLine),
    /// `status`: the key that this node signs with.
    Identity(IdentityLine),
    /// `status`: what was spent today with a key on a backend.
    Spent(SpentLine),
    /// `status`: something that this machine announces.
    Announced(AnnouncedLine),
    /// `network`: a registered network.
    Network(NetworkLine),
    /// `backend`: a registered backend.
    Backend(BackendLine),
    /// `backend ping`: how a medium is.
    Health(HealthLine),
    /// `plugin`: a registered plugin.
    Plugin(PluginLine),
    /// `plugin search`, `plugin outdated`: a release that an index offers.
    Offer(OfferLine),
    /// `plugin install`, `plugin upgrade`, `plugin rollback`: what was changed.
    Change(ChangeLine),
    /// `trust`: a publisher.
    Publisher(PublisherLine),
    /// `index`: a known index.
    Index(IndexLine),
    /// `plugin pack`, `plugin sign`, `index build`: a file that was made.
    Made(MadeLine),
    /// `plugin test`: what became of a clause of the contract.
    Clause(ClauseLine),
    /// `plugin test`: what became of a kind of backend, after its last clause.
    Tested(TestedLine),
    /// `backend run`, `testnet`: a result of an action; its fields are the action's.
    Output(OutputLine),
    /// `announce`, `withdraw`, `backend run` with `--dry-run`: what it would cost.
    Quote(QuoteLine),
    /// `key`: a key, without its private half.
    Key(KeyLine),
    /// `doctor`: a registered plugin, opened.
    Checked(CheckedLine),
    /// `doctor`: what confines the process of a plugin.
    Confinement(ConfinementLine),
    /// `doctor`, `key stores`, `plugin verify`: a finding.
    Finding(FindingLine),
}

#[derive(Serialize, JsonSchema)]
struct Versioned<'a> {
    /// The version of the lines.
    v: u8,
    #[serde(flatten)]
    line: &'a Line,
}

impl Line {
    pub(super) fn to_json(&self) -> String {
        // Every line is a map of strings to plain values: it cannot fail to be written.
        serde_json::to_string(&Versioned { v: VERSION, line: self }).unwrap_or_default()
    }
}

/// The JSON schema of a line.
pub(crate) fn schema() -> serde_json::Value {
    schemars::schema_for!(Versioned<'static>).to_value()
}

/// A peer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PeerLine {
    /// The network that was looked up.
    pub(crate) network: String,
    /// `HOST:PORT`, IPv6 in brackets.
    pub(crate) peer: String,
    /// Who saw it, so far.
    pub(crate) backends: Vec<String>,
    /// The public key of the node that signed for it, 64 hexadecimal digits, or, on media where a record has no room, of the medium's key that
    /// wrote it; null where nobody did.
    pub(crate) signed_by: Option<String>,
    /// The signature is of that key and for this network.
    pub(crate) verified: bool,
    /// What the node says about itself.
    pub(crate) meta: Metadata,
    /// When it was first seen, RFC 3339.
    pub(crate) seen: String,
    /// When the medium forgets it, RFC 3339; null where it does not tell.
    pub(crate) expires: Option<String>,
}

impl PeerLine {
    pub(crate) fn new(network: &str, peer: &Peer) -> Self {
        Self {
            network: network.into(),
            peer: peer.endpoint.to_string(),
            backends: peer.backends.clone(),
            signed_by: peer.signed_by.as_ref().map(ToString::to_string),
            verified: peer.signed_by.is_some(),
            meta: peer.metadata.clone(),
            seen: timestamp(peer.seen),
            expires: peer.expires.map(timestamp),
        }
    }
}

/// What a backend answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReceiptLine {
    /// `announce` or `withdraw`.
    pub(crate) op: &'static str,
    pub(crate) network: String,
    pub(crate) backend: String,
    /// How many places acknowledged it.
    pub(crate) stored: u32,
    /// How many places were asked.
    pub(crate) asked: u32,
    /// When the medium forgets it, RFC 3339; null where it never does.
    pub(crate) expires: Option<String>,
    /// What it cost; null where it was free.
    pub(crate) fee: Option<String>,
    /// Sentences for the user.
    pub(crate) notes: Vec<String>,
    /// Milliseconds.
    pub(crate) took_ms: u64,
}

impl ReceiptLine {
    pub(crate) fn new(
        op: &'static str,
        network: &str,
        backend: &str,
        receipt: Receipt,
        took: Duration,
    ) -> Self {
        let expires = receipt
            .expires_in_s
            .and_then(|seconds| SystemTime::now().checked_add(Duration::from_secs(seconds.into())));
        Self {
            op,
            network: network.into(),
            backend: backend.into(),
            stored: receipt.stored,
            asked: receipt.asked,
            expires: expires.map(timestamp),
            fee: receipt.fee,
            notes: receipt.notes,
            took_ms: millis(took),
        }
    }
}

/// A failure.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorLine {
    /// The network it was about; null where it was about none.
    pub(crate) network: Option<String>,
    /// The backend that failed; null where the command did.
    pub(crate) backend: Option<String>,
    /// A word for the sort of failure, see `bitboot help exit-codes`.
    pub(crate) code: &'static str,
    /// The check at which it stopped, where there are several of a sort; null elsewhere.
    pub(crate) gate: Option<&'static str>,
    /// What failed.
    pub(crate) error: String,
    /// The cause, where it is known.
    pub(crate) why: Option<String>,
    /// What helps.
    pub(crate) fix: Option<String>,
}

impl ErrorLine {
    pub(crate) fn new(network: Option<&str>, backend: Option<&str>, error: &Error) -> Self {
        Self {
            network: network.map(Into::into),
            backend: backend.map(Into::into),
            code: error.kind.word(),
            gate: error.gate,
            // Results are told as they are; what a failure repeats might be an invite.
            error: conceal(&error.what).into_owned(),
            why: error.why.as_deref().map(|why| conceal(why).into_owned()),
            fix: error.fix.as_deref().map(|fix| conceal(fix).into_owned()),
        }
    }
}

/// How a command ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SummaryLine {
    /// Different peers found, over all networks; for `announce` and `withdraw` 0.
    pub(crate) peers: usize,
    /// Answers of backends, one for each network and backend.
    pub(crate) answered: usize,
    /// Failures of backends.
    pub(crate) failed: usize,
    /// Milliseconds.
    pub(crate) took_ms: u64,
    /// The exit code.
    pub(crate) exit: u8,
}

/// RFC 3339 in UTC, to the second; years that it cannot write are told as the last one that it can.
pub(super) fn timestamp(at: SystemTime) -> String {
    const YEAR_9999: Duration = Duration::from_secs(253_402_300_799);
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(YEAR_9999);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

pub(crate) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
