//! A worker that says what no worker should.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitboot_plugin_api::ffi::Kind;
use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{Error, ErrorKind, message};
use proptest::prelude::*;

use super::call;
use super::read::take_all;
use super::shared::{Shared, lock};
use crate::backend::Inbox;
use crate::worker::talk::{Request, Stream, WINDOW, tell};

const BACKEND: u64 = 9;

/// A worker, and a call to it whose number is 1.
fn called() -> (Arc<Shared>, Inbox) {
    let shared = Arc::new(Shared::of_nobody());
    let inbox = call::start(&shared, BACKEND, "lookup", b"a call");
    (shared, inbox)
}

fn say(shared: &Arc<Shared>, frames: &[(u8, u64, &[u8])]) -> Result<(), String> {
    let mut stream = Stream::default();
    for (kind, id, body) in frames {
        assert!(Frame { kind: *kind, id: *id, body }.write(stream.room()));
    }
    take_all(&mut stream, shared)
}

#[tokio::test]
async fn what_is_beyond_the_credit_is_a_breach() {
    let (shared, mut inbox) = called();
    let peer = (Kind::Peer as u8, 1, &b"a peer"[..]);
    for _ in 0..=WINDOW.events {
        say(&shared, &[peer]).unwrap();
    }
    assert_eq!(say(&shared, &[peer]).unwrap_err(), "sent more than it was allowed to");
    assert_eq!(inbox.next().await.unwrap().body, b"a peer");

    let (shared, _inbox) = called();
    let value = vec![7; message::MAX];
    let sent = (0..100).take_while(|_| say(&shared, &[(Kind::Value as u8, 1, &value)]).is_ok()).count();
    // What is granted, and one message more.
    assert!((4..=6).contains(&sent), "{sent}");
}

#[tokio::test]
async fn only_the_calls_that_are_under_way_are_heard() {
    let (shared, mut inbox) = called();
    let done = Kind::Done as u8;
    say(&shared, &[(Kind::Peer as u8, 7, b"?"), (done, 7, b"?"), (99, 1, b"?"), (15, 1, b"?")]).unwrap();
    say(&shared, &[(done, 1, b"the end"), (done, 1, b"another"), (Kind::Peer as u8, 1, b"late")]).unwrap();
    assert_eq!(inbox.next().await.unwrap().body, b"the end");
    assert_eq!(inbox.next().await, None);
}

#[tokio::test]
async fn silence_is_told_and_so_is_a_death() {
    let (shared, mut inbox) = called();
    say(&shared, &[(tell::ENDED, 1, b"")]).unwrap();
    assert_eq!(inbox.next().await, None);

    let (shared, mut inbox) = called();
    shared.kill(super::Death::by_host("was ended by a test", false));
    shared.ended(tokio::spawn(async {}), Arc::new(Nobody)).await;
    let last = inbox.next().await.unwrap();
    let error: Error = message::decode(&last.body).unwrap();
    assert_eq!((last.kind, error.kind), (Kind::Failed, ErrorKind::Panicked));
    assert_eq!(error.message, "the plugin's process was ended by a test");
    // Later calls are told the same.
    let mut later = call::start(&shared, BACKEND, "lookup", b"a call");
    assert_eq!(later.next().await.unwrap().body, last.body);
}

struct Nobody;

impl super::Witness for Nobody {}

/// Counts what it is asked.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Services for Counter {
    fn request(&self, service: &str, _body: &[u8]) -> bitboot_plugin_api::Result<Vec<u8>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        if service == "slow" {
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(Vec::new())
    }
}

fn request(backend: u64, service: &str) -> Vec<u8> {
    message::encode(&Request { backend, service: service.into(), body: Vec::new() })
}

#[tokio::test]
async fn requests_are_for_a_backend_that_there_is_and_not_too_many() {
    let (shared, counter) = (Arc::new(Shared::of_nobody()), Arc::new(Counter::default()));
    lock(&shared.desks).insert(BACKEND, counter.clone());
    let asked = |count: &Counter| count.0.load(Ordering::Relaxed);
    // Without an answer there are lines of the log only.
    say(
        &shared,
        &[(tell::REQUEST, 0, &request(BACKEND, "log")), (tell::REQUEST, 0, &request(BACKEND, "sign"))],
    )
    .unwrap();
    assert_eq!(asked(&counter), 1);
    let flood = request(BACKEND, "slow");
    let flood = (1..=1000).map(|id| (tell::REQUEST, id, &flood[..])).collect::<Vec<_>>();
    say(&shared, &flood).unwrap();
    say(&shared, &[(tell::REQUEST, 5000, &request(BACKEND + 1, "sign"))]).unwrap();
    while shared.asked.load(Ordering::Relaxed) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!((2..200).contains(&asked(&counter)), "{}", asked(&counter));
    assert!(say(&shared, &[(tell::REQUEST, 1, b"\xc1")]).is_err());
    assert!(say(&shared, &[(tell::READY, 0, b"\xc1")]).is_err());
}

proptest! {
    #[test]
    fn nothing_that_is_said_is_a_panic(
        frames in proptest::collection::vec((0_u8..64, 0_u64..4, proptest::collection::vec(any::<u8>(), 0..64)), 0..64),
        junk in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (shared, _inbox) = called();
            let frames = frames.iter().map(|(kind, id, body)| (*kind, *id, &body[..])).collect::<Vec<_>>();
            let _ = say(&shared, &frames);
            let mut stream = Stream::default();
            stream.room().extend_from_slice(&junk);
            let _ = take_all(&mut stream, &shared);
        });
    }
}
