//! Every body that crosses the border. The first byte says which is expected.
#![no_main]

use std::fmt::Debug;

use bitboot_plugin_api::{
    Action, Announcement, CacheEntry, Call, Caps, Error, Health, Held, KindInfo, LogLine, Peer, Progress,
    Query, Quote, Receipt, Write, message,
};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, body)) = bytes.split_first() else { return };
    match which % 17 {
        0 => survives::<Announcement>(body),
        1 => survives::<Peer>(body),
        2 => survives::<Query>(body),
        3 => survives::<Receipt>(body),
        4 => survives::<Quote>(body),
        5 => survives::<Caps>(body),
        6 => survives::<Error>(body),
        7 => survives::<Health>(body),
        8 => survives::<Call>(body),
        9 => survives::<Action>(body),
        10 => survives::<KindInfo>(body),
        11 => survives::<Progress>(body),
        12 => survives::<LogLine>(body),
        13 => survives::<CacheEntry>(body),
        14 => survives::<serde_json::Value>(body),
        15 => survives::<Write>(body),
        _ => survives::<Held>(body),
    }
});

/// What can be read is the same after it was written and read again.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(body: &[u8]) {
    if let Ok(read) = message::decode::<T>(body) {
        let written = message::encode(&read);
        assert_eq!(message::decode::<T>(&written).as_ref(), Ok(&read));
    }
}
