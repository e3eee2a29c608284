//! Keeping announcements alive: what is due when.

mod schedule;

pub(crate) use schedule::{Jitter, Schedule};
