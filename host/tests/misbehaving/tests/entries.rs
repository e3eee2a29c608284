//! A panic in any entry becomes an error of that one call, and the next call works.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::time::Duration;

use bitboot_conformance::{Driver, Stream, library};
use bitboot_plugin_api::ffi::outside::Library;
use bitboot_plugin_api::{Action, Announcement, ErrorKind, Locator, Query, Receipt, message};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

fn locator() -> Locator {
    Locator::new(&[7; 20]).unwrap()
}

async fn open(entry: &str) -> Driver {
    let config = json!({ "panic_in": entry });
    Driver::open(&library("bitboot_misbehaving"), "panics", config).await.unwrap()
}

/// A call of an entry, with a body that it takes.
fn enter(backend: &Driver, entry: &str) -> Stream {
    let body = match entry {
        "lookup" | "watch" => message::encode(&Query::new(locator())),
        "action" => message::encode(&Action::new("echo", json!({}))),
        "caps" | "health" | "save" => message::encode(&()),
        _ => message::encode(&Announcement::new(locator()).with_port(4001)),
    };
    backend.call(entry, body, SOON)
}

async fn works(backend: &Driver) {
    let what = Announcement::new(locator()).with_port(4001);
    let body = message::encode(&what);
    backend.call("announce", body, SOON).finish::<Receipt>().await.unwrap();
    backend.lookup(&Query::new(locator()), SOON).await.outcome.unwrap();
}

#[tokio::test]
async fn a_panic_in_an_entry_fails_that_call_alone() {
    for entry in ["caps", "announce", "lookup", "withdraw", "watch", "quote", "health", "save", "action"] {
        let backend = open(entry).await;
        for _ in 0..2 {
            let error = enter(&backend, entry).finish::<Value>().await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Panicked, "{entry}: {error}");
            let told = error.to_string();
            assert!(
                told.starts_with(&format!("the plugin panicked in `{entry}`: told to panic in ")),
                "{told}"
            );
        }
        let another = if entry == "caps" { "health" } else { "caps" };
        enter(&backend, another).finish::<Value>().await.unwrap();
    }
}

#[tokio::test]
async fn a_panic_in_open_leaves_the_backend_unopened() {
    let library = Library::open(&library("bitboot_misbehaving")).unwrap();
    let backend = Driver::create(&library, "panics").unwrap();
    let config = |entry: &str| json!({ "panic_in": entry });
    assert_eq!(backend.configure(&config("open")).await.unwrap_err().kind, ErrorKind::Panicked);
    assert_eq!(backend.caps().await.unwrap_err().kind, ErrorKind::Refused);
    backend.configure(&json!({})).await.unwrap();
    works(&backend).await;
}

#[tokio::test]
async fn a_panic_in_drop_harms_nobody() {
    for _ in 0..20 {
        works(&open("drop").await).await;
    }
    let backend = open("future_drop").await;
    for wait in [0, 1, 20] {
        let lookup = backend.lookup_stream(&Query::new(locator()), SOON);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        drop(lookup);
    }
    // The deadline drops the future as well, while somebody still listens.
    let outcome = backend.lookup(&Query::new(locator()), Duration::from_millis(50)).await.outcome;
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::TimedOut);
    backend.caps().await.unwrap();
}

#[tokio::test]
async fn a_payload_that_panics_again_is_only_forgotten() {
    let backend = open("payload").await;
    for _ in 0..3 {
        let error = enter(&backend, "lookup").finish::<Value>().await.unwrap_err();
        assert_eq!((error.kind, error.why), (ErrorKind::Panicked, None));
    }
    backend.caps().await.unwrap();
}
