//! What a hostile worker says to the host.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|said: &[u8]| bitboot::fuzzing::worker(said));
