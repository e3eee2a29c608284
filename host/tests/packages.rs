//! Packages, from their author to a plugin in use: the whole life, what is tampered with, indexes, and installations that are cut short.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

#[path = "packages/cut_short.rs"]
mod cut_short;
#[path = "packages/indexes.rs"]
mod indexes;
#[path = "packages/life.rs"]
mod life;
#[path = "packages/minisign.rs"]
mod minisign;
#[path = "packages/started.rs"]
mod started;
#[path = "packages/tampered.rs"]
mod tampered;
#[path = "packages/trusted.rs"]
mod trusted;
#[path = "packages/verified.rs"]
mod verified;
#[path = "packages/web.rs"]
mod web;

use support::Ran;

/// A refusal: its exit code and gate, with a cause and a way out, in the text and in the JSON line.
#[track_caller]
fn refused(ran: &Ran, code: i32, word: &str, gate: &str) {
    assert_eq!(ran.code(), code, "{}", ran.err());
    assert!(ran.err().contains(&format!("error[{word}/{gate}]: ")), "{gate}: {}", ran.err());
    assert!(ran.err().contains("\n  fix: "), "{}", ran.err());
}
