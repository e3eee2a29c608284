//! A `registry.toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bitboot::fuzzing::registry(text));
