use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::Endpoint;
use serde::{Deserialize, Serialize};

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
    /// The process that keeps it alive; none after `--once`.
    pub(crate) pid: Option<u32>,
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

    /// Adds an announcement, in the place of one of the same key.
    pub(crate) fn begin(&self, announced: Announced) -> Result<()> {
        self.change(|all| {
            all.retain(|other| other.key != announced.key);
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

    /// Removes the announcement of a key, if it is that of a process.
    pub(crate) fn end(&self, key: &Key, pid: Option<u32>) -> Result<()> {
        self.change(|all| all.retain(|announced| announced.key != *key || announced.pid != pid))
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
    /// Whether the process that keeps it alive runs. Where that cannot be told it is believed.
    pub(crate) fn is_kept(&self) -> bool {
        match self.pid {
            None => false,
            Some(pid) if cfg!(target_os = "linux") => std::path::Path::new(&format!("/proc/{pid}")).exists(),
            Some(_) => self.lives_at(now()),
        }
    }

    fn lives_at(&self, now: u64) -> bool {
        // Young enough to be under way, or not expired everywhere.
        now.saturating_sub(self.since) < 60 || self.backends.values().any(|placement| placement.lives_at(now))
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
        Announced { key, ttl_s: 60, pid: None, since: now(), backends: BTreeMap::new() }
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
        journal.end(&a, Some(7)).unwrap();
        assert!(journal.has(&a).unwrap());
        journal.end(&a, None).unwrap();
        assert!(!journal.note(&a, "lab", Placement::default()).unwrap());
        assert_eq!(journal.read().unwrap(), [announced("b")]);
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
