//! A stream of frames, cut anywhere.
#![no_main]

use bitboot_plugin_api::ffi::frame::{Frame, MAX_BODY};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    while let Ok(Some((frame, used))) = Frame::read(rest) {
        assert!(used <= rest.len() && frame.body.len() <= MAX_BODY);
        let mut again = Vec::new();
        assert!(frame.write(&mut again));
        assert_eq!(again, rest[..used]);
        // A frame that is not all there is waited for, never misread.
        assert_eq!(Frame::read(&rest[..used - 1]), Ok(None));
        rest = &rest[used..];
    }
});
