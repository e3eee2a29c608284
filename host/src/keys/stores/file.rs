use std::path::{Path, PathBuf};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::deadline::within;
use super::{AskPassphrase, Store};
use crate::error::{Error, Kind, Result};
use crate::files;

/// Argon2id, RFC 9106, second recommended option: 64 MiB, three passes, four lanes.
const OURS: Work = Work { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
/// The most work that a file may ask for: 1 GiB, 16 passes, 16 lanes. More would be an attack on whoever opens it.
const MOST: Work = Work { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };
/// How long the work of the largest such file may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the files of this form say of themselves.
const FORM: &str = "bitboot key 1";
const NONCE: usize = 24;
const SALT: usize = 16;

/// A file for each secret, encrypted with the user's passphrase. The form of a file is told in the README of this room.
pub(super) struct Files {
    folder: PathBuf,
    ask: AskPassphrase,
}

/// How much work Argon2id does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Work {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A file as it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Sealed {
    form: String,
    #[serde(flatten)]
    work: Work,
    /// 16 bytes, hexadecimal.
    salt: String,
    /// 24 bytes, hexadecimal.
    nonce: String,
    /// The secret and its tag of 16 bytes, base64.
    #[serde(rename = "sealed")]
    bytes: String,
}

impl Files {
    pub(super) fn new(folder: &Path, ask: AskPassphrase) -> Self {
        Self { folder: folder.to_owned(), ask }
    }

    /// A name has no dot, and the items of the home have a slash where a name may have none.
    fn path(&self, item: &str) -> PathBuf {
        self.folder.join(format!("{}.json", item.replace('/', ".")))
    }

    fn passphrase(&self, path: &Path, is_new: bool) -> Result<SecretString> {
        let what = if is_new { "a passphrase for" } else { "the passphrase of" };
        (self.ask)(&format!("{what} {}", path.display()), is_new)
    }
}

impl Store for Files {
    fn status(&self) -> Result<String> {
        Ok(format!("in {}; asks for a passphrase, or reads it from --passphrase-file", self.folder.display()))
    }

    fn get(&self, item: &str) -> Result<Option<SecretString>> {
        let path = self.path(item);
        let Some(text) = files::read(&path)? else { return Ok(None) };
        let sealed: Sealed = serde_json::from_str(&text).map_err(|error| broken(&path).because(error))?;
        let passphrase = self.passphrase(&path, false)?;
        let (item, at) = (item.to_owned(), path.clone());
        let opened = within(PATIENCE, move || sealed.open(&item, &passphrase, &at));
        opened.unwrap_or_else(|| Err(late(&path))).map(Some)
    }

    fn put(&self, item: &str, secret: &SecretString) -> Result<()> {
        let path = self.path(item);
        let passphrase = self.passphrase(&path, true)?;
        let (item, secret) = (item.to_owned(), secret.clone());
        let sealed = within(PATIENCE, move || Sealed::seal(&item, &secret, &passphrase));
        let sealed = sealed.unwrap_or_else(|| Err(late(&path)))?;
        let text = serde_json::to_vec_pretty(&sealed).map_err(|error| broken(&path).because(error))?;
        files::replace(&path, &text)
    }

    fn delete(&self, item: &str) -> Result<bool> {
        files::remove(&self.path(item))
    }

    fn ask_before(&self, item: &str, keeps: bool) -> Result<()> {
        let path = self.path(item);
        let is_there = path.exists();
        if is_there || keeps { self.passphrase(&path, !is_there).map(drop) } else { Ok(()) }
    }
}

impl Sealed {
    fn seal(item: &str, secret: &SecretString, passphrase: &SecretString) -> Result<Self> {
        let random = super::super::random()?;
        let more = super::super::random()?;
        let (salt, nonce) = (&random[..SALT], &more[..NONCE]);
        let cipher = XChaCha20Poly1305::new((&*OURS.key(passphrase, salt)?).into());
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &bound(item, OURS) };
        let nonce_of = XNonce::try_from(nonce).unwrap_or_default();
        let sealed = cipher
            .encrypt(&nonce_of, payload)
            .map_err(|_| Error::new(Kind::Key, "the key cannot be encrypted"))?;
        Ok(Self {
            form: FORM.into(),
            work: OURS,
            salt: HEXLOWER.encode(salt),
            nonce: HEXLOWER.encode(nonce),
            bytes: BASE64.encode(&sealed),
        })
    }

    fn open(&self, item: &str, passphrase: &SecretString, path: &Path) -> Result<SecretString> {
        let Work { memory_kib, passes, lanes } = self.work;
        let modest = memory_kib <= MOST.memory_kib && passes <= MOST.passes && lanes <= MOST.lanes;
        let salt = HEXLOWER.decode(self.salt.as_bytes()).ok().filter(|salt| salt.len() == SALT);
        let nonce = HEXLOWER.decode(self.nonce.as_bytes()).ok();
        let nonce = nonce.and_then(|nonce| XNonce::try_from(nonce.as_slice()).ok());
        let sealed = BASE64.decode(self.bytes.as_bytes()).ok();
        let (Some(salt), Some(nonce), Some(sealed), true, true) =
            (salt, nonce, sealed, modest, self.form == FORM)
        else {
            return Err(broken(path));
        };
        let cipher = XChaCha20Poly1305::new((&*self.work.key(passphrase, &salt)?).into());
        let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &bound(item, self.work) });
        let opened = opened.map(Zeroizing::new).map_err(|_| {
            Error::new(Kind::Key, format!("the passphrase does not open {}", path.display()))
                .because("it is another one, or the file was changed")
                .fix("try again")
        })?;
        std::str::from_utf8(&opened).map(SecretString::from).map_err(|_| broken(path))
    }
}

impl Work {
    fn key(self, passphrase: &SecretString, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let cannot =
            |error: argon2::Error| Error::new(Kind::Key, "the passphrase cannot be used").because(error);
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(cannot)?;
        let mut key = Zeroizing::new([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(passphrase.expose_secret().as_bytes(), salt, &mut *key).map_err(cannot)?;
        Ok(key)
    }
}

/// What a file is bound to: it opens under its own name only, and with its own parameters.
fn bound(item: &str, work: Work) -> Vec<u8> {
    format!("{FORM}\n{item}\n{} {} {}", work.memory_kib, work.passes, work.lanes).into_bytes()
}

fn broken(path: &Path) -> Error {
    Error::new(Kind::Key, format!("{} is no key file of bitboot", path.display()))
        .fix("put back what was there")
}

fn late(path: &Path) -> Error {
    Error::new(Kind::Key, format!("{} was not opened in time", path.display()))
        .fix("the machine is very busy; try again")
}

#[cfg(test)]
#[path = "../tests/file.rs"]
mod tests;
