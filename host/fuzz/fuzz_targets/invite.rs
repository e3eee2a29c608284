//! An invite, or a name.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bitboot::fuzzing::invite(text));
