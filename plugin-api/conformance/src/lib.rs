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

mod bench;
mod check;
mod clauses;
mod desk;
mod driver;
mod find;
mod sample;
mod stream;
mod subject;

pub use check::{Outcome, Verdict, check, judge};
pub use desk::{Desk, Keys};
pub use driver::{Driver, Finds};
pub use find::{example, library};
pub use stream::{Said, Stream};
pub use subject::Subject;
