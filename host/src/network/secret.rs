use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Network;
use crate::error::{Error, Kind, Result};

/// What the members of a secret network share: 32 bytes. It is never shown by `Debug`, and is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

/// The shortest passphrase, in bytes: what is shorter can be guessed whatever is done with it.
const SHORTEST_PASSPHRASE: usize = 8;
/// Argon2id, RFC 9106, second recommended option: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

impl Secret {
    /// 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret that a passphrase stands for in a network of this name. Takes some tenths of a second and 64 MiB, on purpose.
    ///
    /// # Errors
    /// When the passphrase is shorter than 8 bytes, or the name is none.
    pub fn of_passphrase(passphrase: &str, network: &str) -> Result<Self> {
        if passphrase.len() < SHORTEST_PASSPHRASE {
            let error = Error::new(Kind::Usage, "the passphrase is shorter than 8 characters");
            return Err(error.fix("take a longer one, or let bitboot make a secret: --secret new"));
        }
        // The name salts it: one guess cannot be tried on two networks. All forms of an info hash are one name.
        let network: Network = network.parse()?;
        let salt =
            Sha256::new().chain_update(b"bitboot/1 passphrase").chain_update(network.name()).finalize();
        let cannot =
            |error: argon2::Error| Error::new(Kind::Other, "the passphrase cannot be used").because(error);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).map_err(cannot)?;
        let mut secret = Self([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(passphrase.as_bytes(), &salt[..16], &mut secret.0).map_err(cannot)?;
        Ok(secret)
    }

    /// The bytes, for whoever keeps them or shares them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
