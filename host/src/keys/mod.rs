//! Keys in files that only the user can read: the node's identity and the secrets of networks. The only place that touches them.

mod store;

pub(crate) use store::{KeyFiles, random};
