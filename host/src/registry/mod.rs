//! `registry.toml`: the plugins, backends and networks that a user has. What ships with bitboot lies below, the user's own file above.

mod edit;
mod entries;
mod name;
mod read;
mod select;
mod set;

pub(crate) use edit::{Edit, Section};
pub(crate) use entries::{BackendEntry, Grants, Isolation, NetworkEntry, PluginEntry};
pub(crate) use name::{entry_name, is_entry_name, nearest, unknown};
pub(crate) use read::{Entry, Origin, Registry};
pub(crate) use select::{Choice, Selection};
pub(crate) use set::{Assignment, assign, has_type};
