//! Listeners that stop, leave, or are behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitboot_plugin_api::ffi::{Flow, Kind};
use bitboot_plugin_api::{Authored, Query, message};
use tokio::time::sleep;

use crate::bench::{Bench, DEADLINE, ONE_AT_MOST};
use crate::check::{Told, ensure, idle};
use crate::driver::request;
use crate::sample::Sample;

/// The deadline of calls that are meant to end before it.
const FAR: Duration = Duration::from_secs(60);

pub(super) async fn stopped_call_ends(bench: &Bench) -> Told {
    let locator = bench.fresh();
    if bench.publishes() {
        bench.plant(&locator, bench.samples(1)).await?;
    }
    let heard = Heard::default();
    let running = bench.two.callee().call(lookup(&Query::new(locator)), answering(Flow::Stop, &heard));
    ensure(let_go(bench, &heard).await, || "told to stop, it still listens".into())?;
    ensure(!running.is_running(), || "told to stop, it still runs".into())
}

pub(super) async fn cancelled_call_lets_go(bench: &Bench) -> Told {
    for wait in [0, 1, 5, 50].map(Duration::from_millis) {
        let heard = Heard::default();
        let running =
            bench.two.callee().call(lookup(&Query::new(bench.fresh())), answering(Flow::GoOn, &heard));
        sleep(wait).await;
        drop(running);
        // Who does not hold the listener any more cannot say anything either.
        ensure(let_go(bench, &heard).await, || format!("cancelled after {wait:?}, it still listens"))?;
    }
    Ok(bench.two.caps().await.map(drop)?)
}

/// How many events a listener has heard; whoever holds the listener holds it as well.
type Heard = Arc<AtomicU32>;

fn answering(flow: Flow, heard: &Heard) -> impl Fn(Kind, &[u8]) -> Flow + Send + Sync + 'static {
    let heard = Arc::clone(heard);
    move |_, _| {
        heard.fetch_add(1, Ordering::Relaxed);
        flow
    }
}

/// Whether the plugin soon drops the listener.
async fn let_go(bench: &Bench, heard: &Heard) -> bool {
    let start = Instant::now();
    while Arc::strong_count(heard) > 1 && start.elapsed() < bench.subject.patience {
        sleep(Duration::from_millis(5)).await;
    }
    Arc::strong_count(heard) == 1
}

pub(super) async fn slow_listener_loses_nothing(bench: &Bench) -> Told {
    if !bench.keeps_many() {
        return idle(ONE_AT_MOST);
    }
    let locator = bench.fresh();
    let samples = bench.samples(if bench.caps.source_bound { 1 } else { 3 }).collect::<Vec<_>>();
    bench.plant(&locator, samples.iter().cloned()).await?;
    let taken = Arc::new(Mutex::new(Taken::default()));
    let listener = Arc::clone(&taken);
    let listen = move |kind: Kind, body: &[u8]| {
        listener.lock().unwrap_or_else(PoisonError::into_inner).offer(kind, body)
    };
    let _running = bench.two.callee().call(lookup(&Query::new(locator)), listen);
    let start = Instant::now();
    while start.elapsed() < FAR {
        sleep(Duration::from_millis(10)).await;
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.ended {
            return ensure(samples.iter().all(|sample| sample.is_in(&taken.finds())), || {
                format!("a listener that was behind has got {:?}", taken.finds())
            });
        }
    }
    ensure(false, || "a listener that was behind is never told of the end".into())
}

/// Takes an event only when it is offered for the fourth time.
#[derive(Default)]
struct Taken {
    offers: BTreeMap<Vec<u8>, u32>,
    events: Vec<(Kind, Vec<u8>)>,
    ended: bool,
}

impl Taken {
    fn offer(&mut self, kind: Kind, body: &[u8]) -> Flow {
        let offers = self.offers.entry(body.to_vec()).or_default();
        *offers += 1;
        if !offers.is_multiple_of(4) {
            return Flow::Later;
        }
        self.events.push((kind, body.to_vec()));
        self.ended |= matches!(kind, Kind::Done | Kind::Failed);
        Flow::GoOn
    }

    fn finds(&self) -> crate::Finds {
        let of = |wanted: Kind| self.events.iter().filter(move |(kind, _)| *kind == wanted);
        let authored: Vec<Authored> =
            of(Kind::Authored).filter_map(|(_, body)| message::decode(body).ok()).collect();
        crate::Finds {
            peers: of(Kind::Peer).filter_map(|(_, body)| message::decode(body).ok()).collect(),
            values: of(Kind::Value)
                .map(|(_, body)| body.clone())
                .chain(authored.iter().map(|what| what.value.clone()))
                .collect(),
            authors: authored.iter().map(|what| what.author.clone()).collect(),
            held: of(Kind::Held).filter_map(|(_, body)| message::decode(body).ok()).collect(),
            outcome: Ok(()),
        }
    }
}

pub(super) async fn parallel_lookups_all_answer(bench: &Bench) -> Told {
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    if bench.publishes() {
        bench.plant(&locator, std::iter::once(sample.clone())).await?;
    }
    let query = Query::new(locator);
    // Each stream is under way from here on, whoever reads it first.
    let streams = (0..32).map(|_| bench.two.lookup_stream(&query, 2 * DEADLINE)).collect::<Vec<_>>();
    for (number, stream) in streams.into_iter().enumerate() {
        let finds = stream.collect().await;
        ensure(finds.outcome.is_ok() && (sample.is_in(&finds) || !bench.publishes()), || {
            format!("lookup {number} of 32 at once: {finds:?}")
        })?;
    }
    Ok(())
}

pub(super) async fn ended_call_is_not_running(bench: &Bench) -> Told {
    let mut stream = bench.one.lookup_stream(&Query::new(bench.fresh()), DEADLINE);
    while stream.next().await.is_some() {}
    let start = Instant::now();
    while stream.is_running() && start.elapsed() < bench.subject.patience {
        sleep(Duration::from_millis(5)).await;
    }
    ensure(!stream.is_running(), || "its last event was a while ago, and it still runs".into())
}

fn lookup(query: &Query) -> Vec<u8> {
    message::encode(&request("lookup", message::encode(query), FAR))
}
