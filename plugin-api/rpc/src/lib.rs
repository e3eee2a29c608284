//! How plugins ask nodes over HTTP: one's own on this machine, or a provider's behind `https://`.
//!
//! A node is not believed and not waited for: every answer has a bound and a time-out, a question is asked again a few times with growing
//! pauses, and what cannot be read is an error that names the node and what helps. Credentials are read by the host, anew for each question,
//! and are kept and shown nowhere.
//!
//! [`Endpoint`] is one node with plain requests, [`JsonRpc`] one that speaks JSON-RPC 2.0. [`check`] is for the addresses in a backend's
//! configuration, [`first`], [`all`] and [`answers`] are for backends with several nodes, of which some may be silent, [`gather`] is for their
//! lookups. The feature `testing` adds what tests of such plugins need.

mod endpoint;
mod envelope;
mod gather;
mod http;
mod json_rpc;
mod login;
mod several;
#[cfg(feature = "testing")]
pub mod testing;
mod url;

pub use endpoint::{Endpoint, Patience, Words};
pub use gather::{Ear, Gathered, Pulse, Reader, TO_TELL, gather};
pub use http::{Answer, Request};
pub use json_rpc::{JsonRpc, Refusal, Trouble, Unread, read};
pub use login::Login;
pub use several::{Node, all, answers, before, first, grace, in_time};
pub use url::{MAX_NODES, check};
