//! Networks, locators, records and bundles. Pure: no IO, no clock, no randomness of its own.
//!
#![doc = ""]
#![doc = include_str!("README.md")]

mod address;
mod bundle;
mod epoch;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod identity;
mod invite;
mod merge;
mod name;
mod note;
mod place;
mod record;
mod sane;
mod secret;
mod signer;
mod wire;

pub(crate) use epoch::Epoch;
pub use identity::{Identity, PublicKey};
pub(crate) use invite::conceal;
pub(crate) use merge::{Newest, Notes};
pub use name::{MAX_NAME, Network};
pub(crate) use note::Note;
pub(crate) use place::{Place, Slot};
pub use record::Metadata;
pub(crate) use record::{Claim, Record, Standing};
pub(crate) use sane::is_sane;
pub use secret::Secret;
pub use signer::Signer;

#[cfg(test)]
mod tests;
