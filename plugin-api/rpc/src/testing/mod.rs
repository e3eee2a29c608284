//! What tests of plugins for nodes share: programs that end with their test, plain questions, a [proxy](Proxy) that lies, and what
//! [runs](hold) the checks of fuzz targets.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "a step that fails fails the test")]
#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod fuzz;
mod program;
mod proxy;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use ureq::Agent;

pub use fuzz::{Check, hold};
pub use program::Program;
pub use proxy::{Deed, Proxy, Reply};

/// A port of this machine where nobody listens now, and which no other caller in this process gets.
///
/// It is none of those that the system gives to whoever asks for any (32768 and above), or one of them could be somebody else's before the
/// caller's program listens there.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = fastrand::u16(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}

/// Asks a node on this machine: JSON where there is a body; status and body of its answer, if it answers.
#[must_use]
pub fn ask(port: u16, path: &str, login: Option<&str>, body: Option<&[u8]>) -> Option<(u16, Vec<u8>)> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        .build()
        .into();
    let method = if body.is_some() { "POST" } else { "GET" };
    let head = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:{port}{path}"))
        .header("content-type", "application/json");
    let head = login.into_iter().fold(head, |head, login| head.header("authorization", login));
    let outcome = match body {
        Some(body) => agent.run(head.body(body).ok()?),
        None => agent.run(head.body(()).ok()?),
    };
    let mut answer = outcome.ok()?;
    Some((answer.status().as_u16(), answer.body_mut().with_config().limit(100 << 20).read_to_vec().ok()?))
}
