//! Keys: the only place that touches private ones. The user's are in stores (see this room's README); the node's identity and the secrets
//! of networks lie in files that only the user can read.

mod export;
mod home;
mod import;
mod index;
mod kind;
mod material;
mod policy;
mod ring;
mod rsa_steps;
mod sign;
mod stores;

pub(crate) use home::{KeyFiles, random};
pub(crate) use import::Form;
pub(crate) use index::{Entry, Index};
pub(crate) use kind::KeyKind;
pub(crate) use material::Material;
pub(crate) use policy::{Grant, how};
pub(crate) use ring::{KeyRing, ask_never};
pub(crate) use stores::{AskPassphrase, StoreName, confidential};
