use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rsa::traits::PrivateKeyParts;
use zeroize::Zeroizing;

use super::import::{Form, WIF_MAIN};
use super::{KeyKind, Material};
use crate::error::{Error, Kind, Result};

impl Material {
    /// The private key as text, for another program; `None` for the form that is usual for its kind.
    pub(crate) fn export(&self, form: Option<Form>) -> Result<Zeroizing<String>> {
        let bytes = self.to_bytes();
        let form = form.unwrap_or(match self.kind() {
            KeyKind::Secp256k1 | KeyKind::Ed25519 => Form::Hex,
            KeyKind::Rsa4096 => Form::Jwk,
        });
        let pair = || Zeroizing::new([bytes.as_slice(), &self.public()].concat());
        Ok(Zeroizing::new(match (self, form) {
            (Self::Secp256k1(_) | Self::Ed25519(_), Form::Hex) => HEXLOWER.encode(&bytes),
            (Self::Secp256k1(_), Form::Wif) => {
                let whole = Zeroizing::new([&[WIF_MAIN], bytes.as_slice(), &[1]].concat());
                bs58::encode(&*whole).with_check().into_string()
            }
            (Self::Ed25519(_), Form::Base58) => bs58::encode(&*pair()).into_string(),
            (Self::Ed25519(_), Form::Numbers) => format!("{:?}", &*pair()).replace(' ', ""),
            (Self::Rsa4096(key), Form::Jwk) => jwk(key, &bytes, &self.public())?,
            _ => {
                let what = format!("a {} key has no such form", self.kind().word());
                return Err(Error::new(Kind::Usage, what).fix("leave --form away"));
            }
        }))
    }
}

/// RFC 7518, section 6.3.2, with everything that other programs want to find there.
fn jwk(key: &rsa::PrivateKey, primes: &[u8], public: &[u8]) -> Result<String> {
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        BASE64URL_NOPAD.encode(&bytes[start..])
    };
    let whole = |value: Option<rsa::BoxedUint>| {
        let bytes = value.map(|value| Zeroizing::new(value.to_be_bytes().to_vec()));
        bytes.map(|bytes| number(&bytes)).ok_or_else(|| Error::new(Kind::Key, "the key is not whole"))
    };
    let (p, q) = primes.split_at(primes.len() / 2);
    Ok(format!(
        r#"{{"kty":"RSA","n":"{}","e":"AQAB","d":"{}","p":"{}","q":"{}","dp":"{}","dq":"{}","qi":"{}"}}"#,
        number(public),
        whole(Some(key.d().clone()))?,
        number(p),
        number(q),
        whole(key.dp().cloned())?,
        whole(key.dq().cloned())?,
        whole(key.crt_coefficient())?,
    ))
}
