use std::path::Path;
use std::time::Duration;

use keyring_core::Error as Told;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Store;
use super::deadline::within;
use crate::error::{Error, Kind, Result};

/// What all entries of bitboot are filed under.
const SERVICE: &str = "bitboot";

/// The keyring of the operating system: Secret Service (over a session of its own encryption), Keychain, Credential Manager.
///
/// The kernel's key store of Linux is none: it forgets at the next start. A keyring that is locked may block until a person unlocks it, or
/// answer as if nothing had ever been kept; so every call has a deadline, and no answer is taken for the last word.
pub(super) struct Keyring {
    home: String,
    patience: Duration,
}

impl Keyring {
    pub(super) fn new(home: &Path, patience: Duration) -> Self {
        Self { home: home.display().to_string(), patience }
    }

    fn call<T: Send + 'static>(
        &self,
        item: &str,
        work: impl FnOnce(keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        // The keyring is one for all homes of a user.
        let account = format!("{item} in {}", self.home);
        let answer = within(self.patience, move || {
            if let Err(error) = keyring::Entry::store_status() {
                return Err(absent(error));
            }
            match keyring::Entry::new(SERVICE, &account).and_then(work) {
                Ok(value) => Ok(Some(value)),
                Err(Told::NoEntry) => Ok(None),
                Err(error) => Err(refused(&error)),
            }
        });
        answer.unwrap_or_else(|| Err(locked(self.patience)))
    }
}

impl Store for Keyring {
    fn status(&self) -> Result<String> {
        // An entry that nobody has: the answer shows that somebody is there. One that is locked is silent, or answers the same.
        self.call("a probe", |entry| entry.get_secret().map(|_| ()))?;
        Ok("it answers; whether it is locked shows when a key is asked for".into())
    }

    fn get(&self, item: &str) -> Result<Option<SecretString>> {
        let kept = self.call(item, |entry| entry.get_secret().map(Zeroizing::new))?;
        let text = |bytes: Zeroizing<Vec<u8>>| {
            std::str::from_utf8(&bytes).map(SecretString::from).map_err(|_| {
                Error::new(Kind::Key, format!("what the keyring has under \"{item}\" is no key of bitboot"))
            })
        };
        kept.map(text).transpose()
    }

    fn put(&self, item: &str, secret: &SecretString) -> Result<()> {
        let bytes = Zeroizing::new(secret.expose_secret().as_bytes().to_vec());
        let kept = self.call(item, move |entry| entry.set_secret(&bytes))?;
        kept.ok_or_else(|| Error::new(Kind::Key, "the keyring has no place to keep a key in"))
    }

    fn delete(&self, item: &str) -> Result<bool> {
        Ok(self.call(item, |entry| entry.delete_credential())?.is_some())
    }
}

fn absent(error: &Told) -> Error {
    Error::new(Kind::Key, "there is no keyring of the operating system")
        .because(cause(error))
        .fix("keep keys in an encrypted file instead: --store file")
}

fn locked(patience: Duration) -> Error {
    Error::new(Kind::Key, format!("the keyring did not answer within {} s", patience.as_secs()))
        .because("it is locked, and waits for somebody to unlock it")
        .fix("unlock it (log in at the desktop, or: gnome-keyring-daemon --unlock), then try again; or use another store: --store file")
}

fn refused(error: &Told) -> Error {
    let told = Error::new(Kind::Key, "the keyring refuses").because(cause(error));
    match error {
        Told::NoStorageAccess(_) => told.fix("unlock it (log in at the desktop, or: gnome-keyring-daemon --unlock), then try again; or use another store: --store file"),
        _ => told.fix("see: bitboot key stores"),
    }
}

/// The cause, without the bytes that some kinds of error carry.
fn cause(error: &Told) -> String {
    match error {
        Told::BadEncoding(_) => "what it has is no text".into(),
        Told::BadDataFormat(..) => "what it has cannot be read".into(),
        other => other.to_string(),
    }
}
