//! A transaction of format 2 with its data in one chunk: made, signed by others, and verified.

use ring::digest::{Context, SHA256, digest};
use ring::signature::{RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Serialize};

use crate::backend::MAX_VALUE;
use crate::base64url::{Base64Url, encode};
use crate::deep_hash::{Item, LENGTH, deep_hash};

/// A transaction as gateways have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    format: u8,
    id: Base64Url,
    /// A block of late: in another chain, or later than some 50 blocks after it, the transaction is worth nothing.
    last_tx: Base64Url,
    /// The modulus of the key that pays.
    owner: Base64Url,
    tags: Vec<Tag>,
    target: Base64Url,
    quantity: String,
    /// Only on its way to a gateway.
    #[serde(default)]
    data: Base64Url,
    data_size: String,
    data_root: Base64Url,
    /// In winston.
    reward: String,
    signature: Base64Url,
}

/// What anybody can look transactions up by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) name: Base64Url,
    pub(crate) value: Base64Url,
}

/// The bytes of a key's modulus: keys of 4096 bits.
pub(crate) const OWNER: usize = 512;
/// The exponent of every key, 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// The most data that one chunk holds; what is announced is far less.
const CHUNK: usize = 256 << 10;
const _: () = assert!(MAX_VALUE < CHUNK, "the root is that of one chunk");

impl Transaction {
    /// One that stores data and pays nobody, still to be signed.
    pub(crate) fn new(owner: &[u8], anchor: Vec<u8>, reward: u128, tags: Vec<Tag>, data: &[u8]) -> Self {
        Self {
            format: 2,
            id: Base64Url::default(),
            last_tx: Base64Url(anchor),
            owner: Base64Url(owner.to_vec()),
            tags,
            target: Base64Url::default(),
            quantity: "0".into(),
            data: Base64Url(data.to_vec()),
            data_size: data.len().to_string(),
            data_root: Base64Url(root(data).to_vec()),
            reward: reward.to_string(),
            signature: Base64Url::default(),
        }
    }

    /// What its owner signs: everything but the id and the data, which the root stands for.
    pub(crate) fn message(&self) -> [u8; LENGTH] {
        deep_hash(&Item::List(vec![
            Item::Blob(self.format.to_string().as_bytes()),
            Item::Blob(&self.owner.0),
            Item::Blob(&self.target.0),
            Item::Blob(self.quantity.as_bytes()),
            Item::Blob(self.reward.as_bytes()),
            Item::Blob(&self.last_tx.0),
            Item::List(self.tags.iter().map(Tag::item).collect()),
            Item::Blob(self.data_size.as_bytes()),
            Item::Blob(&self.data_root.0),
        ]))
    }

    /// With its owner's signature, which decides its id.
    pub(crate) fn signed(mut self, signature: Vec<u8>) -> Self {
        self.id = Base64Url(sha256(&signature).to_vec());
        self.signature = Base64Url(signature);
        self
    }

    pub(crate) fn id(&self) -> String {
        encode(&self.id.0)
    }

    /// The address of its owner.
    pub(crate) fn address(&self) -> [u8; 32] {
        sha256(&self.owner.0)
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn owner(&self) -> &[u8] {
        &self.owner.0
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature.0
    }

    /// Whether it has this id, and its owner signed all of it.
    pub(crate) fn is_signed(&self, id: &[u8; 32]) -> bool {
        let key = RsaPublicKeyComponents { n: self.owner.0.as_slice(), e: EXPONENT.as_slice() };
        self.format == 2
            && sha256(&self.signature.0) == *id
            && self.owner.0.len() == OWNER
            && key.verify(&RSA_PSS_2048_8192_SHA256, &self.message(), &self.signature.0).is_ok()
    }

    /// Whether its owner meant these data.
    pub(crate) fn holds(&self, data: &[u8]) -> bool {
        self.data_size == data.len().to_string() && self.data_root.0 == root(data)
    }
}

impl Tag {
    fn item(&self) -> Item<'_> {
        Item::List(vec![Item::Blob(&self.name.0), Item::Blob(&self.value.0)])
    }
}

/// The root of the tree of chunks, where the tree is one leaf.
fn root(data: &[u8]) -> [u8; 32] {
    let mut end = [0; 32];
    end[24..].copy_from_slice(&(data.len() as u64).to_be_bytes());
    let mut leaf = Context::new(&SHA256);
    leaf.update(&sha256(&sha256(data)));
    leaf.update(&sha256(&end));
    array(leaf.finish().as_ref())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest(&SHA256, bytes).as_ref())
}

fn array(hash: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash);
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::base64url::decode_hash;

    /// What arweave-js 1.15 signed, and the message that it signed.
    fn theirs() -> (Value, String) {
        let read: Value = serde_json::from_str(include_str!("../tests/vector.json")).unwrap();
        (read["transaction"].clone(), read["deep_hash"].as_str().unwrap().to_owned())
    }

    fn read(value: &Value) -> Transaction {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn what_others_sign_is_understood_and_written_alike() {
        let (value, deep) = theirs();
        let transaction = read(&value);
        assert_eq!(encode(&transaction.message()), deep);
        let id = decode_hash(value["id"].as_str().unwrap()).unwrap();
        assert!(transaction.is_signed(&id) && transaction.holds(&transaction.data.0));
        assert_eq!(serde_json::to_value(&transaction).unwrap(), value);
        let ours = Transaction::new(
            &transaction.owner.0,
            transaction.last_tx.0.clone(),
            65_595_508,
            transaction.tags.clone(),
            &transaction.data.0,
        );
        assert_eq!(ours.message(), transaction.message());
        assert_eq!(ours.signed(transaction.signature.0.clone()), transaction);
    }

    #[test]
    fn nothing_of_it_can_be_changed() {
        let (value, _) = theirs();
        let (good, id) = (read(&value), decode_hash(value["id"].as_str().unwrap()).unwrap());
        let data = good.data.0.clone();
        let fields = ["format", "last_tx", "owner", "target", "quantity", "data_size", "data_root", "reward"];
        for field in fields {
            let mut changed = value.clone();
            changed[field] = match field {
                "format" => 1.into(),
                "quantity" | "reward" | "data_size" => "36".into(),
                _ => encode(&[7; OWNER]).into(),
            };
            assert!(!read(&changed).is_signed(&id), "{field}");
        }
        let mut tagged = good.clone();
        tagged.tags[2].value.0[0] ^= 1;
        assert!(!tagged.is_signed(&id));
        for changed in [&data[1..], &[&data[..], b"!"].concat(), b""] {
            assert!(!good.holds(changed));
        }
        assert!(!good.is_signed(&[0; 32]), "another id");
        let mut forged = good.clone();
        forged.signature.0[9] ^= 1;
        assert!(
            !forged.is_signed(&sha256(&forged.signature.0)),
            "an id that fits, a signature that does not"
        );
    }

    #[test]
    fn what_is_no_transaction_is_none() {
        let (value, _) = theirs();
        for (field, wrong) in
            [("owner", "a+b".into()), ("tags", Value::Null), ("format", 900.into()), ("signature", 7.into())]
        {
            let mut changed = value.clone();
            changed[field] = wrong;
            assert!(serde_json::from_value::<Transaction>(changed).is_err(), "{field}");
        }
    }

    #[test]
    fn a_real_gateway_takes_what_is_signed_and_nothing_else() {
        let Some(node) = crate::node::started() else { return };
        let key = crate::key::Key::read(include_str!("../tests/keys/throwaway-1.json"));
        let anchor = crate::base64url::decode(&node.get("/tx_anchor")).unwrap();
        let tags = crate::topic::Topic([7; 32]).tags();
        let draft = Transaction::new(&key.modulus, anchor, 65_595_508, tags, b"a value");
        let good = draft.clone().signed(key.sign(&draft.message()));
        let address = encode(&good.address());
        let hand_over =
            |transaction: &Transaction| node.post("/tx", &serde_json::to_string(transaction).unwrap());
        assert_eq!(hand_over(&good), 410, "the wallet is empty");
        node.fund(&address, 1_000_000_000);
        let mut tampered = good.clone();
        tampered.tags[2].value.0[0] ^= 1;
        let mut forged = good.clone();
        forged.signature.0[100] ^= 1;
        let forged = forged.clone().signed(forged.signature.0);
        let mut other = good.clone();
        other.data = Base64Url(b"another".to_vec());
        for bad in [tampered, forged, other] {
            assert_eq!(hand_over(&bad), 400, "{bad:?}");
        }
        assert_eq!(node.balance(&address), 1_000_000_000);
        assert_eq!(hand_over(&good), 200);
        assert_eq!((node.balance(&address), node.announced().len()), (1_000_000_000 - 65_595_508, 1));
    }
}
