//! The contract between bitboot and its plugins.
//!
//! A plugin is a shared library with one or more kinds of *backend*: a medium on which peers announce themselves under a
//! [`Locator`] and are looked up. An author implements [`Backend`] and exports it with [`export_plugin!`]; this crate is the only bitboot
//! crate that a plugin needs. `plugins/local` in bitboot's repository is the smallest whole example.
//!
//! What a host and a plugin say to each other are [`message`]s: MessagePack maps by field name that either side may extend. They cross the
//! border in [`ffi`] as bytes. Unknown fields, operations and kinds of event are never an error.
//!
//! The feature `host` adds the other side of the border, for programs that load plugins.

mod action;
mod announcement;
mod authored;
mod backend;
mod caps;
mod endpoint;
mod error;
pub mod ffi;
mod health;
mod locator;
pub mod message;
mod peer;
mod query;
mod receipt;
mod register;
mod sdk;
mod sign;

#[cfg(panic = "abort")]
compile_error!("a plugin's panic must be able to become an error: build without `panic = \"abort\"`");

pub use action::{Action, ActionInfo, KindInfo};
pub use announcement::Announcement;
pub use authored::{Author, Authored};
pub use backend::Backend;
pub use caps::{Caps, Stores};
pub use endpoint::{Address, Endpoint, EndpointError};
pub use error::{Error, ErrorKind, Result};
pub use health::Health;
pub use locator::Locator;
pub use peer::Peer;
pub use query::Query;
pub use receipt::{Quote, Receipt};
pub use register::{Held, Write};
pub use sdk::{CacheEntry, Call, Cx, Found, Host, Level, LogLine, Output, Progress};
pub use sign::{Scheme, SignRequest, Signed};

/// The section of a plugin's library that holds its manifest.
pub const MANIFEST_SECTION: &str = ".bitboot";

/// What [`export_plugin!`] needs in an author's crate. Not for anybody else.
#[doc(hidden)]
pub mod __border {
    pub use crate::ffi::Magic;
    pub use crate::ffi::inside::{
        CalleeBox, CheckTypeLayout, LibHeader, RResult, RStr, RVec, RootModuleResult, RootRef, ServicesBox,
        create, root,
    };
    pub use crate::sdk::{Kinds, keep, say};
}
