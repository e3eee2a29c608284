//! More, and odder, than a well-meaning world brings. What is odd is drawn by the suite's seed.

use std::time::Duration;

use bitboot_plugin_api::{Action, Announcement, Endpoint, ErrorKind, Locator, Query, Write, message};
use serde_json::Value;

use crate::bench::{Bench, DEADLINE};
use crate::check::{Told, Unkept, ensure, idle};
use crate::sample::Sample;
use crate::{Finds, Stream};

/// How long each of many calls may take.
const SHORT: Duration = Duration::from_secs(5);

pub(super) async fn odd_values_cause_no_panic(bench: &Bench) -> Told {
    for round in 0..6 {
        let mut calls = vec![
            ("lookup", message::encode(&Query::new(bench.fresh()).with_limit(bench.any(&[0, 1, u32::MAX])))),
            ("quote", message::encode(&odd_announcement(bench, round))),
            ("withdraw", message::encode(&odd_announcement(bench, round))),
            ("watch", message::encode(&Query::new(bench.fresh()).with_limit(0))),
            ("read", message::encode(&Query::new(bench.fresh_slot()).with_limit(0))),
            ("quote_action", message::encode(&Action::new("no-such-action", Value::Null))),
        ];
        // What costs money is not done for fun.
        if !bench.caps.paid {
            let write =
                Write::new(bench.fresh_slot(), bench.bytes(64)).with_after(bench.any(&[0, 1, u64::MAX]));
            calls.push(("announce", message::encode(&odd_announcement(bench, round))));
            calls.push(("write", message::encode(&write)));
        }
        // All at once; each is under way from here on.
        let calls = calls.into_iter().map(|(op, body)| {
            let deadline = if op == "watch" { Duration::from_millis(50) } else { SHORT };
            (op, bench.one.call(op, body, deadline))
        });
        for (op, call) in calls.collect::<Vec<_>>() {
            unpanicked(op, call).await?;
        }
    }
    Ok(bench.one.caps().await.map(drop)?)
}

async fn unpanicked(op: &str, call: Stream) -> Told {
    match call.finish::<Value>().await {
        Err(error) if error.kind == ErrorKind::Panicked => Err(Unkept::broken(format!("`{op}`: {error}"))),
        _ => Ok(()),
    }
}

/// The ends of what can be said come for certain, which of them come together by chance.
fn odd_announcement(bench: &Bench, round: usize) -> Announcement {
    let mut what = Announcement::new(bench.fresh()).with_ttl_s([0, 1, u32::MAX][round % 3]);
    what.port = bench.any(&[None, Some(0), Some(1), Some(u16::MAX)]);
    let odd = ["0.0.0.0:1", "255.255.255.255:65535", "[::]:1", "[::ffff:192.0.2.1]:9", "224.0.0.1:1", "a:1"];
    let odd = odd.iter().filter_map(|text| text.parse::<Endpoint>().ok()).cycle();
    what.endpoints = odd.take(bench.any(&[0, 1, 6, 100])).collect();
    let largest = bench.caps.max_value as usize;
    what.value = bench
        .any(&[None, Some(0), Some(largest), Some(largest + 1)])
        .map(|size| bench.bytes(size.min(1 << 20)));
    what.with_writer(&bench.bytes(bench.any(&[0, 1, 32])))
}

pub(super) async fn flood_of_calls_is_survived(bench: &Bench) -> Told {
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    if bench.publishes() {
        bench.plant(&locator, std::iter::once(sample.clone())).await?;
    }
    let query = Query::new(locator.clone());
    let mut flood = (0..256).map(|_| bench.two.lookup_stream(&query, SHORT)).collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(bench.any(&[5, 10, 15]))).await;
    // Most of those who asked go away, some in the middle of an answer.
    for keep in [128, 64, 8] {
        flood.truncate(keep);
        tokio::time::sleep(Duration::from_millis(bench.any(&[0, 1, 10]))).await;
    }
    for call in flood {
        unpanicked("lookup", call).await?;
    }
    let is_there = |finds: &Finds| sample.is_in(finds) || !bench.publishes();
    bench.until(&locator, "what was announced is found when the flood is over", is_there).await?;
    let finds = bench.two.lookup(&Query::new(bench.fresh()), DEADLINE).await;
    ensure(finds.outcome.is_ok(), || format!("after the flood: {finds:?}"))
}

pub(super) async fn noise_of_strangers_is_passed_over(bench: &Bench) -> Told {
    let Some(noise) = &bench.subject.noise else {
        return idle("the test names no way to put noise on the medium");
    };
    let put = |place: &Locator, bytes: &[u8]| match &bench.subject.outside {
        Some(outside) => outside.put_noise(place, bytes),
        None => noise.put(place, bytes),
    };
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    bench.plant(&locator, std::iter::once(sample.clone())).await?;
    let alone = bench.fresh();
    for bytes in odd_bytes(bench) {
        for place in [&locator, &alone] {
            put(place, &bytes).map_err(|error| Unkept::broken(format!("the test's own noise: {error}")))?;
        }
        let finds = bench.two.lookup(&Query::new(alone.clone()), DEADLINE).await;
        ensure(finds.outcome.is_ok(), || format!("{} odd bytes: {finds:?}", bytes.len()))?;
        let what = format!("beside {} odd bytes, {sample} is found", bytes.len());
        bench.until(&locator, &what, |finds| sample.is_in(finds)).await?;
    }
    Ok(())
}

/// What a stranger may leave: nothing, half a line, no text, too deep, too long, nearly right.
fn odd_bytes(bench: &Bench) -> Vec<Vec<u8>> {
    let nearly =
        b"203.0.113.7:99999\n203.0.113.7\n:1\n\n[::1:1\n203.0.113.256:1\n{\"endpoints\":[1]}\n".to_vec();
    vec![
        Vec::new(),
        b"\n".to_vec(),
        nearly,
        vec![0; 1000],
        vec![b'['; 20_000],
        bench.bytes(1),
        bench.bytes(300),
        bench.bytes(100_000),
        b"\n".to_vec(),
    ]
}
