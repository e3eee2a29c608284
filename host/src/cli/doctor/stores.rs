//! Whether the places for keys can be used now, and how long each takes to answer.

use std::time::{Duration, Instant};

use super::finding::Finding;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::keys::{KeyRing, StoreName, ask_never};

/// A keyring that waits for a person, or a helper that hangs, costs no more.
const PATIENCE: Duration = Duration::from_secs(5);

/// All stores at once. One that cannot be used is a problem only where a key lies in it.
pub(super) async fn stores(context: &Context) -> Result<Vec<Finding>> {
    let keys = context.keys()?;
    // An index that cannot be read has a finding of its own.
    let index = keys.index().unwrap_or_default();
    let used: Vec<StoreName> = index.keys.values().map(|key| key.store).collect();
    let node = keys.known_identity().ok().flatten().map(|(_, place)| place.store);
    let mut probes = Vec::new();
    // Nobody has to have a helper.
    let are_there = |store: &StoreName| *store != StoreName::Helper || !index.helper.is_empty();
    for store in StoreName::ALL.into_iter().filter(are_there) {
        let paths = context.paths()?.clone();
        let work = move || {
            let start = Instant::now();
            // Nobody is asked for anything here.
            let outcome = KeyRing::new(&paths, ask_never(None), false).status(store);
            outcome.map(|told| format!("{told}; it took {} ms", start.elapsed().as_millis()))
        };
        probes.push((store, tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work))));
    }
    let mut findings = Vec::new();
    for (store, probe) in probes {
        let outcome = match probe.await {
            Ok(Ok(outcome)) => outcome,
            _ => Err(Error::new(Kind::Key, format!("it did not answer within {} s", PATIENCE.as_secs()))
                .fix("see each of them: bitboot key stores")),
        };
        let about = format!("key store {store}");
        let outcome = outcome.map_err(|error| match error.fix {
            None => error.fix("keep keys elsewhere: bitboot key stores"),
            Some(_) => error,
        });
        let is_used = used.contains(&store) || node == Some(store);
        findings.push(if is_used { Finding::new(about, outcome) } else { Finding::mild(about, outcome) });
    }
    Ok(findings)
}
