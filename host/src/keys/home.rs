use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::network::{Identity, Network, Secret};
use crate::paths::Paths;

/// The key files of a user. Each holds 32 bytes as 64 hexadecimal digits and can be read by its owner only.
#[derive(Debug, Clone)]
pub(crate) struct KeyFiles {
    identity: PathBuf,
    secrets: PathBuf,
}

impl KeyFiles {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { identity: paths.state.join("identity"), secrets: paths.data.join("secrets") }
    }

    /// The node's identity, made when there is none yet.
    pub(crate) fn identity(&self) -> Result<Identity> {
        if let Some(seed) = read(&self.identity)? {
            return Ok(Identity::new(&seed));
        }
        let file = Locked::new(self.identity.clone())?;
        // Another process may have made it meanwhile.
        if let Some(seed) = read(&self.identity)? {
            return Ok(Identity::new(&seed));
        }
        let seed = random()?;
        file.replace(encode(&seed).as_bytes())?;
        Ok(Identity::new(&seed))
    }

    /// The node's identity, if it has one already.
    pub(crate) fn known_identity(&self) -> Result<Option<Identity>> {
        Ok(read(&self.identity)?.map(|seed| Identity::new(&seed)))
    }

    /// A network with the secret that is kept for it.
    pub(crate) fn with_secret(&self, network: &Network) -> Result<Network> {
        let seed = read(&self.file_of(network))?.ok_or_else(|| {
            Error::new(Kind::Key, format!("the secret of network \"{network}\" is not there"))
                .fix("add the network again by its invite: bitboot network add - reads it from stdin")
        })?;
        Network::with_secret(network.name(), Secret::new(*seed))
    }

    /// Keeps the secret of a network, unless another one is kept: that is never replaced, for nobody could bring it back. The caller holds
    /// the lock of the registry.
    pub(crate) fn keep(&self, network: &Network, secret: &Secret) -> Result<()> {
        let path = self.file_of(network);
        match read(&path)? {
            Some(kept) if *kept == *secret.expose() => Ok(()),
            Some(_) => {
                let error =
                    Error::new(Kind::Usage, format!("network \"{network}\" has another secret already"));
                Err(error.fix(format!(
                    "its members would lose each other; if you mean it: bitboot network remove {network}"
                )))
            }
            None => files::replace(&path, encode(secret.expose()).as_bytes()),
        }
    }

    /// Deletes the secret of a network; nobody can bring it back. Whether there was one.
    pub(crate) fn forget(&self, network: &Network) -> Result<bool> {
        let path = self.file_of(network);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file("delete", &path, &error)),
        }
    }

    /// A name may hold what no file name may: the file is called by a hash of it. Not by the network's: a name of 40 digits is its own.
    fn file_of(&self, network: &Network) -> PathBuf {
        let hash =
            Sha256::new().chain_update("bitboot/1 secret file ").chain_update(network.name()).finalize();
        self.secrets.join(HEXLOWER.encode(&hash))
    }
}

/// A new secret.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Error::new(Kind::Key, "the system gives no random bytes").because(error))?;
    Ok(bytes)
}

fn encode(bytes: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(bytes))
}

fn read(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let Some(text) = files::read(path)?.map(Zeroizing::new) else { return Ok(None) };
    only_ours(path)?;
    let bytes = HEXLOWER.decode(text.trim().as_bytes()).map(Zeroizing::new).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    let bytes = bytes.ok_or_else(|| {
        Error::new(Kind::Key, format!("{} holds no key", path.display())).fix("put back what was there")
    })?;
    Ok(Some(Zeroizing::new(bytes)))
}

/// A key that others can read is no secret any more.
fn only_ours(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            fs::metadata(path).map_err(|error| Error::file("look at", path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            let error = Error::new(Kind::Key, format!("others can read {}", path.display()));
            return Err(error.fix(format!("if nobody did, close it: chmod 600 {}", path.display())));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_stays_and_only_its_owner_can_read_it() {
        let home = tempfile::tempdir().unwrap();
        let keys = KeyFiles::new(&Paths::inside(home.path()));
        assert!(keys.known_identity().unwrap().is_none());
        let made = keys.identity().unwrap().public();
        assert_eq!(keys.identity().unwrap().public(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&keys.identity, fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(keys.identity().unwrap_err().kind, Kind::Key);
        }
    }

    #[test]
    fn a_secret_is_there_until_it_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let keys = KeyFiles::new(&Paths::inside(home.path()));
        let network: Network = "a/../b".parse().unwrap();
        keys.keep(&network, &Secret::new([7; 32])).unwrap();
        assert_eq!(keys.with_secret(&network).unwrap().secret().unwrap().expose(), &[7; 32]);
        assert_eq!(keys.keep(&network, &Secret::new([8; 32])).unwrap_err().kind, Kind::Usage);
        keys.keep(&network, &Secret::new([7; 32])).unwrap();
        assert!(keys.forget(&network).unwrap() && !keys.forget(&network).unwrap());
        assert_eq!(keys.with_secret(&network).unwrap_err().kind, Kind::Key);
    }
}
