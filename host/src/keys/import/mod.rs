//! Private keys in the forms in which other programs keep them. Errors never repeat what was given.

mod json;
mod text;

use secrecy::{ExposeSecret, SecretString};

use super::{KeyKind, Material};
use crate::error::{Error, Kind, Result};

pub(crate) use text::Form;
pub(super) use text::WIF_MAIN;

/// The key in a text, and in which form it was. The kind is needed where the form does not tell; the passphrase is asked for where the form
/// is encrypted.
pub(crate) fn parse(
    text: &SecretString,
    kind: Option<KeyKind>,
    passphrase: impl FnOnce() -> Result<SecretString>,
) -> Result<(Material, &'static str)> {
    let given = text.expose_secret().trim();
    let (material, form) = match given.as_bytes().first() {
        Some(b'{') => json::object(given, passphrase)?,
        Some(b'[') => (json::numbers(given)?, "64 numbers"),
        _ => text::line(given, kind)?,
    };
    match kind {
        Some(kind) if kind != material.kind() => {
            let what = format!("this is a {} key, not one of {}", material.kind().word(), kind.word());
            Err(Error::new(Kind::Usage, what).fix("leave --kind away"))
        }
        _ => Ok((material, form)),
    }
}

/// Something that is none of the forms.
fn unknown(why: &str) -> Error {
    Error::new(Kind::Usage, format!("this is no key that bitboot can read: {why}")).fix(
        "it reads 64 hexadecimal digits, WIF, base58 of 64 bytes, a JSON list of 64 numbers, a V3 keystore, and a JWK of RSA",
    )
}

#[cfg(test)]
#[path = "../tests/import.rs"]
mod tests;
