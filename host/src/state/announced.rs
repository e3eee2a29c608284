use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::Endpoint;
use serde::{Deserialize, Serialize};

use super::Owner;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

/// One announcement of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Announced {
    #[serde(flatten)]
    pub(crate) key: Key,
    /// The lifetime that was asked for, in seconds.
    pub(crate) ttl_s: u32,
    /// What the node says about itself besides.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    /// The processes that keep it alive; none after `--once`.
    #[serde(default)]
    pub(crate) owners: Vec<Owner>,
    /// Seconds since 1970.
    pub(crate) since: u64,
    pub(crate) backends: BTreeMap<String, Placement>,
}

/// What is announced where: announcing the same again renews it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) network: String,
    pub(crate) port: Option<u16>,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// How an announcement stands with one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placement {
    pub(crate) stored: u32,
    pub(crate) asked: u32,
    /// Seconds since 1970; none where it never expires or was never stored.
    pub(crate) expires: Option<u64>,
    /// The last failure, if the last try failed.
    pub(crate) error: Option<String>,
}

impl Placement {
    fn lives_at(&self, now: u64) -> bool {
        self.stored > 0 && self.expires.is_none_or(|at| at > now)
    }
}

/// An announcement that is younger, in seconds, may not have been answered yet.
const UNDER_WAY: u64 = 60;

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    paths: Paths,
}

impl Journal {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone() }
    }

    /// What is announced and has not expired everywhere.
    pub(crate) fn read(&self) -> Result<Vec<Announced>> {
        self.parse(files::read(&self.paths.announced())?)
    }

    /// Adds an announcement, in the place of one of the same key; whoever keeps that alive keeps this one.
    pub(crate) fn begin(&self, mut announced: Announced) -> Result<()> {
        self.change(|all| {
            for same in all.extract_if(.., |other| other.key == announced.key) {
                announced.owners.extend(same.owners.into_iter().filter(|owner| owner.runs() != Some(false)));
            }
            all.push(announced);
        })
    }

    /// Notes what a backend answered; `false` when the announcement was withdrawn meanwhile.
    pub(crate) fn note(&self, key: &Key, backend: &str, placement: Placement) -> Result<bool> {
        let mut is_there = false;
        self.change(|all| {
            if let Some(announced) = all.iter_mut().find(|announced| announced.key == *key) {
                announced.backends.insert(backend.to_owned(), placement);
                is_there = true;
            }
        })?;
        Ok(is_there)
    }

    /// Whether an announcement of a key is still wanted.
    pub(crate) fn has(&self, key: &Key) -> Result<bool> {
        Ok(self.read()?.iter().any(|announced| announced.key == *key))
    }

    /// Ends one process' part in the announcement of a key; whether it is over now, because no other process keeps it alive.
    pub(crate) fn end(&self, key: &Key, owner: &Owner) -> Result<bool> {
        let mut is_over = true;
        self.change(|all| {
            all.retain_mut(|announced| {
                if announced.key != *key {
                    return true;
                }
                announced.owners.retain(|other| other != owner);
                is_over = !announced.is_kept();
                !is_over
            });
        })?;
        Ok(is_over)
    }

    /// Removes the announcement of a key, whoever keeps it alive.
    pub(crate) fn remove(&self, key: &Key) -> Result<()> {
        self.change(|all| all.retain(|announced| announced.key != *key))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Announced>)) -> Result<()> {
        let file = Locked::new(self.paths.announced())?;
        let mut all = self.parse(file.read()?)?;
        change(&mut all);
        let text = serde_json::to_vec_pretty(&all)
            .map_err(|error| Error::new(Kind::Other, "cannot write the journal").because(error))?;
        file.replace(&text)
    }

    fn parse(&self, text: Option<String>) -> Result<Vec<Announced>> {
        let Some(text) = text else { return Ok(Vec::new()) };
        let mut all: Vec<Announced> = serde_json::from_str(&text).map_err(|error| {
            let path = self.paths.announced();
            Error::new(Kind::Config, format!("{} cannot be read", path.display()))
                .because(error)
                .fix("it only tells `status` and `withdraw` what is announced: remove it")
        })?;
        let now = now();
        all.retain(|announced| announced.is_kept() || announced.lives_at(now));
        Ok(all)
    }
}

impl Announced {
    /// The process that keeps it alive. Where the system does not tell whether it runs it is believed for as long as the announcement lives.
    pub(crate) fn kept_by(&self) -> Option<u32> {
        let runs = |owner: &&Owner| owner.runs().unwrap_or_else(|| self.lives_at(now()));
        self.owners.iter().find(runs).map(|owner| owner.pid)
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.kept_by().is_some()
    }

    /// Whether it is announced by a backend now. What a process kept that has died is not: the peer died with it.
    pub(crate) fn is_live_on(&self, backend: &str) -> bool {
        let Some(placement) = self.backends.get(backend) else { return false };
        let under_way = now().saturating_sub(self.since) < UNDER_WAY && placement.error.is_none();
        self.is_kept() || (self.owners.is_empty() && (under_way || placement.lives_at(now())))
    }

    fn lives_at(&self, now: u64) -> bool {
        // Young enough to be under way, or not expired everywhere.
        now.saturating_sub(self.since) < UNDER_WAY
            || self.backends.values().any(|placement| placement.lives_at(now))
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(network: &str) -> Announced {
        let key = Key { network: network.into(), port: Some(1), endpoints: Vec::new() };
        Announced {
            key,
            ttl_s: 60,
            metadata: BTreeMap::new(),
            owners: Vec::new(),
            since: now(),
            backends: BTreeMap::new(),
        }
    }

    #[test]
    fn what_is_announced_is_there_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(&Paths::inside(home.path()));
        journal.begin(announced("a")).unwrap();
        journal.begin(announced("a")).unwrap();
        journal.begin(announced("b")).unwrap();
        let a = announced("a").key;
        assert!(journal.note(&a, "lab", Placement { stored: 8, ..Placement::default() }).unwrap());
        assert_eq!(journal.read().unwrap().len(), 2);
        assert!(journal.end(&a, &Owner::this()).unwrap());
        assert!(!journal.has(&a).unwrap() && !journal.note(&a, "lab", Placement::default()).unwrap());
        assert_eq!(journal.read().unwrap(), [announced("b")]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_announcement_is_over_when_nobody_keeps_it() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(&Paths::inside(home.path()));
        // Two processes keep the same; the test plays one, the first process of the system the other.
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Owner::of(child.id());
        let (this, key) = (Owner::this(), announced("a").key);
        for owner in [&this, &other] {
            journal.begin(Announced { owners: vec![owner.clone()], ..announced("a") }).unwrap();
        }
        assert!(!journal.end(&key, &this).unwrap() && journal.has(&key).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!journal.read().unwrap()[0].is_kept());
        assert!(journal.end(&key, &other).unwrap() && !journal.has(&key).unwrap());
    }

    #[test]
    fn junk_is_told_and_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::inside(home.path());
        files::replace(&paths.announced(), b"junk").unwrap();
        assert!(Journal::new(&paths).begin(announced("a")).is_err());
        assert_eq!(std::fs::read(paths.announced()).unwrap(), b"junk");
    }
}
