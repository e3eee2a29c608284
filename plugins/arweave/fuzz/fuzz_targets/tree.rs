//! What is hashed of a transaction, and base64url.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_arweave::fuzzing::tree(bytes));
