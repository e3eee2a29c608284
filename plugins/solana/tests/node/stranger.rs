//! Somebody else on the chain, who writes what they like. Makes transactions in a way of its own, byte by byte.

use data_encoding::BASE64;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use super::Surfnet;

/// A key with money.
pub struct Stranger {
    key: SigningKey,
}

const MEMO: &str = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr";

impl Stranger {
    /// Number so-and-so, with a whole SOL.
    pub fn new(node: &Surfnet, number: u16) -> Self {
        let mut seed = [0x5a; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        let stranger = Self { key: SigningKey::from_bytes(&seed) };
        node.fund(&stranger.address(), 1_000_000_000);
        stranger
    }

    pub fn address(&self) -> String {
        text(&self.key.verifying_key().to_bytes())
    }

    /// Writes memos in transactions that name an address, one each; the names of the transactions.
    pub fn write(&self, node: &Surfnet, place: [u8; 32], memos: &[Vec<u8>]) -> Vec<String> {
        let some = memos.chunks(50).flat_map(|memos| {
            let latest = node.ask("getLatestBlockhash", json!([{ "commitment": "confirmed" }]));
            let blockhash = bytes(latest["value"]["blockhash"].as_str().unwrap());
            memos.iter().map(move |memo| self.write_one(node, place, blockhash, memo)).collect::<Vec<_>>()
        });
        some.collect()
    }

    fn write_one(&self, node: &Surfnet, place: [u8; 32], blockhash: [u8; 32], memo: &[u8]) -> String {
        let wanted = json!({ "encoding": "base64", "skipPreflight": true });
        let sent =
            node.ask("sendTransaction", json!([BASE64.encode(&self.memo(place, blockhash, memo)), wanted]));
        sent.as_str().unwrap().to_owned()
    }

    /// A transaction that moves nothing, names a place, and has a text.
    pub fn memo(&self, place: [u8; 32], blockhash: [u8; 32], memo: &[u8]) -> Vec<u8> {
        let own = self.key.verifying_key().to_bytes();
        let mut message = vec![1, 0, 3, 4];
        for key in [own, [0; 32], bytes(MEMO), place, blockhash] {
            message.extend(key);
        }
        message.extend([2, 1, 3, 0, 0, 3, 12, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.extend([2, 0]);
        // Seven bits a byte, the lowest first.
        let [low, high] = u16::try_from(memo.len()).unwrap().to_le_bytes();
        message.extend(if memo.len() < 128 { vec![low] } else { vec![low | 0x80, high << 1 | low >> 7] });
        message.extend(memo);
        [&[1][..], &self.key.sign(&message).to_bytes(), &message].concat()
    }
}

pub fn text(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

pub fn bytes(text: &str) -> [u8; 32] {
    bs58::decode(text).into_vec().unwrap().try_into().unwrap()
}

/// The address that begins with a number.
pub fn address(number: u16) -> String {
    let mut bytes = [0x77; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    text(&bytes)
}
