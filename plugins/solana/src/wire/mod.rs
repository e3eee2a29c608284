//! What Solana's nodes take and keep, byte by byte. Pure.
//!
//! Source: "Transactions" of Solana's documentation, and what `solana-sdk` writes, with which the tests compare.

mod instruction;
mod key;
mod message;
mod transaction;

pub(crate) use instruction::{Instruction, MEMO_PROGRAM, STORE_PROGRAM};
pub(crate) use key::Key;
pub(crate) use message::Message;
#[cfg(any(test, fuzzing))]
pub(crate) use transaction::LARGEST;
pub(crate) use transaction::{Signature, Transaction, name_of};

#[cfg(test)]
mod vectors;
