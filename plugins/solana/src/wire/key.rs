use std::fmt;

use sha2::{Digest, Sha256};

/// 32 bytes that name an account, a program, or a block; shown in base58.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) [u8; 32]);

impl Key {
    /// Of its text, at compile time.
    pub(super) const fn of_constant(text: &str) -> Self {
        Self(bs58::decode(text.as_bytes()).into_array_const_unwrap())
    }

    /// SHA-256 of some parts, one behind the other.
    pub(crate) fn hash(parts: &[&[u8]]) -> Self {
        Self(parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().into())
    }

    /// Of its text, as nodes write it.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        bytes_of_text(text).map(Self)
    }
}

/// As many bytes as are wanted, in base58; `None` for any other number of them.
pub(super) fn bytes_of_text<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = bs58::decode(text).onto(&mut bytes).ok()?;
    (length == N).then_some(bytes)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_text_of_base58() {
        let text = "Config1111111111111111111111111111111111111";
        assert_eq!(Key::of_text(text).unwrap().to_string(), text);
        assert_eq!(Key([0; 32]).to_string(), "11111111111111111111111111111111");
        for bad in ["", "1", &format!("{text}11"), "0OIl"] {
            assert_eq!(Key::of_text(bad), None, "{bad}");
        }
        assert_eq!(Key::of_text(&"z".repeat(100_000)), None);
    }
}
