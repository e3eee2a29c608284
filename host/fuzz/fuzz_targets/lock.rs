//! A `bitboot.lock`, and a `trust.toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bitboot::fuzzing::lock(text));
