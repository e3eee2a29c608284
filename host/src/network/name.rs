use std::fmt;
use std::str::FromStr;

use bitboot_plugin_api::Locator;
use sha1::{Digest, Sha1};

use super::Secret;
use crate::error::{Error, Kind};

/// The longest name of a network, in bytes.
pub const MAX_NAME: usize = 255;

/// A network that peers form and join.
///
/// It is read from a name, from 40 hexadecimal digits, or from a magnet link (BEP 9): the latter two are taken as the info hash that they
/// are; of a name it is `SHA-1(name)`, as every BitTorrent client would compute it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    name: String,
    locator: Locator,
    secret: Option<Secret>,
}

impl Network {
    /// The name as the user wrote it; for an info hash its 40 digits.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where backends store and find the peers of an open network of this name; those of a secret one lie elsewhere each hour.
    pub(crate) fn locator(&self) -> &Locator {
        &self.locator
    }

    /// A secret network: who does not know the secret finds nothing, can read nothing and cannot announce.
    ///
    /// # Errors
    /// When the name is none.
    pub fn with_secret(name: &str, secret: Secret) -> Result<Self, Error> {
        Ok(Self { secret: Some(secret), ..name.parse()? })
    }

    /// What the members of a secret network share; none of an open one.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // Its hash, made public, would be a hash of the secret.
        if Self::is_invite(text) {
            return Err(bad("an invite is no name", "join with it: bitboot network add INVITE"));
        }
        if text.starts_with("magnet:") {
            let hash = magnet_info_hash(text).ok_or_else(|| {
                bad(
                    "the magnet link has no info hash",
                    "it needs xt=urn:btih: and 40 hexadecimal digits or 32 of base 32",
                )
            })?;
            return Self::of_hash(&hash);
        }
        if let Some(hash) = unhex(text) {
            return Self::of_hash(&hash);
        }
        if text.is_empty() {
            return Err(bad("a network's name is empty", "give it a name, such as my-game"));
        }
        if text.len() > MAX_NAME {
            let what = format!("a network's name has {} bytes", text.len());
            return Err(bad(&what, "at most 255 are allowed"));
        }
        if text.chars().any(char::is_control) {
            return Err(bad(
                "a network's name has control characters",
                "use letters, digits and punctuation",
            ));
        }
        Self::of_hash(&Sha1::digest(text)).map(|network| Self { name: text.to_owned(), ..network })
    }
}

impl Network {
    fn of_hash(hash: &[u8]) -> Result<Self, Error> {
        let locator = Locator::new(hash).ok_or_else(|| bad("an info hash is empty", "it needs 20 bytes"))?;
        Ok(Self { name: locator.to_hex(), locator, secret: None })
    }
}

fn bad(what: &str, fix: &str) -> Error {
    Error::new(Kind::Usage, what).fix(fix)
}

/// 20 bytes of 40 hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..40).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// The info hash of a magnet link, BEP 9: `xt=urn:btih:` and 40 hexadecimal digits or 32 of base 32 (RFC 4648).
fn magnet_info_hash(link: &str) -> Option<Vec<u8>> {
    let (_, query) = link.split_once('?')?;
    query.split('&').find_map(|pair| {
        let hash = pair.strip_prefix("xt=urn:btih:")?;
        unhex(hash).or_else(|| unbase32(hash))
    })
}

/// 20 bytes of 32 digits of base 32.
fn unbase32(text: &str) -> Option<Vec<u8>> {
    if text.len() != 32 {
        return None;
    }
    let mut bytes = Vec::with_capacity(20);
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.bytes() {
        let value = match digit.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            number @ b'2'..=b'7' => number - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf demo | sha1sum`
    const DEMO: &str = "89e495e7941cf9e40e6980d14a16bf023ccd4c91";

    fn locator(text: &str) -> String {
        text.parse::<Network>().unwrap().locator().to_hex()
    }

    #[test]
    fn a_name_is_hashed_as_every_client_would() {
        assert_eq!(locator("demo"), DEMO);
        assert_eq!("demo".parse::<Network>().unwrap().name(), "demo");
    }

    #[test]
    fn an_info_hash_is_taken_as_it_is() {
        assert_eq!(locator(DEMO), DEMO);
        assert_eq!(locator(&DEMO.to_uppercase()), DEMO);
        assert_eq!(locator(&format!("magnet:?dn=x&xt=urn:btih:{DEMO}&tr=y")), DEMO);
        // The same bytes in base 32, by `base32` of coreutils.
        assert_eq!(locator("magnet:?xt=urn:btih:RHSJLZ4UDT46IDTJQDIUUFV7AI6M2TER"), DEMO);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a\nb", "\u{1b}[31m", "magnet:?xt=urn:btih:xyz", "magnet:", &"x".repeat(10_000)] {
            assert_eq!(text.parse::<Network>().unwrap_err().kind, Kind::Usage, "{text:?}");
        }
        assert!("x".repeat(255).parse::<Network>().is_ok());
        assert!("日本の網".parse::<Network>().is_ok());
    }
}
