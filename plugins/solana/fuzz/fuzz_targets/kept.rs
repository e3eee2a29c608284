//! What was read before, and what is on its way, as it may lie damaged in the cache.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_solana::fuzzing::kept(bytes));
