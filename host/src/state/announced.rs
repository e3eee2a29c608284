use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::{Endpoint, Receipt};
use serde::{Deserialize, Serialize};

use super::Owner;
use crate::error::Error;

/// One announcement of this machine: what it says, and how it stands where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Announced {
    #[serde(flatten)]
    pub(crate) key: Key,
    /// The longest lifetime that was asked for, in seconds.
    pub(crate) ttl_s: u32,
    /// What the node says about itself besides.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    /// By backend.
    pub(crate) backends: BTreeMap<String, Placement>,
}

/// What is announced where: announcing the same again renews it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) network: String,
    pub(crate) port: Option<u16>,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// How an announcement stands with one backend. It is *wanted* there, by its owners or, after `--once`, until it expires; or it is *over*, and stays
/// in the journal for as long as the medium may have it, so that it can be taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Placement {
    /// Who keeps it alive there; nobody after `--once`.
    pub(super) owners: Vec<Owner>,
    /// Nobody wants it there any more: it is not signed for again, and only waits for `bitboot withdraw`.
    pub(super) over: bool,
    /// The backend was told, and nobody knows what came of it: the answer is still to come, or whoever waited for it has died.
    pub(super) pending: bool,
    pub(crate) stored: u32,
    pub(crate) asked: u32,
    /// When the medium forgets it, in seconds since 1970; none where it never expires.
    pub(crate) expires: Option<u64>,
    /// The last failure, if the last try failed.
    pub(crate) error: Option<String>,
    /// When it was told first, in seconds since 1970.
    pub(super) since: u64,
}

/// For so long, in seconds, `bitboot status` tells of an announcement that failed.
const REMEMBERED: u64 = 60;

/// The longest failure that is kept, in characters: a plugin writes it, and whoever reads the journal has to read all of it.
const LONGEST: usize = 500;

impl Announced {
    /// An announcement that some backends are to be told now.
    pub(crate) fn new(
        key: Key,
        ttl: Duration,
        metadata: BTreeMap<String, String>,
        backends: impl IntoIterator<Item = String>,
    ) -> Self {
        let now = now();
        let expires = Some(now.saturating_add(ttl.as_secs()));
        let told = Placement { pending: true, expires, since: now, ..Placement::default() };
        let backends = backends.into_iter().map(|backend| (backend, told.clone())).collect();
        Self { key, ttl_s: u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX), metadata, backends }
    }

    /// Takes over what was announced of the same key before: elsewhere it stays as it is, and there it is not forgotten before its time.
    pub(super) fn follow(&mut self, before: Self) {
        self.ttl_s = self.ttl_s.max(before.ttl_s);
        for (backend, before) in before.backends {
            match self.backends.get_mut(&backend) {
                Some(placement) => placement.follow(before),
                None => {
                    self.backends.insert(backend, before);
                }
            }
        }
    }

    /// Whether it is announced by a backend now, and wanted there. What a process kept that has died is not: the peer died with it.
    pub(crate) fn is_live_on(&self, backend: &str) -> bool {
        let placement = self.backends.get(backend).filter(|placement| !placement.over);
        placement.is_some_and(|placement| placement.is_kept() || placement.lives_at(now()))
    }
}

impl Placement {
    fn follow(&mut self, before: Self) {
        if before.lives_at(now()) {
            self.expires = before.expires.max(self.expires).filter(|_| before.expires.is_some());
            (self.stored, self.asked) = (before.stored, before.asked);
        }
        self.owners = before.owners;
    }

    /// The process that keeps it alive.
    pub(crate) fn kept_by(&self) -> Option<u32> {
        self.owners.first().map(|owner| owner.pid)
    }

    pub(super) fn is_kept(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Lets go those of its owners that some test fails; it is over with the last of them.
    pub(super) fn retain_owners(&mut self, stays: impl FnMut(&Owner) -> bool) {
        let was_kept = self.is_kept();
        self.owners.retain(stays);
        self.over |= was_kept && !self.is_kept();
    }

    /// Nobody wants it there any more.
    pub(super) fn end(&mut self) {
        self.owners.clear();
        self.over = true;
    }

    /// Notes what the backend answered.
    pub(crate) fn answered(&mut self, receipt: &Receipt) {
        self.pending = false;
        (self.stored, self.asked, self.error) = (receipt.stored, receipt.asked, None);
        self.expires = receipt.expires_in_s.map(|seconds| now().saturating_add(seconds.into()));
    }

    /// Notes that the last try failed. What was stored before is still there; where it is `unknown` what came of it, it may be there.
    pub(crate) fn failed(&mut self, error: &Error, unknown: bool) {
        self.pending &= unknown;
        self.error = Some(error.to_string().chars().take(LONGEST).collect());
    }

    /// Whether the medium may have it.
    fn lives_at(&self, now: u64) -> bool {
        (self.stored > 0 || self.pending) && self.expires.is_none_or(|at| at > now)
    }

    /// Whether it belongs into the journal.
    pub(super) fn stays_at(&self, now: u64) -> bool {
        self.is_kept() || self.lives_at(now) || (!self.over && now.saturating_sub(self.since) < REMEMBERED)
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
