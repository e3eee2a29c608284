use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Store;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::paths::Paths;

/// Files that only the user can read, not encrypted: 32 bytes as 64 hexadecimal digits. For what has to work where nobody can be asked: the
/// node's key and the secrets of networks. Nothing that can spend lies here.
pub(super) struct HomeFiles {
    identity: PathBuf,
    secrets: PathBuf,
}

impl HomeFiles {
    pub(super) fn new(paths: &Paths) -> Self {
        Self { identity: paths.state.join("identity"), secrets: paths.data.join("secrets") }
    }

    /// The node's key has a file of its own; the secret of a network one that is called by a hash of the network's name.
    fn path(&self, item: &str) -> PathBuf {
        item.strip_prefix("network/").map_or_else(|| self.identity.clone(), |hash| self.secrets.join(hash))
    }
}

impl Store for HomeFiles {
    fn status(&self) -> Result<String> {
        Ok(format!("{} and {}, not encrypted", self.identity.display(), self.secrets.display()))
    }

    fn get(&self, item: &str) -> Result<Option<SecretString>> {
        let path = self.path(item);
        let Some(text) = files::read(&path)?.map(Zeroizing::new) else { return Ok(None) };
        only_ours(&path)?;
        let bytes = HEXLOWER.decode(text.trim().as_bytes()).map(Zeroizing::new).ok();
        let bytes = bytes.filter(|bytes| bytes.len() == 32).ok_or_else(|| {
            Error::new(Kind::Key, format!("{} holds no key", path.display())).fix("put back what was there")
        })?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(if path == self.identity { "ed25519:" } else { "secret:" });
        BASE64URL_NOPAD.encode_append(&bytes, &mut text);
        Ok(Some(SecretString::from(text.as_str())))
    }

    fn put(&self, item: &str, secret: &SecretString) -> Result<()> {
        let bytes = secret.expose_secret().split_once(':').map(|(_, bytes)| bytes.as_bytes());
        let bytes = bytes.and_then(|bytes| BASE64URL_NOPAD.decode(bytes).ok()).map(Zeroizing::new);
        let bytes = bytes.filter(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or_else(|| Error::new(Kind::Key, "only 32 bytes can be kept in such a file"))?;
        files::replace(&self.path(item), Zeroizing::new(HEXLOWER.encode(&bytes)).as_bytes())
    }

    fn delete(&self, item: &str) -> Result<bool> {
        files::remove(&self.path(item))
    }
}

/// A key that others can read is no secret any more.
fn only_ours(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path)
            .map_err(|error| Error::file("look at", path, &error))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let error = Error::new(Kind::Key, format!("others can read {}", path.display()));
            return Err(error.fix(format!("if nobody did, close it: chmod 600 {}", path.display())));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
