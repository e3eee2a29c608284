//! From an announcement to a lookup by somebody else.

use bitboot_plugin_api::{ErrorKind, Locator, Query};

use crate::bench::{Bench, DEADLINE, NOTHING_PUBLISHED, ONE_AT_MOST, fails};
use crate::check::{Told, Unkept, ensure, idle};
use crate::sample::Sample;
use crate::{Driver, Said};

pub(super) async fn unknown_locator_finds_nothing(bench: &Bench) -> Told {
    if !bench.publishes() {
        return idle(NOTHING_PUBLISHED);
    }
    let finds = bench.one.lookup(&Query::new(bench.fresh()), DEADLINE).await;
    ensure(finds.peers.is_empty() && finds.values.is_empty(), || format!("it finds {finds:?}"))?;
    Ok(finds.outcome?)
}

pub(super) async fn announced_peer_is_found(bench: &Bench) -> Told {
    let locator = bench.fresh();
    let sample = Sample::new(&bench.caps, 1);
    if !bench.publishes() {
        let outcome = bench.one.announce(&sample.announcement(&locator)).await;
        return fails(outcome, &[ErrorKind::Unsupported, ErrorKind::Refused], "announcing in a directory")
            .map(drop);
    }
    let receipt = bench.one.announce(&sample.announcement(&locator)).await?;
    ensure(receipt.stored > 0 && receipt.asked >= receipt.stored, || {
        format!("a receipt of {} stored out of {} asked", receipt.stored, receipt.asked)
    })?;
    let finds = bench.until(&locator, &format!("{sample} is found"), |finds| sample.is_in(finds)).await?;
    ensure(sample.different(&finds) == 1, || format!("more than was announced: {finds:?}"))
}

pub(super) async fn many_peers_are_found(bench: &Bench) -> Told {
    if !bench.keeps_many() {
        return idle(ONE_AT_MOST);
    }
    let locator = bench.fresh();
    // Where the sender is what is published, each sender has one announcement.
    let samples = bench.samples(if bench.caps.source_bound { 2 } else { 8 }).collect::<Vec<_>>();
    for (sample, announcer) in samples.iter().zip([&bench.one, &bench.two].into_iter().cycle()) {
        announcer.announce(&sample.announcement(&locator)).await?;
    }
    bench
        .until(&locator, "everything that was announced is found", |finds| {
            samples.iter().all(|sample| sample.is_in(finds))
        })
        .await
        .map(drop)
}

pub(super) async fn announcing_again_does_not_duplicate(bench: &Bench) -> Told {
    // A log keeps what it was told as often as it was told; the host merges.
    if !bench.publishes() {
        return idle(NOTHING_PUBLISHED);
    }
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    for _ in 0..3 {
        bench.plant(&locator, std::iter::once(sample.clone())).await?;
    }
    let finds = bench.until(&locator, "it is found", |finds| sample.is_in(finds)).await?;
    ensure(sample.different(&finds) == 1, || format!("it became several: {finds:?}"))
}

pub(super) async fn limit_does_no_harm(bench: &Bench) -> Told {
    if !bench.keeps_many() {
        return idle(ONE_AT_MOST);
    }
    let locator = bench.fresh();
    let samples = bench.samples(2).collect::<Vec<_>>();
    plant_by_both(bench, &locator, &samples).await?;
    for limit in [1, 1000, u32::MAX] {
        let finds = bench.two.lookup(&Query::new(locator.clone()).with_limit(limit), DEADLINE).await;
        ensure(samples.iter().any(|sample| sample.is_in(&finds)), || format!("limit {limit}: {finds:?}"))?;
        finds.outcome?;
    }
    Ok(())
}

async fn plant_by_both(bench: &Bench, locator: &Locator, samples: &[Sample]) -> Told {
    for (sample, announcer) in samples.iter().zip([&bench.one, &bench.two]) {
        announcer.announce(&sample.announcement(locator)).await?;
    }
    let all = |finds: &crate::Finds| samples.iter().all(|sample| sample.is_in(finds));
    bench.until(locator, "both are found", all).await.map(drop)
}

pub(super) async fn withdrawn_peer_is_gone(bench: &Bench) -> Told {
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    let announcement = sample.announcement(&locator);
    if !bench.caps.withdraws {
        let outcome = bench.one.withdraw(&announcement).await;
        return fails(outcome, &[ErrorKind::Unsupported], "withdrawing, which caps deny").map(drop);
    }
    bench.plant(&locator, std::iter::once(sample.clone())).await?;
    bench.one.withdraw(&announcement).await?;
    bench.until(&locator, "the withdrawn peer is gone", |finds| !sample.is_in(finds)).await?;
    // Nothing is there any more, which is what was wanted.
    Ok(bench.one.withdraw(&announcement).await.map(drop)?)
}

pub(super) async fn locator_of_any_length_does_no_harm(bench: &Bench) -> Told {
    for locator in [1, 19, 32, Locator::MAX].into_iter().filter_map(|length| bench.locator_of(length)) {
        let outcome = bench.one.lookup(&Query::new(locator), DEADLINE).await.outcome;
        if outcome.is_err() {
            fails(outcome, &[ErrorKind::Refused, ErrorKind::Unsupported], "a locator of odd length")?;
        }
    }
    Ok(())
}

pub(super) async fn watching_tells_of_new_peers(bench: &Bench) -> Told {
    let (locator, sample) = (bench.fresh(), Sample::new(&bench.caps, 1));
    let mut watch = bench.two.watch_stream(&Query::new(locator.clone()), bench.subject.patience);
    if !bench.caps.watches {
        let outcome = watch.finish::<()>().await;
        return fails(outcome, &[ErrorKind::Unsupported], "watching, which caps deny").map(drop);
    }
    announce_soon(&bench.one, &sample, &locator).await?;
    while let Some(said) = watch.next().await {
        match said {
            Said::Peer(_) | Said::Value(_) | Said::Authored(_) => return Ok(()),
            Said::Failed(error) | Said::Unreadable(error) => return Err(error.into()),
            _ => {}
        }
    }
    Err(Unkept::broken("the watch ended before it told of the new peer"))
}

/// Announces after the watch had a moment to begin.
async fn announce_soon(by: &Driver, sample: &Sample, locator: &Locator) -> Told {
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    Ok(by.announce(&sample.announcement(locator)).await.map(drop)?)
}
