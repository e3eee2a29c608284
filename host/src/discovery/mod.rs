//! Asks many backends, tells many backends, and merges what they say.

mod ask;
mod candidate;
mod merge;
mod rounds;
mod tell;

pub(crate) use ask::{Heard, ask};
pub(crate) use candidate::Candidate;
pub use merge::Peer;
pub(crate) use merge::{News, Peers};
pub use rounds::Change;
pub(crate) use rounds::Rounds;
pub(crate) use tell::{Deed, Told, tell};
