//! On how many nodes an announcement was stored.
//!
//! The crate counts acknowledgements but hands the count over for values only, not for `announce_peer`: its `put`, which returns the
//! count, takes an argument whose type is private. It does log the count, and this module listens to that one line.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, OnceLock, PoisonError};

use mainline::Id;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id as SpanId, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Runs an announcement; how many nodes took it, where that can be known, beside its outcome.
pub(super) async fn counted<T>(hash: &Id, announcement: impl Future<Output = T>) -> (Option<u32>, T) {
    // One at a time in this library: the log does not say which node of ours it speaks of.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    listen();
    set(Some(Count { hash: format!("{hash:?}"), stored: None }));
    let outcome = announcement.await;
    let count = set(None);
    (count.and_then(|count| count.stored), outcome)
}

/// What is being waited for.
struct Count {
    hash: String,
    stored: Option<u32>,
}

static AWAITED: Mutex<Option<Count>> = Mutex::new(None);

fn set(next: Option<Count>) -> Option<Count> {
    std::mem::replace(&mut AWAITED.lock().unwrap_or_else(PoisonError::into_inner), next)
}

/// Of use in this library only: each shared library has its own copy of what `tracing` keeps.
fn listen() {
    static LISTENING: OnceLock<bool> = OnceLock::new();
    LISTENING.get_or_init(|| tracing::subscriber::set_global_default(Ear).is_ok());
}

struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.target() == "mainline::rpc::put_query" && *about.level() == Level::DEBUG
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let mut awaited = AWAITED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = awaited.as_mut().filter(|count| count.hash == line.target) {
            count.stored = line.stored_at.parse().ok().or(count.stored);
        }
    }

    // The crate has no spans.
    fn new_span(&self, _span: &Attributes<'_>) -> SpanId {
        SpanId::from_u64(1)
    }
    fn record(&self, _span: &SpanId, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &SpanId, _follows: &SpanId) {}
    fn enter(&self, _span: &SpanId) {}
    fn exit(&self, _span: &SpanId) {}
}

/// The fields of a line that matter here.
#[derive(Default)]
struct Line {
    target: String,
    stored_at: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "target" => self.target = format!("{value:?}"),
            "stored_at" => self.stored_at = format!("{value:?}"),
            _ => {}
        }
    }
}
