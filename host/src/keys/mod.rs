//! Keys: the only place that touches private ones. All lie in stores (see this room's README): the user's where the user says; the node's
//! and the secrets of networks in files that only the user can read, until they are moved.

mod export;
mod home;
mod import;
mod index;
mod item;
mod kind;
mod material;
mod moving;
mod policy;
mod ring;
mod rsa_steps;
mod sign;
mod stores;

pub(crate) use home::{no_node, random};
pub(crate) use import::Form;
pub(crate) use index::{Entry, Index};
pub(crate) use item::{Item, NODE, Place};
pub(crate) use kind::KeyKind;
pub(crate) use material::Material;
pub(crate) use policy::{Grant, how};
pub(crate) use ring::{KeyRing, ask_never};
pub(crate) use stores::{AskPassphrase, StoreName, confidential, holds_secret};
