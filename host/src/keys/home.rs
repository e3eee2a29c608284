use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::index::IndexLock;
use super::item::{Item, Place};
use super::{Index, KeyKind, KeyRing, Material, StoreName};
use crate::error::{Error, Kind, Result};
use crate::network::{Identity, Network, Secret};

/// 32 secret bytes.
pub(super) type Seed = Zeroizing<[u8; 32]>;

/// What the main job works with: the node's key and the secrets of networks. They are born in files of the home and stay there, unless the
/// user moves them into a store.
impl KeyRing {
    /// The node's identity, made when there is none yet.
    pub(crate) fn identity(&self) -> Result<Identity> {
        if let Some(seed) = self.seed(&Item::Node)? {
            return Ok(Identity::new(&seed));
        }
        let _lock = IndexLock::new(&self.paths)?;
        // Another process may have made it meanwhile, or moved it.
        if let Some(seed) = self.seed(&Item::Node)? {
            return Ok(Identity::new(&seed));
        }
        let seed = random()?;
        self.store(StoreName::Home)?.put(&Item::Node.id(), &text_of(KeyKind::Ed25519.word(), &seed))?;
        Ok(Identity::new(&seed))
    }

    /// The public half of the node's identity, if it has one already, and where the other half lies; opens no store.
    pub(crate) fn known_identity(&self) -> Result<Option<(String, Place)>> {
        let place = Item::Node.place(&self.index()?)?;
        if let Some(public) = &place.public {
            return Ok(Some((public.clone(), place)));
        }
        if place.store != StoreName::Home {
            return Err(Error::new(
                Kind::Config,
                "keys.toml does not tell the public half of the node's key",
            )
            .fix("put the line `public` back"));
        }
        let seed = self.seed(&Item::Node)?;
        Ok(seed.map(|seed| (Identity::new(&seed).public().to_string(), place)))
    }

    /// The node's key, for who exports it.
    pub(crate) fn node(&self) -> Result<Material> {
        let seed = self.seed(&Item::Node)?.ok_or_else(no_node)?;
        Material::of_bytes(KeyKind::Ed25519, &*seed)
    }

    /// Gives a node that has no key yet one that it had elsewhere.
    pub(crate) fn restore_node(&self, material: &Material, store: StoreName) -> Result<()> {
        if material.kind() != KeyKind::Ed25519 {
            let what = format!("the node's key is an ed25519 key, not a {} key", material.kind().word());
            return Err(Error::new(Kind::Usage, what).fix("say --kind ed25519, if it is one"));
        }
        if store == StoreName::Env {
            return Err(Error::new(Kind::Key, "the store \"env\" is read only")
                .fix("take another one: bitboot key stores"));
        }
        self.has_no_node(&self.index()?)?;
        self.ask_before(&Item::Node, store, true)?;
        let lock = IndexLock::new(&self.paths)?;
        let mut index = lock.read()?;
        self.has_no_node(&index)?;
        self.put(&Item::Node, store, &material.to_text())?;
        let place = Place { store, leaving: None, public: Some(super::index::hex(material)) };
        Item::Node.note(&mut index, Some(place));
        lock.write(&index)
    }

    fn has_no_node(&self, index: &Index) -> Result<()> {
        if index.node.is_some() || self.seed(&Item::Node)?.is_some() {
            return Err(Error::new(Kind::Usage, "the node has a key already")
                .fix("keep that one, or remove it first: bitboot key remove node"));
        }
        Ok(())
    }

    /// A network with the secret that is kept for it.
    pub(crate) fn with_secret(&self, network: &Network) -> Result<Network> {
        let seed = self.seed(&Item::Network(network.clone()))?.ok_or_else(|| {
            Error::new(Kind::Key, format!("the secret of network \"{network}\" is not there"))
                .fix("add the network again by its invite: bitboot network add - reads it from stdin")
        })?;
        Network::with_secret(network.name(), Secret::new(*seed))
    }

    /// Keeps the secret of a network, unless another one is kept: that is never replaced, for nobody could bring it back.
    pub(crate) fn keep_secret(&self, network: &Network, secret: &Secret) -> Result<()> {
        let item = Item::Network(network.clone());
        let _lock = IndexLock::new(&self.paths)?;
        match self.seed(&item)? {
            Some(kept) if *kept == *secret.expose() => Ok(()),
            Some(_) => {
                let error =
                    Error::new(Kind::Usage, format!("network \"{network}\" has another secret already"));
                Err(error.fix(format!(
                    "its members would lose each other; if you mean it: bitboot network remove {network}"
                )))
            }
            None => self.store(StoreName::Home)?.put(&item.id(), &text_of("secret", secret.expose())),
        }
    }

    /// The 32 bytes of the node or a network; `None` where there are none yet. A store is asked once a process.
    fn seed(&self, item: &Item) -> Result<Option<Seed>> {
        let mut place = item.place(&self.index()?)?;
        loop {
            let id = item.id();
            if let Some(seed) = self.seeds().get(&id).filter(|_| place.store != StoreName::Home) {
                return Ok(Some(seed.clone()));
            }
            if let Some(text) = self.store(place.store)?.get(&id)? {
                let seed = seed_of(&text)?;
                if place.public.as_ref().is_some_and(|public| *public != public_of(&seed)) {
                    return Err(super::ring::another(item, place.store));
                }
                self.seeds().insert(id, seed.clone());
                return Ok(Some(seed));
            }
            let now = item.place(&self.index()?)?;
            if now == place {
                // Only where it would be born may it be made: elsewhere it was, and is locked away or lost.
                let never = place.store == StoreName::Home && place.public.is_none();
                return if never { Ok(None) } else { Err(super::ring::missing(item, place.store)) };
            }
            // It was moved between the two looks.
            place = now;
        }
    }
}

impl Index {
    /// What may still lie where it was moved away from, each with the command that deletes it there.
    pub(crate) fn left_behind(&self) -> Vec<Error> {
        let keys = self.keys.keys().map(|name| Item::Key(name.clone()));
        let networks = self.networks.keys().filter_map(|name| Some(Item::Network(name.parse().ok()?)));
        let mut left = Vec::new();
        for item in keys.chain([Item::Node]).chain(networks) {
            let Ok(Place { store, leaving: Some(old), .. }) = item.place(self) else { continue };
            let what = format!("{item} lies in the store \"{store}\", and may still be in \"{old}\" too");
            left.push(
                Error::new(Kind::Key, what).fix(format!("bitboot key move {} --store {store}", item.words())),
            );
        }
        left
    }
}

/// A new secret.
pub(crate) fn random() -> Result<Seed> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Error::new(Kind::Key, "the system gives no random bytes").because(error))?;
    Ok(bytes)
}

/// The answer where a node was never announced.
pub(crate) fn no_node() -> Error {
    Error::new(Kind::Key, "the node has no key yet")
        .fix("one is made when something is announced; or take over another node's: bitboot key import node FILE --kind ed25519")
}

fn public_of(seed: &Seed) -> String {
    Identity::new(seed).public().to_string()
}

/// As stores keep it, see [`Material::to_text`].
fn text_of(word: &str, seed: &[u8; 32]) -> SecretString {
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(word);
    text.push(':');
    BASE64URL_NOPAD.encode_append(seed, &mut text);
    SecretString::from(text.as_str())
}

pub(super) fn seed_of(text: &SecretString) -> Result<Seed> {
    let bytes = text.expose_secret().split_once(':').map(|(_, bytes)| bytes.as_bytes());
    let bytes = bytes.and_then(|bytes| BASE64URL_NOPAD.decode(bytes).ok()).map(Zeroizing::new);
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(Zeroizing::new);
    bytes.ok_or_else(|| Error::new(Kind::Key, "what the store has is no secret of bitboot"))
}

#[cfg(test)]
#[path = "tests/home.rs"]
mod tests;
