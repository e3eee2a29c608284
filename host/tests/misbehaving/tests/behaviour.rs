//! Backends that hang, flood, or say what cannot be understood.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bitboot_conformance::{Driver, Said, library};
use bitboot_plugin_api::ffi::{Flow, Kind};
use bitboot_plugin_api::{Call, ErrorKind, Locator, Query, message};
use serde_json::{Value, json};
use tokio::time::sleep;

const SOON: Duration = Duration::from_secs(60);
/// Less than a call has: whoever leaves does not wait for it.
const AT_ONCE: Duration = Duration::from_secs(30);

fn query() -> Query {
    Query::new(Locator::new(&[7; 20]).unwrap())
}

async fn open(kind: &str, config: Value) -> Driver {
    Driver::open(&library("bitboot_misbehaving"), kind, config).await.unwrap()
}

fn lookup(deadline_ms: u64) -> Vec<u8> {
    message::encode(&Call { op: "lookup".into(), deadline_ms, body: message::encode(&query()) })
}

/// A library with threads of its own, which a test may lose for ever.
async fn open_copy(place: &Path, kind: &str) -> Driver {
    let copy = place.join("copy.so");
    std::fs::copy(library("bitboot_misbehaving"), &copy).unwrap();
    Driver::open(&copy, kind, json!({})).await.unwrap()
}

#[tokio::test]
async fn a_call_that_hangs_is_told_at_its_deadline_and_left_at_once() {
    let place = tempfile::tempdir().unwrap();
    let backend = open_copy(place.path(), "hangs").await;
    let mut hanging = backend.lookup_stream(&query(), Duration::from_millis(200));
    let said = hanging.next().await;
    assert!(matches!(&said, Some(Said::Failed(error)) if error.kind == ErrorKind::TimedOut), "{said:?}");
    assert!(backend.health().await.unwrap().reachable, "one thread of two is left");
    let start = Instant::now();
    drop((hanging, backend));
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_plugin_that_hangs_with_all_its_threads_does_not_hang_the_host() {
    let place = tempfile::tempdir().unwrap();
    let backend = open_copy(place.path(), "hangs").await;
    let hanging = (0..8).map(|_| backend.lookup_stream(&query(), SOON)).collect::<Vec<_>>();
    sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    drop((hanging, backend));
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_found_early_comes_early() {
    let config = json!({ "peer": "203.0.113.7:4001", "delay_ms": 50, "then_ms": 600_000 });
    let backend = open("slow", config).await;
    let start = Instant::now();
    let mut stream = backend.lookup_stream(&query(), Duration::from_secs(600));
    assert!(matches!(stream.next().await, Some(Said::Peer(_))));
    assert!((50..60_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(stream.is_running());
    // What was found before the deadline stays found.
    let finds = backend.lookup(&query(), Duration::from_secs(3)).await;
    assert_eq!((finds.peers.len(), finds.outcome.unwrap_err().kind), (1, ErrorKind::TimedOut));
}

#[tokio::test]
async fn a_flood_waits_for_a_listener_that_is_behind() {
    let backend = open("floods", json!({})).await;
    let offers = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&offers);
    let running = backend.callee().call(lookup(60_000), move |_, _| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        if number < 100 { Flow::GoOn } else { Flow::Later }
    });
    let start = Instant::now();
    while offers.load(Ordering::Relaxed) <= 100 {
        assert!(start.elapsed() < SOON, "it does not begin");
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_millis(300)).await;
    // 100 were taken; since then the same one is offered again, at most once a millisecond.
    let offered = offers.load(Ordering::Relaxed);
    assert!(u128::from(offered) < 200 + start.elapsed().as_millis(), "{offered}");
    assert!(running.is_running());
}

#[tokio::test]
async fn a_flood_stops_when_it_is_told_to() {
    let backend = open("floods", json!({})).await;
    let taken = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&taken);
    let _running = backend.callee().call(lookup(60_000), move |kind, _| {
        let is_enough = kind == Kind::Peer && counter.fetch_add(1, Ordering::Relaxed) >= 1000;
        if is_enough { Flow::Stop } else { Flow::GoOn }
    });
    let start = Instant::now();
    while Arc::strong_count(&taken) > 1 {
        assert!(start.elapsed() < SOON, "it goes on");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(taken.load(Ordering::Relaxed), 1001);
}

#[tokio::test]
async fn a_flood_of_large_values_comes_through_piece_by_piece() {
    let config = json!({ "value_bytes": message::MAX, "count": 64 });
    let finds = open("floods", config).await.lookup(&query(), SOON).await;
    assert_eq!((finds.outcome, finds.values.len()), (Ok(()), 64));
    let config = json!({ "value_bytes": message::MAX + 1 });
    let finds = open("floods", config).await.lookup(&query(), SOON).await;
    assert_eq!((finds.values.len(), finds.outcome.unwrap_err().kind), (0, ErrorKind::Refused));
}

/// All that is said in a lookup that says garbage.
async fn garbage(what: &str) -> Vec<Said> {
    let backend = open("garbage", json!({ "what": what })).await;
    let mut stream = backend.lookup_stream(&query(), SOON);
    let mut said = Vec::new();
    while let Some(next) = stream.next().await {
        said.push(next);
    }
    said
}

#[tokio::test]
async fn garbage_is_told_as_such() {
    for what in ["no_message", "no_endpoint", "nested"] {
        let said = garbage(what).await;
        assert!(matches!(&said[..], [Said::Unreadable(_), Said::Done(_)]), "{what}: {said:?}");
    }
    // An event of a newer plugin is skipped, one that is too long does not even come through.
    for what in ["unknown_kind", "too_long", "two_ends"] {
        let said = garbage(what).await;
        assert!(matches!(&said[..], [Said::Done(_)]), "{what}: {said:?}");
    }
    let said = garbage("no_error").await;
    assert!(matches!(&said[..], [Said::Unreadable(_), ..]), "{said:?}");
    let backend = open("garbage", json!({ "what": "no_result" })).await;
    let end = backend.lookup_stream(&query(), SOON).finish::<()>().await;
    assert_eq!(end.unwrap_err().kind, ErrorKind::Integrity);
}

#[tokio::test]
async fn nobody_listens_after_the_end() {
    let backend = open("garbage", json!({ "what": "after_the_end" })).await;
    let finds = backend.lookup(&query(), SOON).await;
    assert_eq!(finds.outcome, Ok(()));
    // Its thread still talks, to nobody.
    sleep(Duration::from_millis(100)).await;
    backend.caps().await.unwrap();
}

#[tokio::test]
async fn what_a_plugin_logs_arrives_as_it_was_said() {
    let backend = open("prints", json!({})).await;
    backend.lookup(&query(), SOON).await.outcome.unwrap();
    // Control characters are the host's to make harmless, where it prints them.
    assert!(backend.desk().log().iter().any(|line| line.text.contains('\u{1b}')));
}
