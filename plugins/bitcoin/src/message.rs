//! What stands in an `OP_RETURN` output, and who wrote it.

use bitboot_plugin_api::{Locator, Result};
use bitcoin::blockdata::opcodes::all::OP_RETURN;
use bitcoin::blockdata::script::{Builder, Instruction, PushBytesBuf};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::CompressedPublicKey;
use bitcoin::secp256k1::{self, Secp256k1};
use bitcoin::sighash::SighashCache;
use bitcoin::{Amount, EcdsaSighashType, ScriptBuf, Transaction, WPubkeyHash, ecdsa};

/// The tag before a value: two bytes that say what it is, six that the locator decides.
pub(crate) type Tag = [u8; 8];

/// The first two bytes of every tag, so that a reader can keep what may be asked for later without keeping everything.
const MARK: [u8; 2] = [0xb0, 0x07];
/// What every node relays in an `OP_RETURN` output (Bitcoin Core before version 30, Bitcoin Knots).
const ROOM: usize = 80;
/// The largest value.
pub(crate) const MAX_VALUE: usize = ROOM - 8;

/// A value under a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) tag: Tag,
    pub(crate) value: Vec<u8>,
}

/// Where the announcements of a locator are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// What their values stand under.
    pub(crate) tag: Tag,
    /// What those pay that are to be found by filters of blocks (BIP 158), which leave `OP_RETURN` out: a witness program of 20 bytes of a
    /// hash (BIP 141). It is the hash of nobody's key, so what is paid there is lost.
    pub(crate) index: ScriptBuf,
}

impl Place {
    pub(crate) fn of(locator: &Locator) -> Self {
        let hash = |domain: &[u8]| sha256::Hash::hash(&[domain, locator.as_bytes()].concat()).to_byte_array();
        let mut tag = [0; 8];
        tag[..2].copy_from_slice(&MARK);
        tag[2..].copy_from_slice(&hash(b"bitboot/1 bitcoin")[..6]);
        let mut program = [0; 20];
        program.copy_from_slice(&hash(b"bitboot/1 bitcoin index")[..20]);
        Self { tag, index: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(program)) }
    }
}

impl Message {
    /// The script of the output.
    ///
    /// # Errors
    /// Where the value is longer than any script takes.
    pub(crate) fn script(&self) -> Result<ScriptBuf> {
        let data = PushBytesBuf::try_from([&self.tag[..], &self.value].concat())?;
        Ok(Builder::new().push_opcode(OP_RETURN).push_slice(data).into_script())
    }

    /// The message of a transaction: of its first output that has one.
    pub(crate) fn of(transaction: &Transaction) -> Option<Self> {
        transaction.output.iter().find_map(|output| {
            let mut steps = output.script_pubkey.instructions();
            let (first, second) = (steps.next()?.ok()?, steps.next()?.ok()?);
            let (Instruction::Op(OP_RETURN), Instruction::PushBytes(data)) = (first, second) else {
                return None;
            };
            let (tag, value) = data.as_bytes().split_first_chunk::<8>()?;
            let is_ours =
                tag.starts_with(&MARK) && (1..=MAX_VALUE).contains(&value.len()) && steps.next().is_none();
            is_ours.then(|| Self { tag: *tag, value: value.to_vec() })
        })
    }
}

/// The key that seems to have signed the first input, as P2WPKH has it (BIP 141): still to be [verified](verifies).
pub(crate) fn claimed_author(transaction: &Transaction) -> Option<CompressedPublicKey> {
    let witness = &transaction.input.first()?.witness;
    (witness.len() == 2).then(|| CompressedPublicKey::from_slice(witness.nth(1)?).ok()).flatten()
}

/// Whether the owner of a key signed the whole transaction with its first input, which spends so much (BIP 143). It need not be believed
/// that the input is what it seems: no signature fits by chance.
pub(crate) fn verifies(transaction: &Transaction, author: &CompressedPublicKey, spent: Amount) -> bool {
    let signed = || {
        let signature = ecdsa::Signature::from_slice(transaction.input.first()?.witness.nth(0)?).ok()?;
        // Any other kind would leave the message open to be changed by others.
        (signature.sighash_type == EcdsaSighashType::All).then_some(())?;
        let script = ScriptBuf::new_p2wpkh(&author.wpubkey_hash());
        let digest = SighashCache::new(transaction)
            .p2wpkh_signature_hash(0, &script, spent, EcdsaSighashType::All)
            .ok()?;
        let key = &author.0;
        Secp256k1::verification_only()
            .verify_ecdsa(&secp256k1::Message::from(digest), &signature.signature, key)
            .ok()
    };
    signed().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_has_a_tag_and_an_index_output_that_say_nothing_of_each_other() {
        let [one, other] = [[7; 20], [8; 20]].map(|bytes| Place::of(&Locator::new(&bytes).unwrap()));
        assert!(one.index.is_p2wpkh() && one.index != other.index && one.tag != other.tag);
        assert!(!one.index.as_bytes()[2..].starts_with(&one.tag[2..]));
        // What others write by another implementation of this rule has to be the same for ever.
        assert_eq!(one.tag.map(|byte| format!("{byte:02x}")).concat(), "b0076af6a134ec23");
        assert_eq!(one.index.to_hex_string(), "001450a6bde8e11225d925db59ed6cc0af6cdaf6cf77");
    }
}
