//! What happens during a call, and what the listener answers.

/// The kinds of event. A number that is not among them is a newer plugin's and is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// Body: a [`Peer`](crate::Peer).
    Peer = 1,
    /// Body: the sealed bytes themselves.
    Value = 2,
    /// Body: a [`Progress`](crate::Progress).
    Progress = 3,
    /// Body: any value, a result of an action.
    Output = 4,
    /// Body: a [`Held`](crate::Held).
    Held = 5,
    /// Body: an [`Authored`](crate::Authored).
    Authored = 6,
    /// Body: what the operation returns. The last event.
    Done = 8,
    /// Body: an [`Error`](crate::Error). The last event.
    Failed = 9,
}

impl Kind {
    /// The kind with a number, where there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Peer,
            Self::Value,
            Self::Progress,
            Self::Output,
            Self::Held,
            Self::Authored,
            Self::Done,
            Self::Failed,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }
}

/// An event as it comes out of the border, its body not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What sort of event.
    pub kind: Kind,
    /// Its MessagePack body; for [`Kind::Value`] the bytes themselves.
    pub body: Vec<u8>,
}

/// What a listener answers to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Flow {
    /// It was taken; go on.
    GoOn = 0,
    /// Nobody listens any more; stop.
    Stop = 1,
    /// The listener is behind and did not take it; offer it again a little later.
    Later = 2,
}

impl Flow {
    /// The answer with a number; an unknown one stops.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::GoOn,
            2 => Self::Later,
            _ => Self::Stop,
        }
    }
}
