//! The lines about what is there: registered, announced, found out.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bitboot_plugin_api::{Caps, Health, Quote};
use schemars::JsonSchema;
use serde::Serialize;

use super::line::{millis, timestamp};

/// Something that this machine announces.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AnnouncedLine {
    pub(crate) network: String,
    /// What is announced: endpoints, or `*:PORT` for a port of this machine.
    pub(crate) what: Vec<String>,
    pub(crate) backend: String,
    /// How many places acknowledged it.
    pub(crate) stored: u32,
    /// When the medium forgets it, RFC 3339.
    pub(crate) expires: Option<String>,
    /// The process that keeps it alive; null where none does.
    pub(crate) kept_by: Option<u32>,
    /// The last failure, if the last try failed.
    pub(crate) error: Option<String>,
}

/// The key that this node signs with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IdentityLine {
    /// Its public half, 64 hexadecimal digits (ed25519).
    pub(crate) public_key: String,
    /// Where the private half is kept: `home`, `keyring`, `file` or `helper`.
    pub(crate) store: String,
}

/// What was spent today (UTC).
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SpentLine {
    pub(crate) key: String,
    pub(crate) backend: String,
    /// What was signed away today, amount and unit.
    pub(crate) spent: String,
    /// The most that may be spent in a day; null where the policy has changed since.
    pub(crate) per_day: Option<String>,
}

/// A registered network.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NetworkLine {
    pub(crate) network: String,
    /// Where backends store and find its peers, hexadecimal; null for a secret network, which lies elsewhere each hour.
    pub(crate) locator: Option<String>,
    /// Found and read by those only who have its secret.
    pub(crate) secret: bool,
    /// Where its secret is kept: `home`, `keyring`, `file` or `helper`; null for an open network.
    pub(crate) secret_store: Option<String>,
    /// Its own backends; none for the default ones.
    pub(crate) backends: Vec<String>,
    /// Why its entry is invalid; null where it is valid.
    pub(crate) invalid: Option<String>,
}

/// A registered backend.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct BackendLine {
    pub(crate) backend: String,
    pub(crate) plugin: String,
    /// `enabled`, `disabled` or `invalid`.
    pub(crate) state: String,
    /// Used for networks that name no backends of their own.
    pub(crate) default: bool,
    /// Where its entry stands: `shipped`, `shipped, changed` or `user`.
    pub(crate) origin: String,
    pub(crate) summary: String,
    /// What the user has set, and what the plugin's kind can be set to; with `backend info` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<serde_json::Value>,
    /// The settings that environment variables give, each with its variable; with `backend info` only. What they hold is not shown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) config_from: BTreeMap<String, String>,
    /// The variables that may give settings that the user has not set; with `backend info` only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) env: BTreeMap<String, Vec<String>>,
    /// JSON schema of the config; with `backend info` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<serde_json::Value>,
    /// What the medium can do and costs; with `backend info` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub(crate) caps: Option<Caps>,
    /// What only this kind can do, with a sentence each; with `backend info` only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) actions: BTreeMap<String, String>,
    /// How the medium is; with `backend info --online` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Box<HealthLine>>,
}

/// How a medium is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HealthLine {
    pub(crate) backend: String,
    pub(crate) reachable: bool,
    /// One sentence: what is well, or the likely cause when it is not.
    pub(crate) summary: String,
    /// What the medium tells, by name; its words may change.
    pub(crate) facts: BTreeMap<String, String>,
    /// What the medium counts, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) figures: BTreeMap<String, u64>,
    /// The likely cause in a word, such as `dns-failed`, where the medium does not answer and the backend can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// What helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
    /// Milliseconds.
    pub(crate) took_ms: u64,
}

impl HealthLine {
    pub(crate) fn new(backend: &str, health: Health, took: Duration) -> Self {
        let Health { reachable, summary, facts, figures, cause, fix, .. } = health;
        Self {
            backend: backend.into(),
            reachable,
            summary,
            facts,
            figures,
            cause,
            fix,
            took_ms: millis(took),
        }
    }

    /// The facts as a list for a person.
    pub(crate) fn told(&self) -> String {
        let facts: Vec<_> = self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        facts.join(", ")
    }
}

/// A registered plugin.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PluginLine {
    pub(crate) plugin: String,
    pub(crate) version: String,
    /// `enabled`, `disabled`, `put aside`, `missing`, `broken` or `invalid`.
    pub(crate) state: String,
    /// Where its code runs: `process` or `in-process`.
    pub(crate) isolation: String,
    /// The kinds of backend that it offers.
    pub(crate) kinds: Vec<String>,
    pub(crate) summary: String,
    /// Its library.
    pub(crate) library: Option<String>,
    /// Why it cannot be used; null where it can.
    pub(crate) problem: Option<String>,
    /// `shipped`, `dev`, `signed` or `unsigned`.
    pub(crate) origin: String,
    /// The key that signed it; null where nobody did.
    pub(crate) key: Option<String>,
    /// The SHA-256 that its library has to have; null where none is known.
    pub(crate) sha256: Option<String>,
    /// Where it was installed from; null for what was not.
    pub(crate) source: Option<String>,
    /// `plugin upgrade` leaves it as it is.
    pub(crate) pinned: bool,
    /// The versions of it that are installed side by side.
    pub(crate) versions: Vec<String>,
    /// What it asks for, in words.
    pub(crate) asks: Vec<String>,
}

/// A result of an action.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OutputLine {
    #[serde(flatten)]
    pub(crate) fields: serde_json::Map<String, serde_json::Value>,
}

/// What an announcement or an action would cost.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuoteLine {
    /// The network that is announced in; null for an action.
    pub(crate) network: Option<String>,
    /// The action; null for an announcement.
    pub(crate) action: Option<String>,
    pub(crate) backend: String,
    /// The most that it costs; null where it is free.
    pub(crate) fee: Option<String>,
    /// How many signatures it takes; no more are given.
    pub(crate) signatures: u32,
    /// What is written where.
    pub(crate) writes: String,
    /// Seconds until it is final; null where nobody knows.
    pub(crate) final_in_s: Option<u32>,
    /// Seconds that it lasts; null for ever.
    pub(crate) lasts_s: Option<u32>,
    /// Who can read it.
    pub(crate) readers: String,
    /// What is spent is worth nothing.
    pub(crate) test_network: bool,
}

impl QuoteLine {
    pub(crate) fn new(network: Option<&str>, action: Option<&str>, backend: &str, quote: Quote) -> Self {
        let Quote { fee, signatures, writes, final_in_s, lasts_s, readers, test_network, .. } = quote;
        Self {
            signatures: signatures.unwrap_or(u32::from(fee.is_some())),
            network: network.map(Into::into),
            action: action.map(Into::into),
            backend: backend.into(),
            fee,
            writes,
            final_in_s,
            lasts_s,
            readers,
            test_network,
        }
    }

    /// The network or the action.
    pub(super) fn what(&self) -> &str {
        self.network.as_deref().or(self.action.as_deref()).unwrap_or_default()
    }

    /// For a person who has to decide.
    pub(crate) fn sentence(&self) -> String {
        let seconds = |seconds: Option<u32>, none: &str| {
            seconds.map_or_else(|| none.into(), |seconds| format!("{seconds} s"))
        };
        format!(
            "\"{}\" on \"{}\" costs at most {}{}{}: {}; final in {}, lasts {}; {}",
            self.what(),
            self.backend,
            self.fee.as_deref().unwrap_or("nothing"),
            if self.test_network { " (worth nothing)" } else { "" },
            if self.signatures > 1 {
                format!(", signed up to {} times", self.signatures)
            } else {
                String::new()
            },
            self.writes,
            seconds(self.final_in_s, "a time that nobody knows"),
            seconds(self.lasts_s, "for ever"),
            self.readers,
        )
    }
}

/// A key, without its private half.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyLine {
    pub(crate) key: String,
    /// `secp256k1`, `ed25519` or `rsa4096`.
    pub(crate) kind: String,
    /// Where the private half is kept: `keyring`, `file`, `env` or `helper`; for the key `node` also `home`.
    pub(crate) store: String,
    /// Used where a backend names no key of its own.
    pub(crate) default: bool,
    /// Hexadecimal: 33 bytes (compressed, SEC 1), 32 bytes, or a modulus of 512 bytes.
    pub(crate) public_key: String,
    /// Which backends may use it, each with its limits, in words.
    pub(crate) grants: Vec<String>,
    /// What was spent with it today (UTC).
    pub(crate) spent_today: Vec<SpentLine>,
}

impl AnnouncedLine {
    pub(crate) fn expiry(seconds: Option<u64>) -> Option<String> {
        seconds
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .map(timestamp)
    }
}
