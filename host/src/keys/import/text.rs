use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use super::super::{KeyKind, Material};
use super::json::pair;
use super::unknown;
use crate::error::Result;

/// A form in which a key is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// 64 hexadecimal digits (secp256k1, ed25519)
    Hex,
    /// Wallet import format, compressed, for the main network (secp256k1)
    Wif,
    /// Base58 of seed and public key (ed25519)
    Base58,
    /// A JSON list of 64 numbers: seed and public key (ed25519)
    Numbers,
    /// A JSON web key (rsa4096)
    Jwk,
}

/// The first byte of a private key in wallet import format: on the main network and on test networks.
pub(in crate::keys) const WIF_MAIN: u8 = 0x80;
const WIF_TEST: u8 = 0xef;

/// A key in one line of text.
pub(super) fn line(given: &str, kind: Option<KeyKind>) -> Result<(Material, &'static str)> {
    let digits = given.strip_prefix("0x").or_else(|| given.strip_prefix("0X")).unwrap_or(given);
    if let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map(Zeroizing::new)
        && bytes.len() == 32
    {
        // Nothing in the digits tells which curve they are meant for; most that are written so are of this one.
        let kind = kind.unwrap_or(KeyKind::Secp256k1);
        return Ok((Material::of_bytes(kind, &bytes)?, "64 hexadecimal digits"));
    }
    if let Some(material) = wif(given) {
        return Ok((material, "WIF"));
    }
    let bytes = bs58::decode(given).into_vec().map(Zeroizing::new);
    match bytes {
        Ok(bytes) if bytes.len() == 64 => Ok((pair(&bytes)?, "base58")),
        _ => Err(unknown("it is in none of the forms that it knows, or was cut")),
    }
}

/// Base58 with a checksum: a byte for the network, 32 bytes, and a 1 where the public key is used compressed.
fn wif(given: &str) -> Option<Material> {
    let bytes = bs58::decode(given).with_check(None).into_vec().map(Zeroizing::new).ok()?;
    let key = match bytes.as_slice() {
        [WIF_MAIN | WIF_TEST, key @ ..] | [WIF_MAIN | WIF_TEST, key @ .., 1] if key.len() == 32 => key,
        _ => return None,
    };
    Material::of_bytes(KeyKind::Secp256k1, key).ok()
}
