use std::fmt;
use std::net::IpAddr;

use crc::{CRC_32_ISCSI, Crc};

/// A node's id, or what is searched for: 160 bits (BEP 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 20]);

/// How far two ids are apart: their exclusive or, compared as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance([u8; 20]);

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

impl Id {
    /// The length in bytes.
    pub const LENGTH: usize = 20;

    /// The id in 20 bytes; `None` for any other number of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Any id at all.
    pub fn random(chance: &mut fastrand::Rng) -> Self {
        Self(std::array::from_fn(|_| chance.u8(..)))
    }

    /// An id that a node at this address may have (BEP 42): the first 21 bits follow from the address, the rest is chance.
    pub fn secure(ip: IpAddr, chance: &mut fastrand::Rng) -> Self {
        let mut id = Self::random(chance);
        let [first, second, third, _] = prefix(ip, id.0[19]).to_be_bytes();
        id.0[0] = first;
        id.0[1] = second;
        id.0[2] = (third & 0xf8) | (id.0[2] & 0x07);
        id
    }

    /// Whether a node at this address may have the id (BEP 42). Addresses of private networks may have any.
    #[must_use]
    pub fn is_secure(&self, ip: IpAddr) -> bool {
        if is_exempt(ip) {
            return true;
        }
        let [first, second, third, _] = prefix(ip, self.0[19]).to_be_bytes();
        self.0[0] == first && self.0[1] == second && self.0[2] & 0xf8 == third & 0xf8
    }

    /// The distance to another id.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        Distance(std::array::from_fn(|at| self.0[at] ^ other.0[at]))
    }

    /// Its first 64 bits as a number.
    #[must_use]
    pub(super) fn head(&self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(head)
    }

    /// How many leading bits two ids share, 160 when they are equal.
    #[must_use]
    pub fn shared_bits(&self, other: &Self) -> usize {
        self.distance(other).leading_zeros()
    }

    /// An id that shares exactly so many bits with this one, and is otherwise chance.
    #[must_use]
    pub fn sharing(&self, bits: usize, chance: &mut fastrand::Rng) -> Self {
        let mut id = Self::random(chance);
        let bits = bits.min(159);
        let (whole, rest) = (bits / 8, bits % 8);
        id.0[..whole].copy_from_slice(&self.0[..whole]);
        let kept = !(0xff_u8 >> rest);
        id.0[whole] = (self.0[whole] & kept) | (id.0[whole] & !kept);
        let turned = 0x80_u8 >> rest;
        id.0[whole] = (id.0[whole] & !turned) | (!self.0[whole] & turned);
        id
    }
}

impl Distance {
    /// The largest there is.
    pub const MAX: Self = Self([0xff; 20]);

    /// The distance that is this share of the largest, 0 to 1.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub fn of_share(share: f64) -> Self {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&((share * u64::MAX as f64) as u64).to_be_bytes());
        Self(bytes)
    }

    /// How many of its leading bits are 0.
    #[must_use]
    pub fn leading_zeros(&self) -> usize {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        zeros * 8 + self.0.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize)
    }

    /// The distance as a share of the largest, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn share(&self) -> f64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(head) as f64 / u64::MAX as f64
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Id(self.0).fmt(out)
    }
}

impl From<[u8; 20]> for Id {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

/// The first bits of the id of a node at an address, of which 21 count (BEP 42).
fn prefix(ip: IpAddr, chance: u8) -> u32 {
    const V6: [u8; 8] = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff];
    let chosen = chance & 0x07;
    match ip {
        IpAddr::V4(ip) => {
            let masked = u32::from(ip) & 0x030f_3fff | u32::from(chosen) << 29;
            CASTAGNOLI.checksum(&masked.to_be_bytes())
        }
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            let mut masked: [u8; 8] = std::array::from_fn(|at| octets[at] & V6[at]);
            masked[0] |= chosen << 5;
            CASTAGNOLI.checksum(&masked)
        }
    }
}

/// Private networks have no address that an id could follow from.
fn is_exempt(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(hex: &str) -> Id {
        Id(std::array::from_fn(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()))
    }

    /// The table of BEP 42.
    #[test]
    fn the_vectors_of_bep_42_hold() {
        for (ip, hex) in [
            ("124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"),
            ("21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"),
            ("65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"),
            ("84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"),
            ("43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"),
        ] {
            let ip = ip.parse().unwrap();
            assert!(id(hex).is_secure(ip), "{ip}");
            let mut other = id(hex);
            other.0[1] ^= 0x10;
            assert!(!other.is_secure(ip), "{ip}");
        }
    }

    #[test]
    fn a_secure_id_is_one_whatever_the_address() {
        let mut chance = fastrand::Rng::with_seed(1);
        for ip in ["203.0.113.7", "2001:db8::7", "127.0.0.1", "fe80::1"] {
            let ip: IpAddr = ip.parse().unwrap();
            for _ in 0..100 {
                assert!(Id::secure(ip, &mut chance).is_secure(ip));
            }
        }
        let elsewhere = "198.51.100.7".parse().unwrap();
        assert!(!Id::secure("203.0.113.7".parse().unwrap(), &mut chance).is_secure(elsewhere));
    }

    #[test]
    fn an_id_that_shares_bits_shares_just_those() {
        let mut chance = fastrand::Rng::with_seed(2);
        let own = Id::random(&mut chance);
        for bits in [0, 1, 7, 8, 9, 63, 158, 159] {
            assert_eq!(own.shared_bits(&own.sharing(bits, &mut chance)), bits);
        }
        assert_eq!(own.shared_bits(&own), 160);
        assert!(own.distance(&own).share() < f64::EPSILON && Distance::MAX.share() > 0.99);
    }
}
