//! Transactions, memos that somebody has signed, and accounts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_solana::fuzzing::chain(bytes));
