//! The contract between bitboot and its plugins as a test suite, and a driver that talks to a plugin as a host does.
//!
//! A plugin's test is one call:
//!
//! ```no_run
//! # async fn test() {
//! use bitboot_conformance::{Subject, check, library};
//!
//! let subject = Subject::new("local", serde_json::json!({ "folder": "/a/temporary/folder" }));
//! check(&library("bitboot_local"), &subject).await;
//! # }
//! ```

mod amount;
mod bench;
mod check;
mod clauses;
mod desk;
mod driver;
mod find;
mod noise;
mod outside;
mod sample;
mod setup;
mod stream;
mod subject;

pub use check::{OPENS, Outcome, Suite, Verdict, check, judge, unknown};
pub use desk::Desk;
pub use driver::{Driver, Finds};
pub use find::{example, library};
pub use noise::Noise;
pub use outside::Outside;
pub use stream::{Said, Stream};
pub use subject::Subject;
