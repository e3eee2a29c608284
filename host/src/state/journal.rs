//! The journal of announcements: a file that all processes of a home read and write, so that whatever one of them announced can be taken back by
//! any other, also when that one was killed.
//!
//! For each announcement and backend there is a placement, see [`Placement`]. It is written before the backend is told and leaves when the backend
//! has taken it back, or when the medium has forgotten it: never because somebody only meant to take it back. So whatever ends a process, what
//! it left on a medium can be taken back by `bitboot withdraw`:
//!
//! - Killed while a backend is told: the placement is pending, and stays for as long as it could live there.
//! - Killed while it keeps it alive: its lock is gone, see [`Owner`], and with the last owner it is over; it stays until it expires.
//! - Killed, or failed, while it takes it back: it is over, and stays until it expires. So does what costs money to take back, until somebody agrees.
//!
//! Several processes keep the same alive, each on its own backends: who ends takes it back where nobody else keeps it.

use super::owner::sweep;
use super::{Alive, Announced, Key, Owner, Placement, now};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    paths: Paths,
}

impl Journal {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone() }
    }

    /// What is announced, wanted or not, wherever a medium may have it.
    pub(crate) fn read(&self) -> Result<Vec<Announced>> {
        self.parse(files::read(&self.paths.announced())?)
    }

    /// Adds an announcement that is about to be made, to what there is of the same key. To be kept alive it gets an owner.
    pub(crate) fn begin(&self, mut announced: Announced, keep: bool) -> Result<Option<Alive>> {
        self.change(|all| {
            let owners = self.paths.owners();
            sweep(&owners);
            let alive = if keep { Some(Alive::new(&owners)?) } else { None };
            let told: Vec<_> = announced.backends.keys().cloned().collect();
            let key = announced.key.clone();
            for same in all.extract_if(.., |other| other.key == key) {
                announced.follow(same);
            }
            for (backend, placement) in &mut announced.backends {
                if told.contains(backend) {
                    placement.owners.extend(alive.as_ref().map(|alive| alive.owner().clone()));
                }
            }
            all.push(announced);
            Ok(alive)
        })
    }

    /// Notes what came of telling a backend, unless it has been taken back there meanwhile.
    pub(crate) fn note(&self, key: &Key, backend: &str, note: impl FnOnce(&mut Placement)) -> Result<()> {
        self.change(|all| {
            let announced = all.iter_mut().find(|announced| announced.key == *key);
            if let Some(placement) = announced.and_then(|announced| announced.backends.get_mut(backend)) {
                note(placement);
            }
            Ok(())
        })
    }

    /// Whether an owner is still wanted to keep a key alive.
    pub(crate) fn keeps(&self, key: &Key, owner: &Owner) -> Result<bool> {
        let all = self.read()?;
        let mut placements =
            all.iter().filter(|other| other.key == *key).flat_map(|other| other.backends.values());
        Ok(placements.any(|placement| placement.owners.contains(owner)))
    }

    /// Ends one owner's part in the announcement of a key on some backends; those where it is over now, because nobody else keeps it alive.
    pub(crate) fn end(&self, key: &Key, owner: Option<&Owner>, backends: &[String]) -> Result<Vec<String>> {
        self.change(|all| {
            let mut over = backends.to_vec();
            let Some(announced) = all.iter_mut().find(|announced| announced.key == *key) else {
                return Ok(over);
            };
            over.retain(|backend| {
                // Where it was taken back already, saying so again does no harm.
                let Some(placement) = announced.backends.get_mut(backend) else { return true };
                placement.owners.retain(|other| Some(other) != owner);
                if !placement.is_kept() {
                    placement.end();
                }
                placement.over
            });
            Ok(over)
        })
    }

    /// Ends all that is announced in a network, whoever keeps it alive; what it is.
    pub(crate) fn end_all(&self, network: &str) -> Result<Vec<Announced>> {
        self.change(|all| {
            let mut ours =
                all.iter_mut().filter(|announced| announced.key.network == network).collect::<Vec<_>>();
            ours.iter_mut().flat_map(|announced| announced.backends.values_mut()).for_each(Placement::end);
            Ok(ours.into_iter().map(|announced| announced.clone()).collect())
        })
    }

    /// Notes that a backend has taken an announcement back; nothing where it was announced again meanwhile.
    pub(crate) fn forget(&self, key: &Key, backend: &str) -> Result<()> {
        self.change(|all| {
            for announced in all.iter_mut().filter(|announced| announced.key == *key) {
                announced.backends.retain(|name, placement| name != backend || !placement.over);
            }
            Ok(())
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Announced>) -> Result<T>) -> Result<T> {
        let file = Locked::new(self.paths.announced())?;
        let mut all = self.parse(file.read()?)?;
        let changed = change(&mut all)?;
        all.retain(|announced| !announced.backends.is_empty());
        let text = serde_json::to_vec_pretty(&all)
            .map_err(|error| Error::new(Kind::Other, "cannot write the journal").because(error))?;
        if text.len() as u64 > files::MAX_READ {
            let path = self.paths.announced();
            return Err(Error::new(Kind::Other, format!("{} would be larger than 4 MiB", path.display()))
                .fix("announce less at once, or take something back: bitboot withdraw NETWORK"));
        }
        file.replace(&text)?;
        Ok(changed)
    }

    /// Owners of an announcement as a whole, which older files have, are passed over: what they announced is left to expire.
    fn parse(&self, text: Option<String>) -> Result<Vec<Announced>> {
        let Some(text) = text else { return Ok(Vec::new()) };
        let mut all: Vec<Announced> = serde_json::from_str(&text).map_err(|error| {
            let path = self.paths.announced();
            Error::new(Kind::Config, format!("{} cannot be read", path.display()))
                .because(error)
                .fix("it only tells `status` and `withdraw` what is announced: remove it")
        })?;
        let (now, owners) = (now(), self.paths.owners());
        for announced in &mut all {
            announced.backends.retain(|_, placement| {
                placement.retain_owners(|owner| owner.runs(&owners));
                placement.stays_at(now)
            });
        }
        all.retain(|announced| !announced.backends.is_empty());
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use bitboot_plugin_api::Receipt;

    use super::*;

    fn home() -> (tempfile::TempDir, Journal) {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(&Paths::inside(home.path()));
        (home, journal)
    }

    fn announced(network: &str, backends: &[&str]) -> Announced {
        let key = Key { network: network.into(), port: Some(1), endpoints: Vec::new() };
        let backends = backends.iter().map(|&backend| backend.to_owned());
        Announced::new(key, Duration::from_secs(600), BTreeMap::new(), backends)
    }

    fn stored(journal: &Journal, key: &Key, backend: &str) {
        journal.note(key, backend, |placement| placement.answered(&receipt())).unwrap();
    }

    fn receipt() -> Receipt {
        let mut receipt = Receipt::new(8, 8);
        receipt.expires_in_s = Some(600);
        receipt
    }

    fn backends(journal: &Journal) -> Vec<String> {
        journal.read().unwrap().into_iter().flat_map(|announced| announced.backends.into_keys()).collect()
    }

    fn lab(journal: &Journal) -> Placement {
        journal.read().unwrap().remove(0).backends.remove("lab").unwrap()
    }

    #[test]
    fn what_is_announced_is_there_until_it_is_taken_back() {
        let (_home, journal) = home();
        for network in ["a", "a", "b"] {
            assert!(journal.begin(announced(network, &["lab"]), false).unwrap().is_none());
        }
        let a = announced("a", &[]).key;
        stored(&journal, &a, "lab");
        assert_eq!(journal.read().unwrap().len(), 2);
        // Not before it is really taken back, however often somebody means to.
        for _ in 0..2 {
            assert_eq!(journal.end(&a, None, &["lab".into()]).unwrap(), ["lab"]);
            assert_eq!(journal.end_all("a").unwrap().len(), 1);
            assert!(
                journal
                    .read()
                    .unwrap()
                    .iter()
                    .any(|announced| announced.key == a && !announced.is_live_on("lab"))
            );
        }
        journal.forget(&a, "lab").unwrap();
        stored(&journal, &a, "lab");
        assert!(journal.read().unwrap().iter().all(|announced| announced.key.network == "b"));
        // What is wanted again is not forgotten by whoever took it back before.
        journal.forget(&announced("b", &[]).key, "lab").unwrap();
        assert_eq!(backends(&journal), ["lab"]);
    }

    #[test]
    fn the_same_on_another_backend_leaves_the_first_as_it_is() {
        let (_home, journal) = home();
        let key = announced("a", &[]).key;
        let first = journal.begin(announced("a", &["one"]), true).unwrap().unwrap();
        let second = journal.begin(announced("a", &["other"]), true).unwrap().unwrap();
        assert_eq!(backends(&journal), ["one", "other"]);
        assert_eq!(journal.end(&key, Some(first.owner()), &["one".into()]).unwrap(), ["one"]);
        assert!(journal.keeps(&key, second.owner()).unwrap() && !journal.keeps(&key, first.owner()).unwrap());
        assert_eq!(journal.end(&key, Some(second.owner()), &["other".into()]).unwrap(), ["other"]);
    }

    #[test]
    fn it_is_over_when_the_last_who_keeps_it_ends_or_dies() {
        let (_home, journal) = home();
        let key = announced("a", &[]).key;
        let [first, second] =
            [(); 2].map(|()| journal.begin(announced("a", &["lab"]), true).unwrap().unwrap());
        stored(&journal, &key, "lab");
        assert!(journal.end(&key, Some(first.owner()), &["lab".into()]).unwrap().is_empty());
        assert!(journal.read().unwrap()[0].is_live_on("lab"));
        // As after a kill: it can still be taken back, and is not said any more.
        drop(second);
        assert_eq!((lab(&journal).kept_by(), journal.read().unwrap()[0].is_live_on("lab")), (None, false));
        assert_eq!(journal.end_all("a").unwrap().len(), 1);
    }

    #[test]
    fn a_failure_forgets_nothing() {
        let (_home, journal) = home();
        let key = announced("a", &[]).key;
        let alive = journal.begin(announced("a", &["lab"]), true).unwrap().unwrap();
        let long = Error::new(Kind::Other, "\u{1}".repeat(1 << 20));
        let fails = || journal.note(&key, "lab", |placement| placement.failed(&long, false)).unwrap();
        // Not even one that has never been stored, while somebody keeps it.
        fails();
        journal.note(&key, "lab", |placement| (placement.since, placement.expires) = (0, Some(1))).unwrap();
        assert!(journal.keeps(&key, alive.owner()).unwrap());
        stored(&journal, &key, "lab");
        fails();
        drop(alive);
        let left = lab(&journal);
        assert!(left.stored == 8 && left.expires.is_some());
        assert_eq!(left.error.map(|error| error.chars().count()), Some(500));
    }

    #[test]
    fn what_may_have_been_told_is_not_forgotten() {
        let (_home, journal) = home();
        let key = announced("a", &[]).key;
        journal.begin(announced("a", &["lab"]), false).unwrap();
        let error = Error::new(Kind::Unreachable, "no answer");
        for (unknown, is_there) in [(true, true), (false, false)] {
            journal.note(&key, "lab", |placement| placement.failed(&error, unknown)).unwrap();
            journal.end_all("a").unwrap();
            assert_eq!(!journal.read().unwrap().is_empty(), is_there);
        }
    }

    #[test]
    fn older_entries_are_those_that_nobody_keeps() {
        let (home, journal) = home();
        let old = r#"[{ "network": "a", "port": 1, "endpoints": [], "ttl_s": 600, "owners": [{ "pid": 1, "birth": null }], "since": 1,
            "backends": { "lab": { "stored": 1, "asked": 1, "expires": 99999999999, "error": null } } }]"#;
        files::replace(&Paths::inside(home.path()).announced(), old.as_bytes()).unwrap();
        assert_eq!((lab(&journal).kept_by(), lab(&journal).stored), (None, 1));
    }

    #[test]
    fn junk_is_told_and_not_overwritten() {
        let (home, journal) = home();
        let file = Paths::inside(home.path()).announced();
        files::replace(&file, b"junk").unwrap();
        assert!(journal.begin(announced("a", &["lab"]), false).is_err());
        assert_eq!(std::fs::read(file).unwrap(), b"junk");
    }
}
