use std::time::{Duration, Instant};

use ed25519_dalek::{Signature, VerifyingKey};
use sha1::{Digest, Sha1};

use crate::dht::Id;
use crate::dht::krpc::bencode::Writer;
use crate::dht::krpc::{Held, Put};

/// What is kept under a target (BEP 44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The value, as it is encoded.
    pub(crate) value: Box<[u8]>,
    /// What makes it mutable.
    pub(crate) signed: Option<Box<Signed>>,
    put: Instant,
}

/// The key, number and signature of a mutable item; `Held`, but kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The ed25519 public key.
    pub(crate) key: [u8; 32],
    /// The item's number.
    pub(crate) seq: i64,
    /// Over salt, number and value.
    pub(crate) signature: [u8; 64],
}

/// How long an item is kept after it was put (BEP 44).
const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

impl Item {
    /// What is put; whether it may be was asked before.
    pub(super) fn new(put: &Put<'_>, now: Instant) -> Self {
        let signed =
            put.signed.map(|held| Signed { key: *held.key, seq: held.seq, signature: *held.signature });
        Self { value: put.value.into(), signed: signed.map(Box::new), put: now }
    }

    /// The key, number and signature, for an answer.
    pub(crate) fn held(&self) -> Option<Held<'_>> {
        let signed = self.signed.as_deref()?;
        Some(Held { key: &signed.key, seq: signed.seq, signature: &signed.signature })
    }

    /// Whether it was put within the last 2 hours.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.put) < LIFETIME
    }

    /// When it was last put.
    pub(super) fn last_put(&self) -> Instant {
        self.put
    }
}

/// Where an item is kept and looked for: the SHA-1 of the encoded value, or of key and salt (BEP 44).
pub(crate) fn target_of(put: &Put<'_>) -> Id {
    put.signed.map_or_else(|| target_of_value(put.value), |held| target_of_key(held.key, put.salt))
}

/// Where an immutable item is kept, by its encoded value.
pub(crate) fn target_of_value(value: &[u8]) -> Id {
    Id(Sha1::digest(value).into())
}

/// Where a mutable item is kept; the salt is empty where there is none.
pub(crate) fn target_of_key(key: &[u8; 32], salt: &[u8]) -> Id {
    Id(Sha1::new().chain_update(key).chain_update(salt).finalize().into())
}

/// What a mutable item's signature is over (BEP 44): `4:salt`, `3:seq` and `1:v` with their encoded values, the
/// first only where there is a salt.
pub(crate) fn signable(salt: &[u8], seq: i64, value: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    if !salt.is_empty() {
        out.raw(b"4:salt").bytes(salt);
    }
    out.raw(b"3:seq").integer(seq).raw(b"1:v").raw(value);
    out.finish()
}

/// Whether the signature fits, for what is stored here and for what others tell.
///
/// Strictly: keys and signatures that fit more than one message (those of small order) fit none. Whether the key is
/// the one that was asked for is another question: compare `target_of_key`.
pub(crate) fn verify(held: &Held<'_>, salt: &[u8], value: &[u8]) -> bool {
    let signature = Signature::from_bytes(held.signature);
    VerifyingKey::from_bytes(held.key)
        .is_ok_and(|key| key.verify_strict(&signable(salt, held.seq, value), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Verifier;

    const VALUE: &[u8] = b"12:Hello World!";
    const KEY: &str = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548";
    /// Salt, signature and target.
    const MUTABLE: [(&str, &str, &str); 2] = [
        (
            "",
            "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff\
             1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01",
            "4a533d47ec9c7d95b1ad75f576cffc641853b750",
        ),
        (
            "foobar",
            "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d\
             df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08",
            "411eba73b6f087ca51a3795d9c8c938d365e32c1",
        ),
    ];

    fn bytes<const LENGTH: usize>(hex: &str) -> [u8; LENGTH] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
    }

    #[test]
    fn the_mutable_vectors_of_bep_44_hold() {
        let key = bytes(KEY);
        for (salt, signature, target) in MUTABLE {
            let (salt, signature) = (salt.as_bytes(), bytes(signature));
            let held = Held { key: &key, seq: 1, signature: &signature };
            assert!(verify(&held, salt, VALUE));
            let put = Put { value: VALUE, signed: Some(held), salt, cas: None, target: None };
            assert_eq!(target_of(&put), Id(bytes(target)));
        }
        assert_eq!(signable(b"", 1, VALUE), b"3:seqi1e1:v12:Hello World!");
        assert_eq!(signable(b"foobar", 1, VALUE), b"4:salt6:foobar3:seqi1e1:v12:Hello World!");
    }

    #[test]
    fn the_immutable_vector_of_bep_44_holds() {
        let put = Put { value: VALUE, signed: None, salt: b"", cas: None, target: None };
        assert_eq!(target_of(&put), Id(bytes("e5f96f6f38320f0f33959cb4d3d656452117aadb")));
    }

    #[test]
    fn what_is_changed_does_not_verify() {
        let (key, signature) = (bytes(KEY), bytes(MUTABLE[1].1));
        let held = Held { key: &key, seq: 1, signature: &signature };
        assert!(!verify(&held, b"", VALUE) && !verify(&held, b"foobaz", VALUE));
        assert!(!verify(&held, b"foobar", b"12:Hello World?"));
        assert!(!verify(&Held { seq: 2, ..held }, b"foobar", VALUE));
        let mut other = signature;
        other[63] ^= 0x20;
        assert!(!verify(&Held { signature: &other, ..held }, b"foobar", VALUE));
        let mut other = key;
        other[0] ^= 1;
        assert!(!verify(&Held { key: &other, ..held }, b"foobar", VALUE));
    }

    /// The neutral element as the key and as R, and S = 0: the plain equation holds for whatever message.
    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let (mut key, mut signature) = ([0; 32], [0; 64]);
        (key[0], signature[0]) = (1, 1);
        let plain = VerifyingKey::from_bytes(&key).unwrap();
        assert!(plain.verify(&signable(b"", 1, VALUE), &Signature::from_bytes(&signature)).is_ok());
        assert!(!verify(&Held { key: &key, seq: 1, signature: &signature }, b"", VALUE));
    }

    #[test]
    fn an_item_tells_what_was_put() {
        let (key, signature, now) = (bytes(KEY), bytes(MUTABLE[0].1), Instant::now());
        let held = Held { key: &key, seq: 1, signature: &signature };
        let put = Put { value: VALUE, signed: Some(held), salt: b"", cas: None, target: None };
        let item = Item::new(&put, now);
        assert_eq!((&*item.value, item.held()), (VALUE, Some(held)));
        assert_eq!(Item::new(&Put { signed: None, ..put }, now).held(), None);
        let last = now + Duration::from_secs(2 * 60 * 60 - 1);
        assert!(item.is_alive(last) && !item.is_alive(now + LIFETIME));
    }
}
