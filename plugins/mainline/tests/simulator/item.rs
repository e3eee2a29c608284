//! An item to be stored, as large as may be.

use bitboot_mainline::dht::{Id, Stored};
use ed25519_dalek::{Signer, SigningKey};
use sha1::{Digest, Sha1};

/// With a value of `length` bytes, at most 995.
pub(crate) fn stored(length: usize) -> Stored {
    let signing = SigningKey::from_bytes(&[7; 32]);
    let value = [length.to_string().as_bytes(), b":", &vec![b'x'; length]].concat();
    let signature = signing.sign(&[b"3:seqi1e1:v".as_slice(), &value].concat()).to_bytes();
    let key = signing.verifying_key().to_bytes();
    Stored { target: Id(Sha1::digest(key).into()), key, seq: 1, signature, value, cas: None }
}
