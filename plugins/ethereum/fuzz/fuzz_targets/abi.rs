//! Events of the contract, and what its calls answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot_ethereum::fuzzing::abi(bytes));
