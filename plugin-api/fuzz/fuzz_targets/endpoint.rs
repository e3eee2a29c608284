//! Text that claims to be an endpoint.
#![no_main]

use bitboot_plugin_api::Endpoint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(endpoint) = text.parse::<Endpoint>() else { return };
    assert_ne!(endpoint.port(), 0);
    let printed = endpoint.to_string();
    // What is shown to a user is short, and has nothing in it that a terminal would obey.
    assert!(printed.len() <= Endpoint::MAX_TEXT && printed.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(printed.parse(), Ok(endpoint));
});
