//! JSON that a node answers with.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_ethereum::fuzzing::answers(bytes));
