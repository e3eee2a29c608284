//! A `.bbp`: the first byte says whether the rest is packed already, or an archive that is packed here.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bitboot::fuzzing::package(bytes));
