//! What was read before, as it may lie damaged in the cache.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_ethereum::fuzzing::kept(bytes));
