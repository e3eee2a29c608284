//! JSON of a transaction, or of changes to one that somebody has signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_arweave::fuzzing::transaction(bytes));
