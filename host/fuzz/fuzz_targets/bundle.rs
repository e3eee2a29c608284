//! A bundle, as a medium returns it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot::fuzzing::bundle(bytes));
