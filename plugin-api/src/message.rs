//! Bodies of messages: MessagePack maps by field name.
//!
//! Names instead of positions let a host of API 1.1 talk to a plugin of 1.0 and the reverse: an unknown field is skipped, a missing
//! one has its default.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result};

/// The most bytes that one message body may have: 1 MiB.
pub const MAX: usize = 1 << 20;

/// How deep a body may nest. At `rmp-serde`'s own limit of 1024 a thread of a test build runs out of its stack.
const DEEPEST: usize = 128;

/// Encodes a body. Every type of this contract can be encoded, so there is no error to handle.
#[must_use]
pub fn encode<T: Serialize + ?Sized>(body: &T) -> Vec<u8> {
    // Only a `Serialize` that fails on purpose gets here; an empty body is refused by every decoder.
    rmp_serde::to_vec_named(body).unwrap_or_default()
}

/// Decodes a body that the other side of the border sent.
///
/// # Errors
/// [`ErrorKind::Integrity`] when the body is too long or is not what was expected.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    if body.len() > MAX {
        return Err(Error::new(
            ErrorKind::Integrity,
            format!("a message of {} bytes is longer than the {MAX} allowed", body.len()),
        ));
    }
    let mut reader = rmp_serde::Deserializer::from_read_ref(body);
    reader.set_max_depth(DEEPEST);
    T::deserialize(&mut reader).map_err(|error| {
        Error::new(ErrorKind::Integrity, "a message could not be read").because(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::{
        Announcement, Author, Authored, Caps, Held, Locator, Peer, Query, Quote, Receipt, Scheme,
        SignRequest, Signed, Stores, Write,
    };

    fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(body: &T) {
        assert_eq!(&decode::<T>(&encode(body)).unwrap(), body);
    }

    #[test]
    fn every_message_survives_the_border() {
        let locator = Locator::new(&[7; 20]).unwrap();
        survives(&Announcement::new(locator.clone()).with_port(4001).with_value([1, 2, 3]));
        survives(&Announcement::new(locator.clone()).with_endpoint("[::1]:9".parse().unwrap()));
        survives(&Query::new(locator.clone()).with_limit(3));
        survives(&Write::new(locator.clone(), [0, 255]));
        survives(&Write::new(locator, []).with_after(u64::MAX));
        survives(&Held::new([0x80; 300], u64::MAX));
        survives(&Authored::new([0x80; 27], Author::new(&[0xff; 33]).unwrap()));
        survives(&Peer::new("peer.example:80".parse().unwrap()).with_expiry(60));
        survives(&Receipt::new(8, 20).with_note("IPv4 only"));
        survives(&Quote::of("0.1 TOL"));
        survives(&SignRequest::new(Scheme::EcdsaDer, [0x80; 32], "a test").with_fee("0 TOL"));
        survives(&Signed { bytes: vec![0; 512] });
        survives(&Caps::new(Stores::Values, 60));
        survives(&Error::new(ErrorKind::Conflict, "too late"));
        survives(&Error::new(ErrorKind::Refused, "no").because("so").fix("do"));
    }

    #[test]
    fn a_newer_message_is_read_by_an_older_reader() {
        #[derive(Serialize)]
        struct Newer {
            endpoint: &'static str,
            since_version_9: [u8; 3],
        }
        let body = encode(&Newer { endpoint: "[::1]:80", since_version_9: [1, 2, 3] });
        assert_eq!(decode::<Peer>(&body).unwrap(), Peer::new("[::1]:80".parse().unwrap()));
    }

    #[test]
    fn a_value_travels_as_bytes_and_not_as_numbers() {
        let value = [200; 100];
        let write = Write::new(Locator::new(&[7; Write::SLOT]).unwrap(), value);
        for message in [encode(&Held::new(value, 1)), encode(&write)] {
            assert!(message.windows(value.len()).any(|part| part == value), "{message:?}");
        }
    }

    #[test]
    fn capabilities_of_an_older_plugin_have_no_registers() {
        let caps = Caps { register: Some(996), ..Caps::new(Stores::Endpoints, 60) };
        let map = |caps: &Caps| decode::<serde_json::Value>(&encode(caps)).unwrap();
        assert_eq!(map(&caps)["register"], 996);
        assert_eq!(map(&Caps::new(Stores::Endpoints, 60)).get("register"), None);
    }

    #[test]
    fn what_is_too_long_or_hostile_is_an_error() {
        #[derive(Debug, Deserialize)]
        struct Anything {}
        assert_eq!(decode::<Anything>(&vec![0x80; MAX + 1]).unwrap_err().kind, ErrorKind::Integrity);
        // An array that claims four thousand million entries must not be believed, nor a nest be followed for ever.
        assert!(decode::<Vec<Peer>>(&[0xdd, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(decode::<serde_json::Value>(&vec![0x91; 100_000]).is_err());
    }

    #[test]
    fn a_deep_nest_needs_little_of_a_stack() {
        // A quarter of what a plugin's thread has; the test ends the process where it is not enough.
        let nest = || decode::<serde_json::Value>(&vec![0x91; MAX]).is_err();
        assert!(std::thread::Builder::new().stack_size(512 << 10).spawn(nest).unwrap().join().unwrap());
        let schema = [vec![0x91; DEEPEST - 2], vec![0xc0]].concat();
        assert!(decode::<serde_json::Value>(&schema).is_ok());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode::<Announcement>(&bytes);
            let _ = decode::<Peer>(&bytes);
            let _ = decode::<Write>(&bytes);
            let _ = decode::<Held>(&bytes);
            let _ = decode::<Error>(&bytes);
            let _ = decode::<SignRequest>(&bytes);
            let _ = decode::<Scheme>(&bytes);
            let _ = decode::<serde_json::Value>(&bytes);
        }
    }
}
