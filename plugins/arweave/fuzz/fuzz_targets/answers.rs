//! What a gateway answers, with its status.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_arweave::fuzzing::answers(bytes));
