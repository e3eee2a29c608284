//! The border: a few frozen functions that carry bytes. Everything that evolves is a message.
//!
//! The only place that names `abi_stable` (and, for hosts, `libloading`), so that it can be replaced behind an API 2 root without
//! touching an author's code or a host's.

pub(crate) mod event;
pub mod frame;
pub(crate) mod inside;
mod magic;
#[cfg(feature = "host")]
pub mod outside;
mod types;

pub use event::{Event, Flow, Kind};
pub use magic::{API_MAJOR, Magic};
