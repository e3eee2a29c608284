//! Blocks and transactions, and scripts that somebody has signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_bitcoin::fuzzing::chain(bytes));
