//! Transactions as they are signed and sent (EIP-1559, EIP-2718). Pure.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;

/// A transaction that is not signed yet. It moves no ether.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) chain: u64,
    pub(crate) nonce: u64,
    /// Wei for each unit of gas for whoever puts it into a block, at most.
    pub(crate) tip: u128,
    /// Wei for each unit of gas, at most, with what is burned.
    pub(crate) most: u128,
    pub(crate) gas: u64,
    /// The contract that is called; `None` makes a new one of the data.
    pub(crate) to: Option<Address>,
    pub(crate) data: Bytes,
}

/// One that is signed, as its bytes go to nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) bytes: Bytes,
    pub(crate) hash: B256,
}

/// The type of EIP-1559.
const TYPE: u8 = 2;

impl Transaction {
    /// What the key signs.
    pub(crate) fn digest(&self) -> B256 {
        keccak256(self.encode(&[]))
    }

    /// With a signature of 65 bytes: `r`, `s` and the recovery id. `None` for anything else.
    pub(crate) fn signed(&self, signature: &[u8]) -> Option<Signed> {
        let (scalars, parity) = signature.split_at_checked(64)?;
        let [parity @ (0 | 1)] = *parity else { return None };
        let (r, s) = (U256::from_be_slice(&scalars[..32]), U256::from_be_slice(&scalars[32..]));
        let bytes = self.encode(&[&parity, &r, &s]);
        Some(Signed { hash: keccak256(&bytes), bytes: bytes.into() })
    }

    /// The most that it can cost, in wei.
    pub(crate) fn cost(&self) -> U256 {
        U256::from(self.gas) * U256::from(self.most)
    }

    fn encode(&self, signature: &[&dyn Encodable]) -> Vec<u8> {
        let to = self.to.map_or_else(Bytes::new, |to| Bytes::copy_from_slice(to.as_slice()));
        let (nothing, accesses) = (U256::ZERO, Vec::<B256>::new());
        let fields: [&dyn Encodable; 9] = [
            &self.chain,
            &self.nonce,
            &self.tip,
            &self.most,
            &self.gas,
            &to,
            &nothing,
            &self.data,
            &accesses,
        ];
        let mut bytes = vec![TYPE];
        alloy_rlp::encode_list::<_, dyn Encodable>(&[&fields, signature].concat(), &mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256, bytes, hex};
    use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

    use super::*;

    /// A transaction of the real chain, as the tests of alloy and others have it.
    fn known() -> Transaction {
        Transaction {
            chain: 1,
            nonce: 0x42,
            tip: 0x3b9a_ca00,
            most: 0x4_a817_c800,
            gas: 44386,
            to: Some(address!("6069a6c32cf691f5982febae4faf8a6f3ab2f0f6")),
            data: bytes!(
                "a22cb4650000000000000000000000005eee75727d804a2b13038928d36f8b188945a57a0000000000000000000000000000000000000000000000000000000000000000"
            ),
        }
    }

    const SIGNATURE: [u8; 65] = hex!(
        "840cfc572845f5786e702984c2a582528cad4b49b2a10b9db1be7fca90058565"
        "25e7109ceb98168d95b09b18bbf6b685130e0562f233877d492b94eee0c5b6d1"
        "00"
    );

    #[test]
    fn a_known_transaction_has_its_bytes_its_hash_and_its_sender() {
        let signed = known().signed(&SIGNATURE).unwrap();
        assert_eq!(
            signed.bytes,
            bytes!(
                "02f8b00142843b9aca008504a817c80082ad62946069a6c32cf691f5982febae4faf8a6f3ab2f0f680b844a22cb4650000000000000000000000005eee75727d804a2b13038928d36f8b188945a57a0000000000000000000000000000000000000000000000000000000000000000c080a0840cfc572845f5786e702984c2a582528cad4b49b2a10b9db1be7fca90058565a025e7109ceb98168d95b09b18bbf6b685130e0562f233877d492b94eee0c5b6d1"
            )
        );
        assert_eq!(signed.hash, b256!("0ec0b6a2df4d87424e5f6ad2a654e27aaeb7dac20ae9e8385cc09087ad532ee0"));
        let signature = Signature::from_slice(&SIGNATURE[..64]).unwrap();
        let id = RecoveryId::from_byte(SIGNATURE[64]).unwrap();
        let key = VerifyingKey::recover_from_prehash(known().digest().as_slice(), &signature, id).unwrap();
        let point = key.to_sec1_point(false);
        assert_eq!(
            Address::from_raw_public_key(&point.as_bytes()[1..]),
            address!("dd6b8b3dc6b7ad97db52f08a275ff4483e024cea")
        );
        assert_eq!(known().cost(), U256::from(44386_u64 * 20_000_000_000));
    }

    #[test]
    fn what_is_no_signature_makes_no_transaction() {
        let with = |last: u8| [&SIGNATURE[..64], &[last]].concat();
        assert!(known().signed(&with(1)).is_some());
        assert!(known().signed(&with(2)).is_none() && known().signed(&with(27)).is_none());
        assert!(known().signed(&SIGNATURE[..64]).is_none() && known().signed(&[]).is_none());
        assert!(known().signed(&[&SIGNATURE[..], &[0]].concat()).is_none());
    }

    #[test]
    fn leading_zeros_of_a_signature_are_left_out() {
        let mut short = SIGNATURE;
        short[0] = 0;
        let (short, full) = (known().signed(&short).unwrap(), known().signed(&SIGNATURE).unwrap());
        assert_eq!(short.bytes.len() + 1, full.bytes.len());
    }
}
