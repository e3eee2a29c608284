//! What a medium carries, and what it refuses rather than carry it untruthfully.

use bitboot_plugin_api::{Announcement, Endpoint, ErrorKind};

use crate::Finds;
use crate::bench::{Bench, fails};
use crate::check::{Told, Unkept, ensure, idle};

pub(super) async fn nothing_to_announce_is_refused(bench: &Bench) -> Told {
    let outcome = bench.one.announce(&Announcement::new(bench.fresh())).await;
    fails(outcome, &[ErrorKind::Refused, ErrorKind::Unsupported], "announcing nothing").map(drop)
}

pub(super) async fn foreign_address_is_not_published_as_ours(bench: &Bench) -> Told {
    if !bench.caps.source_bound {
        return idle("the medium carries whichever address it is told");
    }
    let foreign = endpoint("203.0.113.7:4001")?;
    let locator = bench.fresh();
    let outcome = bench.one.announce(&Announcement::new(locator.clone()).with_endpoint(foreign)).await;
    fails(outcome, &[ErrorKind::Refused], "announcing another host's address")?;
    bench.until(&locator, "nothing is published", |finds| finds.peers.is_empty()).await.map(drop)
}

pub(super) async fn ipv6_is_carried_or_refused(bench: &Bench) -> Told {
    carried_or_refused(bench, "[2001:db8::7]:4001", bench.caps.ipv6).await
}

pub(super) async fn dns_name_is_carried_or_refused(bench: &Bench) -> Told {
    carried_or_refused(bench, "peer.example:4001", bench.caps.dns).await
}

async fn carried_or_refused(bench: &Bench, text: &str, carried: bool) -> Told {
    if bench.caps.source_bound || !bench.publishes() {
        return idle("the medium carries the sender's address only");
    }
    let (locator, endpoint) = (bench.fresh(), endpoint(text)?);
    let outcome =
        bench.one.announce(&Announcement::new(locator.clone()).with_endpoint(endpoint.clone())).await;
    if carried {
        outcome?;
        let is_there = |finds: &Finds| finds.peers.iter().any(|peer| peer.endpoint == endpoint);
        return bench.until(&locator, &format!("{text} is found"), is_there).await.map(drop);
    }
    match outcome {
        Ok(receipt) if !receipt.notes.is_empty() => Ok(()),
        Ok(_) => {
            Err(Unkept::broken(format!("{text} is neither carried, nor refused, nor noted as left out")))
        }
        refused => fails(refused, &[ErrorKind::Refused], text).map(drop),
    }
}

pub(super) async fn value_is_carried_or_refused(bench: &Bench) -> Told {
    let locator = bench.fresh();
    if bench.caps.max_value == 0 {
        let outcome = bench.one.announce(&Announcement::new(locator).with_value([7; 40])).await;
        return fails(outcome, &[ErrorKind::Refused, ErrorKind::Unsupported], "a value, which caps deny")
            .map(drop);
    }
    // Every byte there is, and the largest value that the medium takes.
    let largest = (0..bench.caps.max_value).map(|at| at.to_le_bytes()[0]).collect::<Vec<_>>();
    for value in [vec![0], largest] {
        bench.one.announce(&Announcement::new(locator.clone()).with_value(value.clone())).await?;
        let what = format!("the value of {} bytes is found", value.len());
        bench.until(&locator, &what, |finds| finds.values.contains(&value)).await?;
    }
    Ok(())
}

pub(super) async fn oversize_value_is_refused(bench: &Bench) -> Told {
    // Leave room for the rest of the message, which has a limit of its own.
    let size = bench.caps.max_value as usize + 1;
    if size > bitboot_plugin_api::message::MAX - 1024 {
        return idle("the medium takes all that a message holds");
    }
    let outcome = bench.one.announce(&Announcement::new(bench.fresh()).with_value(vec![7; size])).await;
    fails(outcome, &[ErrorKind::Refused, ErrorKind::Unsupported], "a value larger than caps say").map(drop)
}

pub(super) async fn health_is_told_or_unsupported(bench: &Bench) -> Told {
    match bench.one.health().await {
        Ok(health) => ensure(health.reachable && !health.summary.is_empty(), || {
            format!("the test's medium works, the backend says {health:?}")
        }),
        outcome => fails(outcome, &[ErrorKind::Unsupported], "health").map(drop),
    }
}

pub(super) async fn saving_works(bench: &Bench) -> Told {
    Ok(bench.one.save().await?)
}

fn endpoint(text: &str) -> Told<Endpoint> {
    text.parse().map_err(|error| Unkept::broken(format!("{text}: {error}")))
}
