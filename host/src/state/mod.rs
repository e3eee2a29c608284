//! What this machine announces, what it spent and what it signed: files that all `bitboot` processes of a user share.

mod announced;
mod audit;
mod journal;
mod owner;
mod spending;

pub(crate) use announced::{Announced, Key, Placement, now};
pub(crate) use audit::{Asked, Audit};
pub(crate) use journal::Journal;
pub(crate) use owner::{Alive, Owner};
pub(crate) use spending::{Spending, Spent};
