use std::time::Duration;

use bitboot_plugin_api::__border::{keep, say};
use bitboot_plugin_api::ffi::Kind;
use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, Found, Host, Query, Receipt, Result, message,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Says what cannot be understood, past the SDK, which would not let it.
pub(crate) struct Garbage(What);

/// What is said in a lookup.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GarbageConfig {
    what: What,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    /// A peer whose body is no MessagePack.
    NoMessage,
    /// A peer whose endpoint is none.
    NoEndpoint,
    /// A peer that nests for ever.
    Nested,
    /// A value of more than a message may have.
    TooLong,
    /// An event that no host knows.
    UnknownKind,
    /// An end whose body is no MessagePack.
    NoResult,
    /// A failure whose body is no MessagePack.
    NoError,
    /// Two ends.
    TwoEnds,
    /// Values for half a second after the end.
    AfterTheEnd,
}

impl Backend for Garbage {
    const KIND: &'static str = "garbage";
    type Config = GarbageConfig;

    async fn open(config: GarbageConfig, _host: Host) -> Result<Self> {
        Ok(Self(config.what))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only talks"))
    }

    async fn lookup(&self, _query: Query, found: Found) -> Result<()> {
        let peer = Kind::Peer as u8;
        match self.0 {
            What::NoMessage => say(&found, peer, &[0xc1]),
            What::NoEndpoint => say(&found, peer, &message::encode(&[("endpoint", "no:0")])),
            What::Nested => say(&found, peer, &vec![0x91; 100_000]),
            What::TooLong => say(&found, Kind::Value as u8, &vec![7; message::MAX + 1]),
            What::UnknownKind => say(&found, 99, &[0xc1]),
            What::NoResult => say(&found, Kind::Done as u8, &[0xc1]),
            What::NoError => say(&found, Kind::Failed as u8, &[0xc1]),
            What::TwoEnds => say(&found, Kind::Done as u8, &message::encode(&())),
            What::AfterTheEnd => {
                let say = keep(&found);
                std::thread::spawn(move || talk_on(&say));
            }
        }
        Ok(())
    }
}

fn talk_on(say: &dyn Fn(u8, &[u8])) {
    for _ in 0..500 {
        std::thread::sleep(Duration::from_millis(1));
        say(Kind::Value as u8, b"and another thing");
    }
}
