//! What the host and a worker say to each other: frames of the kinds below 16 are events of calls, as they come out of the border; those
//! from 16 on are named here. What a worker says is as little to be believed as its plugin.

use std::path::PathBuf;

use bitboot_plugin_api::ffi::frame::{Frame, FrameError};
use bitboot_plugin_api::ffi::outside::{Gate, Refusal};
use serde::{Deserialize, Serialize};

use super::sandbox::{Confine, InForce};

/// The version of this conversation. Both sides are the same program, unless it was replaced in between.
pub(super) const VERSION: u32 = 1;

/// Kinds of frame from the host to a worker.
pub(super) mod ask {
    /// Body: a [`Start`](super::Start). The first frame.
    pub(crate) const START: u8 = 16;
    /// Make a backend; `id` becomes its number. Body: the kind's name.
    pub(crate) const CREATE: u8 = 17;
    /// Start a call; `id` becomes its number. Body: the backend's number, 8 bytes, and an encoded `Call`.
    pub(crate) const CALL: u8 = 18;
    /// End a call.
    pub(crate) const CANCEL: u8 = 19;
    /// More events of a call may come. Body: how many, 4 bytes, and how many bytes of them, 4 bytes.
    pub(crate) const CREDIT: u8 = 20;
    /// The answer to a request of the plugin.
    pub(crate) const ANSWER: u8 = 21;
    /// The answer is no. Body: an encoded `Error`.
    pub(crate) const DENIAL: u8 = 22;
    /// A backend is no longer needed.
    pub(crate) const DROP: u8 = 23;
}

/// Kinds of frame from a worker to the host.
pub(super) mod tell {
    /// The plugin is open. Body: a [`Ready`](super::Ready).
    pub(crate) const READY: u8 = 32;
    /// It is not. Body: a [`Refused`](super::Refused).
    pub(crate) const REFUSED: u8 = 33;
    /// A backend is made.
    pub(crate) const CREATED: u8 = 34;
    /// It is not. Body: an encoded `Error`.
    pub(crate) const NOT_CREATED: u8 = 35;
    /// The plugin asks for a service; `id` is 0 where it waits for no answer. Body: a [`Request`](super::Request).
    pub(crate) const REQUEST: u8 = 36;
    /// The plugin has let go of a call that was ended, that failed, or that fell silent.
    pub(crate) const ENDED: u8 = 37;
}

/// What may come of one call before the host has taken some of it: so many events, and so many bytes of them.
pub(super) const WINDOW: Credit = Credit { events: 8192, bytes: 4 << 20 };

/// How a worker begins.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) version: u32,
    /// The inherited descriptor of the library.
    #[serde(default)]
    pub(super) descriptor: Option<i32>,
    /// The library's path, where there is no descriptor to be loaded from.
    pub(super) path: PathBuf,
    /// What the host has read in the library without running it.
    pub(super) manifest: String,
    pub(super) confine: Confine,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) version: u32,
    pub(super) in_force: InForce,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    gate: String,
    what: String,
    #[serde(default)]
    detail: Option<String>,
}

/// What a plugin asks of the host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) backend: u64,
    pub(super) service: String,
    #[serde(with = "serde_bytes")]
    pub(super) body: Vec<u8>,
}

/// What may still come of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Credit {
    pub(super) events: u32,
    pub(super) bytes: u32,
}

impl Credit {
    pub(super) fn to_bytes(self) -> [u8; 8] {
        (u64::from(self.bytes) << 32 | u64::from(self.events)).to_le_bytes()
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (events, bytes) = bytes.split_first_chunk::<4>()?;
        let bytes = bytes.try_into().ok()?;
        Some(Self { events: u32::from_le_bytes(*events), bytes: u32::from_le_bytes(bytes) })
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { gate: refusal.gate.word().into(), what: refusal.what, detail: refusal.detail }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let mut refusal = Self::new(Gate::of_word(&refused.gate).unwrap_or(Gate::Load), refused.what);
        refusal.detail = refused.detail;
        refusal
    }
}

/// A stream of frames that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    /// What was read of them.
    used: usize,
}

impl Stream {
    /// Where the next piece is to be appended; there is room for one.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        const PIECE: usize = 64 << 10;
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.reserve(PIECE);
        &mut self.bytes
    }

    /// The next frame, if it is all there.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let Some((frame, used)) = Frame::read(&self.bytes[self.used..])? else { return Ok(None) };
        self.used += used;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_survives_the_way() {
        for credit in [Credit::default(), WINDOW, Credit { events: u32::MAX, bytes: 7 }] {
            assert_eq!(Credit::of_bytes(&credit.to_bytes()), Some(credit));
        }
        assert_eq!(Credit::of_bytes(&[0; 7]), None);
        assert_eq!(Credit::of_bytes(&[0; 9]), None);
    }

    #[test]
    fn frames_are_read_from_pieces() {
        let mut bytes = Vec::new();
        for id in 0..3 {
            assert!(Frame { kind: ask::CALL, id, body: &[7; 300] }.write(&mut bytes));
        }
        let (mut stream, mut seen) = (Stream::default(), Vec::new());
        for piece in bytes.chunks(100) {
            stream.room().extend_from_slice(piece);
            while let Some(frame) = stream.next().unwrap() {
                assert_eq!((frame.kind, frame.body), (ask::CALL, &[7; 300][..]));
                seen.push(frame.id);
            }
        }
        assert_eq!(seen, [0, 1, 2]);
    }
}
