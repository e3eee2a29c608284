//! Who there is: addresses, ids, and keys that sign.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use bitboot_mainline::dht::krpc::{Contact, Held, address, push_contact};
use bitboot_mainline::dht::{Id, Stored};
use ed25519_dalek::{Signer, SigningKey};
use sha1::{Digest, Sha1};

use super::tape::Tape;

/// Neighbours, strangers, and those that are nobody's.
const PLACES: [&str; 24] = [
    "8.8.8.8:6881",
    "8.8.8.8:6882",
    "8.8.8.9:6881",
    "8.8.8.10:6881",
    "9.9.9.9:6881",
    "1.1.1.1:53",
    "45.33.32.156:6881",
    "[2a00:1450::1]:6881",
    "[2a00:1450::2]:6881",
    "[2606:4700::1111]:6881",
    "[2a01::1]:1",
    "10.0.0.1:6881",
    "127.0.0.1:6881",
    "100.64.0.1:6881",
    "169.254.1.1:6881",
    "224.0.0.1:6881",
    "255.255.255.255:6881",
    "0.0.0.0:6881",
    "8.8.8.8:0",
    "[::ffff:8.8.8.8]:6881",
    "[fd00::1]:6881",
    "[ff02::1]:6881",
    "[::1]:6881",
    "[::]:6881",
];

pub(crate) fn place(tape: &mut Tape<'_>) -> SocketAddr {
    let first = tape.byte();
    let chosen = match first {
        0..96 => PLACES[usize::from(first) % PLACES.len()].parse().ok(),
        96..240 => Some(SocketAddr::from((Ipv4Addr::new(20, first, first, 1), 6881))),
        240..248 => address(tape.take(6)),
        248.. => address(tape.take(18)),
    };
    chosen.unwrap_or_else(|| SocketAddr::from(([8, 8, 4, 4], 6881)))
}

/// One of a few, one beside a target, one that fits an address, or any.
pub(crate) fn id(tape: &mut Tape<'_>, target: &Id, at: SocketAddr) -> Id {
    let first = tape.byte();
    let mut chance = fastrand::Rng::with_seed(first.into());
    match first {
        0..32 => Id([first; 20]),
        32..192 => target.sharing(first.into(), &mut chance),
        192..240 => Id::secure(at.ip(), &mut chance),
        240.. => Id(tape.array()),
    }
}

/// A list of nodes as it is sent.
pub(crate) fn nodes(tape: &mut Tape<'_>, target: &Id, is_v6: bool) -> Vec<u8> {
    let mut list = Vec::new();
    for _ in 0..tape.below(24) {
        let at = place(tape);
        if at.is_ipv6() == is_v6 {
            push_contact(&mut list, &Contact { id: id(tape, target, at), at });
        }
    }
    list
}

/// A value as it is encoded.
pub(crate) fn value(tape: &mut Tape<'_>) -> Vec<u8> {
    let number = tape.byte();
    match number % 8 {
        0 => b"i5e".to_vec(),
        1 => b"d1:ai1e1:bl2:xyee".to_vec(),
        2 => string(996),
        3 => string(997),
        4 => string(1300),
        _ => string(number.into()),
    }
}

fn string(length: usize) -> Vec<u8> {
    [format!("{length}:").as_bytes(), &vec![b'x'; length]].concat()
}

/// A mutable item, signed as BEP 44 says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Signed {
    pub(crate) key: [u8; 32],
    pub(crate) seq: i64,
    pub(crate) signature: [u8; 64],
    pub(crate) salt: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Signed {
    pub(crate) fn new(key: u8, seq: i64, salt: &[u8], value: Vec<u8>) -> Self {
        let own = signer(key);
        let signature = own.sign(&signed_part(salt, seq, &value)).to_bytes();
        Self { key: own.verifying_key().to_bytes(), seq, signature, salt: salt.to_vec(), value }
    }

    pub(crate) fn draw(tape: &mut Tape<'_>) -> Self {
        let (key, seq) = (key(tape), seq(tape));
        Self::new(key, seq, b"", value(tape))
    }

    /// One that a user may put.
    pub(crate) fn draw_own(tape: &mut Tape<'_>) -> Self {
        let (key, seq, value) = (key(tape), seq(tape), value(tape));
        Self::new(key, seq, b"", if value.len() > 1000 { string(996) } else { value })
    }

    pub(crate) fn target(&self) -> Id {
        Id(Sha1::new().chain_update(self.key).chain_update(&self.salt).finalize().into())
    }

    pub(crate) fn held(&self) -> Held<'_> {
        Held { key: &self.key, seq: self.seq, signature: &self.signature }
    }

    pub(crate) fn stored(self, cas: Option<i64>) -> Stored {
        let target = self.target();
        Stored { target, key: self.key, seq: self.seq, signature: self.signature, value: self.value, cas }
    }
}

/// There are three, made once, since making one takes longer than all else.
fn signer(key: u8) -> &'static SigningKey {
    static KEYS: OnceLock<[SigningKey; 3]> = OnceLock::new();
    &KEYS.get_or_init(|| [1, 2, 3].map(|key| SigningKey::from_bytes(&[key; 32])))[usize::from(key - 1)]
}

/// What a signature is over.
pub(crate) fn signed_part(salt: &[u8], seq: i64, value: &[u8]) -> Vec<u8> {
    let mut part = Vec::new();
    if !salt.is_empty() {
        part.extend([format!("4:salt{}:", salt.len()).as_bytes(), salt].concat());
    }
    part.extend([format!("3:seqi{seq}e1:v").as_bytes(), value].concat());
    part
}

pub(crate) fn key(tape: &mut Tape<'_>) -> u8 {
    1 + tape.byte() % 3
}

pub(crate) fn seq(tape: &mut Tape<'_>) -> i64 {
    match tape.byte() {
        255 => i64::MAX,
        254 => i64::MIN,
        253 => -1,
        small => i64::from(small % 8),
    }
}

/// What is searched for: the same few things, so that searches meet.
pub(crate) fn target(tape: &mut Tape<'_>) -> Id {
    let number = tape.byte() % 8;
    if number < 4 {
        return Id([number; 20]);
    }
    let key = signer(1 + number % 3).verifying_key().to_bytes();
    Id(Sha1::digest(key).into())
}
