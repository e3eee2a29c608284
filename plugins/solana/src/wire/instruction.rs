use super::Key;

/// What one program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(super) program: Key,
    pub(super) accounts: Vec<Meta>,
    pub(super) data: Vec<u8>,
}

/// An account that an instruction names, and what it may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) key: Key,
    pub(super) signs: bool,
    pub(super) writable: bool,
}

/// Keeps accounts with some keys and bytes, which those of the keys that sign may change.
pub(crate) const STORE_PROGRAM: Key = Key::of_constant("Config1111111111111111111111111111111111111");
/// Takes a text and does nothing with it.
pub(crate) const MEMO_PROGRAM: Key = Key::of_constant("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
const SYSTEM_PROGRAM: Key = Key([0; 32]);
const BUDGET_PROGRAM: Key = Key::of_constant("ComputeBudget111111111111111111111111111111");

impl Instruction {
    /// Creates an account of a program, with so many bytes and lamports; its key signs.
    pub(crate) fn create(payer: Key, account: Key, lamports: u64, space: u64, program: Key) -> Self {
        let data = [&0_u32.to_le_bytes()[..], &lamports.to_le_bytes(), &space.to_le_bytes(), &program.0];
        let accounts = vec![Meta::signer(payer), Meta::signer(account)];
        Self { program: SYSTEM_PROGRAM, accounts, data: data.concat() }
    }

    /// Writes the bytes of an account of the [`STORE_PROGRAM`]. The first time its own key has to sign, later its writer only.
    pub(crate) fn store(account: Key, writer: Key, is_first: bool, data: Vec<u8>) -> Self {
        let account = Meta { key: account, signs: is_first, writable: true };
        let writer = Meta { key: writer, signs: true, writable: false };
        Self { program: STORE_PROGRAM, accounts: vec![account, writer], data }
    }

    /// Moves nothing from an account to itself, and names another one, so that the transaction is found by its address.
    pub(crate) fn name(payer: Key, named: Key) -> Self {
        let data = [&2_u32.to_le_bytes()[..], &0_u64.to_le_bytes()].concat();
        let named = Meta { key: named, signs: false, writable: false };
        Self {
            program: SYSTEM_PROGRAM,
            accounts: vec![Meta::signer(payer), Meta::signer(payer), named],
            data,
        }
    }

    /// A text for everybody to read.
    pub(crate) fn memo(text: String) -> Self {
        Self { program: MEMO_PROGRAM, accounts: Vec::new(), data: text.into_bytes() }
    }

    /// The most work that the whole transaction may make.
    pub(crate) fn limit(units: u32) -> Self {
        let data = [&[2][..], &units.to_le_bytes()].concat();
        Self { program: BUDGET_PROGRAM, accounts: Vec::new(), data }
    }

    /// What is paid for each unit of that work, in millionths of a lamport.
    pub(crate) fn price(micro_lamports: u64) -> Self {
        let data = [&[3][..], &micro_lamports.to_le_bytes()].concat();
        Self { program: BUDGET_PROGRAM, accounts: Vec::new(), data }
    }
}

impl Meta {
    fn signer(key: Key) -> Self {
        Self { key, signs: true, writable: true }
    }
}
