//! An `index.toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot::fuzzing::index(bytes));
