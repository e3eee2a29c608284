//! What this machine announces: a file that all `bitboot` processes of a user share.

mod announced;

pub(crate) use announced::{Announced, Journal, Key, Placement, now};
