//! Frames: how the same calls and events travel to a plugin in another process.
//!
//! `[u32 length][u8 kind][u64 id][body]`, numbers in little-endian order; `length` counts kind, id and body. `id` tells the calls under way
//! apart. In one process there is nothing to frame: kinds and bodies cross the border as they are.

/// The largest body of a frame, in bytes: a message, and what is said about it.
pub const MAX_BODY: usize = crate::message::MAX + 4096;

const HEAD: usize = 1 + 8;

/// One frame, its body borrowed from the buffer that it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// A [`Kind`](super::Kind) for events; 16 and above for the worker's own conversation.
    pub kind: u8,
    /// The call that it belongs to.
    pub id: u64,
    /// Its body, at most [`MAX_BODY`] bytes.
    pub body: &'a [u8],
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// The length is larger than any frame may be: the stream cannot be trusted further.
    TooLong(u32),
    /// The length does not even cover kind and id.
    TooShort(u32),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "a frame claims {length} bytes, more than a frame may have"),
            Self::TooShort(length) => write!(f, "a frame claims {length} bytes, less than a frame must have"),
        }
    }
}

impl std::error::Error for FrameError {}

impl<'a> Frame<'a> {
    /// Appends the frame to a buffer; `false`, and nothing is appended, when its body is too large.
    #[must_use]
    pub fn write(&self, to: &mut Vec<u8>) -> bool {
        let Some(length) = u32::try_from(HEAD + self.body.len()).ok().filter(|_| self.body.len() <= MAX_BODY)
        else {
            return false;
        };
        to.extend_from_slice(&length.to_le_bytes());
        to.push(self.kind);
        to.extend_from_slice(&self.id.to_le_bytes());
        to.extend_from_slice(self.body);
        true
    }

    /// Reads the first frame of a buffer and tells how many bytes it took; `None` while it is not complete.
    ///
    /// # Errors
    /// When the length is impossible; no memory is set aside on its word.
    pub fn read(from: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some((length, rest)) = from.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length);
        let size = length as usize;
        if size < HEAD {
            return Err(FrameError::TooShort(length));
        }
        if size > HEAD + MAX_BODY {
            return Err(FrameError::TooLong(length));
        }
        let Some(whole) = rest.get(..size) else { return Ok(None) };
        let [kind, tail @ ..] = whole else { return Err(FrameError::TooShort(length)) };
        let Some((id, body)) = tail.split_first_chunk::<8>() else {
            return Err(FrameError::TooShort(length));
        };
        Ok(Some((Self { kind: *kind, id: u64::from_le_bytes(*id), body }, 4 + size)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn impossible_lengths_are_refused_before_anything_is_read() {
        assert_eq!(Frame::read(&[0xff; 4]), Err(FrameError::TooLong(u32::MAX)));
        assert_eq!(Frame::read(&[8, 0, 0, 0]), Err(FrameError::TooShort(8)));
        assert!(!Frame { kind: 1, id: 0, body: &vec![0; MAX_BODY + 1] }.write(&mut Vec::new()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(kind: u8, id: u64, body in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..400) {
            let mut bytes = Vec::new();
            let written = Frame { kind, id, body: &body }.write(&mut bytes);
            prop_assert!(written);
            let (frame, used) = Frame::read(&bytes).unwrap().unwrap();
            prop_assert_eq!((frame.kind, frame.id, frame.body, used), (kind, id, &body[..], bytes.len()));
            if cut < bytes.len() {
                prop_assert_eq!(Frame::read(&bytes[..cut]), Ok(None));
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Frame::read(&bytes);
        }
    }
}
