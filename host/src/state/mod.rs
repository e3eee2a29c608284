//! What this machine announces: a file that all `bitboot` processes of a user share.

mod announced;
mod owner;

pub(crate) use announced::{Announced, Journal, Key, Placement, now};
pub(crate) use owner::Owner;
