use secrecy::{ExposeSecret, SecretString};

use super::index::IndexLock;
use super::item::{Item, Place};
use super::{KeyRing, Material, StoreName};
use crate::error::{Error, Kind, Result};

/// From store to store. The index says at each moment where a secret can be had: it is copied and read back before the index names the new
/// store, and deleted in the old one after that. What a process that dies in between leaves undone stands in the index as `leaving`.
impl KeyRing {
    /// Moves a secret; the store in which it was.
    pub(crate) fn move_to(&self, item: &Item, store: StoreName) -> Result<StoreName> {
        allowed(item, store)?;
        let from = item.place(&self.index()?)?.store;
        if from != store {
            self.ask_before(item, from, false)?;
            self.ask_before(item, store, true)?;
        }
        let lock = IndexLock::new(&self.paths)?;
        let mut index = lock.read()?;
        let mut place = item.place(&index)?;
        if place.leaving.is_some_and(|old| old != store) {
            self.clear(item, &mut place)?;
        }
        let from = place.store;
        if from != store {
            let secret = self.text(item, from)?;
            let public = public_of(item, &secret)?;
            if place.public.is_some() && place.public != public {
                return Err(super::ring::another(item, from));
            }
            self.put(item, store, &secret)?;
            place = Place { store, leaving: Some(from), public };
            item.note(&mut index, Some(place.clone()));
            lock.write(&index)?;
        }
        if item.place(&index)?.leaving.is_some() {
            self.clear(item, &mut place)?;
            item.note(&mut index, Some(place));
            lock.write(&index)?;
        }
        Ok(from)
    }

    /// Deletes a secret wherever it lies; nobody can bring it back. Whether there was one. A store that does not have it may be a keyring that
    /// is locked: then nothing is forgotten, unless that is wanted.
    pub(crate) fn delete(&self, item: &Item, forget: bool) -> Result<bool> {
        let lock = IndexLock::new(&self.paths)?;
        let mut index = lock.read()?;
        let mut place = item.place(&index)?;
        let home = place.store == StoreName::Home;
        let was_there = match self.store(place.store).and_then(|store| store.delete(&item.id())) {
            Ok(deleted) if deleted || home || place.store == StoreName::Env => deleted,
            _ if forget => false,
            other => {
                let mut error = other.err().unwrap_or_else(|| super::ring::missing(item, place.store));
                let way = error.fix.take().unwrap_or_default();
                return Err(error.fix(format!("{way}; if it is gone for good: the same with --forget")));
            }
        };
        if !forget {
            self.clear(item, &mut place)?;
        }
        self.seeds().remove(&item.id());
        item.note(&mut index, None);
        lock.write(&index)?;
        Ok(was_there || !home)
    }

    /// Puts a secret into a store that has none of this name, or the same, and reads it back.
    pub(super) fn put(&self, item: &Item, store: StoreName, secret: &SecretString) -> Result<()> {
        let (place, id) = (self.store(store)?, item.id());
        match place.get(&id)? {
            // Left by a move that was cut short.
            Some(kept) if kept.expose_secret() == secret.expose_secret() => return Ok(()),
            Some(_) => {
                let what = format!("the store \"{store}\" holds something else under \"{id}\"");
                return Err(Error::new(Kind::Key, what).fix("delete it there, if nobody needs it"));
            }
            None => place.put(&id, secret)?,
        }
        if place.get(&id)?.is_none_or(|kept| kept.expose_secret() != secret.expose_secret()) {
            return Err(Error::new(Kind::Key, format!("the store \"{store}\" did not keep {item}")));
        }
        Ok(())
    }

    /// Deletes what a move has left.
    fn clear(&self, item: &Item, place: &mut Place) -> Result<()> {
        let Some(old) = place.leaving else { return Ok(()) };
        let deleted = self.store(old)?.delete(&item.id())?;
        if !deleted && old == StoreName::Keyring {
            let what = format!(
                "{item} lies in the store \"{}\", and \"{old}\" did not say that it is gone there",
                place.store
            );
            return Err(Error::new(Kind::Key, what)
                .because("the keyring is locked, or it was deleted there by hand")
                .fix(format!(
                    "unlock it, then: bitboot key move {} --store {}; if it was deleted by hand, take `leaving` out of keys.toml",
                    item.words(),
                    place.store
                )));
        }
        place.leaving = None;
        Ok(())
    }
}

/// The public half; the secret of a network has none.
fn public_of(item: &Item, secret: &SecretString) -> Result<Option<String>> {
    if let Item::Network(_) = item {
        return super::home::seed_of(secret).map(|_| None);
    }
    Material::of_text(secret).map(|material| Some(super::index::hex(&material)))
}

fn allowed(item: &Item, store: StoreName) -> Result<()> {
    match (item, store) {
        (_, StoreName::Env) => Err(Error::new(Kind::Key, "the store \"env\" is read only")
            .fix("move it to another one: bitboot key stores")),
        (Item::Key(_), StoreName::Home) => Err(super::ring::unencrypted()),
        _ => Ok(()),
    }
}
