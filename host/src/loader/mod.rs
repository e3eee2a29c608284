//! From an entry of the registry to an opened backend.

mod find;
mod foreign;
mod given;
mod grants;
mod kept;
mod manifest;
mod open;
mod quarantine;
mod request;
mod services;
mod workers;

pub(crate) use find::{TARGET, candidates, file_name, find};
pub(crate) use given::configure;
pub(crate) use grants::{confine as granted, make_folders};
pub(crate) use manifest::{Asks, Manifest, manifest_of, parse as parse_manifest};
pub(crate) use open::Loader;
pub(crate) use quarantine::Quarantine;
pub(crate) use request::{Request, refused};
#[cfg(test)]
pub(crate) use services::desk;
pub(crate) use services::{Asker, PluginLog, Signer};
pub(crate) use workers::put_aside;
