//! Asks many backends, tells many backends, and merges what they say.

mod ask;
mod candidate;
mod ignored;
mod listen;
mod merge;
mod rank;
mod rounds;
mod slots;
mod tell;
mod teller;

pub(crate) use ask::{Heard, Question, ask};
pub(crate) use candidate::Candidate;
pub use ignored::Ignored;
pub use merge::Peer;
pub(crate) use merge::{News, Peers};
pub(crate) use rank::rank;
pub use rounds::Change;
pub(crate) use rounds::Rounds;
pub(crate) use tell::{Deed, Statement, Told, quote, tell};
