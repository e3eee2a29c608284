//! A record, as it lies in a bundle.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot::fuzzing::record(bytes));
