//! What must hold whatever nodes answer and whatever stands in the chain. `fuzz/` feeds it for as long as one likes, the tests below with its
//! corpus and with chance.

use bitcoin::consensus::encode::{deserialize, serialize, serialize_hex};
use bitcoin::key::CompressedPublicKey;
use bitcoin::secp256k1::{self, PublicKey, Secp256k1, SecretKey};
use bitcoin::sighash::SighashCache;
use bitcoin::{
    Amount, Block, EcdsaSighashType, ScriptBuf, Transaction, TxIn, TxOut, Witness, absolute, ecdsa,
    transaction,
};

use crate::message::{MAX_VALUE, Message, claimed_author};
pub use crate::node::fuzzing::answers;
use crate::node::fuzzing::block_is;
pub use crate::scan::fuzzing::kept;
use crate::scan::fuzzing::{find_of, is_candidate};

/// What stands in the chain: the first byte says whether a block, a transaction, or a script that somebody has signed.
pub fn chain(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    match first % 3 {
        0 => {
            let Ok(block) = deserialize::<Block>(rest) else { return };
            block_is(&serialize_hex(&block), block.block_hash());
            block.txdata.iter().for_each(says);
        }
        1 => {
            let Ok(transaction) = deserialize::<Transaction>(rest) else { return };
            assert_eq!(
                deserialize::<Transaction>(&serialize(&transaction)).ok().as_ref(),
                Some(&transaction)
            );
            says(&transaction);
        }
        _ => says_what_is_signed(rest),
    }
}

/// What a transaction says is the same after it was written and read again. Nobody has signed it for us.
fn says(transaction: &Transaction) {
    let message = Message::of(transaction);
    let author = claimed_author(transaction);
    // What comes into being with a block nobody has signed.
    let may_be_signed = !transaction.is_coinbase();
    assert_eq!(is_candidate(transaction), may_be_signed && message.is_some() && author.is_some());
    let find = find_of(transaction, Amount::ONE_BTC, 1);
    assert!(find.is_none_or(|find| Some(find.author) == author.map(|author| author.to_bytes())));
    let Some(message) = message else { return };
    assert!((1..=MAX_VALUE).contains(&message.value.len()));
    let Ok(script) = message.script() else { panic!("{message:?}") };
    let written = of(script);
    assert_eq!(Message::of(&written).as_ref(), Some(&message));
}

/// What the owner of a key has signed is found with that key, and no other transaction is.
fn says_what_is_signed(script: &[u8]) {
    let (curve, spent) = (Secp256k1::new(), Amount::from_sat(10_000));
    let Ok(secret) = SecretKey::from_slice(&[1; 32]) else { return };
    let author = CompressedPublicKey(PublicKey::from_secret_key(&curve, &secret));
    let mut transaction = of(ScriptBuf::from_bytes(script.to_vec()));
    let owner = ScriptBuf::new_p2wpkh(&author.wpubkey_hash());
    let sighash_type = EcdsaSighashType::All;
    let digest = SighashCache::new(&transaction).p2wpkh_signature_hash(0, &owner, spent, sighash_type);
    let Ok(digest) = digest else { return };
    let signature = curve.sign_ecdsa(&secp256k1::Message::from(digest), &secret);
    transaction.input[0].witness = Witness::p2wpkh(&ecdsa::Signature { signature, sighash_type }, &author.0);
    let found = |transaction: &Transaction, spent| {
        find_of(transaction, spent, 1).map(|find| (find.author, find.tag, find.value))
    };
    let said = Message::of(&transaction).map(|message| (author.to_bytes(), message.tag, message.value));
    assert_eq!(found(&transaction, spent), said);
    assert_eq!(found(&transaction, spent + Amount::ONE_SAT), None);
    transaction.output[0].value = Amount::ONE_SAT;
    assert_eq!(found(&transaction, spent), None);
}

/// A transaction with one input and one output.
fn of(script_pubkey: ScriptBuf) -> Transaction {
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn::default()],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey }],
    }
}

#[cfg(test)]
mod tests {
    use bitboot_rpc::testing::hold;

    #[test]
    fn the_checks_hold() {
        hold(
            env!("CARGO_MANIFEST_DIR"),
            512,
            &[("answers", super::answers), ("chain", super::chain), ("kept", super::kept)],
        );
    }
}
