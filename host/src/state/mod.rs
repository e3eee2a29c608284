//! What this machine announces, what it spent and what it signed: files that all `bitboot` processes of a user share.

mod announced;
mod audit;
mod owner;
mod spending;

pub(crate) use announced::{Announced, Journal, Key, Placement, now};
pub(crate) use audit::{Asked, Audit};
pub(crate) use owner::Owner;
pub(crate) use spending::{Spending, Spent};
