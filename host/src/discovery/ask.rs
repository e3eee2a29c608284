use std::time::{Duration, Instant};

use bitboot_plugin_api::{Peer, Query};
use tokio::sync::mpsc;

use super::Candidate;
use crate::backend::{self, Step};
use crate::error::{Error, Result};

/// The most peers that one backend may bring: none can crowd the others out, or fill the memory.
const MAX_PEERS: usize = 10_000;

/// Who said what.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A backend found a peer.
    Peer { backend: String, peer: Peer },
    /// A backend has told all.
    Done { backend: String, values: usize, took: Duration },
    /// A backend could not.
    Failed { backend: String, error: Error, took: Duration },
}

/// Asks every backend at once. Dropping the receiver cancels them all.
pub(crate) fn ask(candidates: Vec<Candidate>, query: &Query, timeout: Duration) -> mpsc::Receiver<Heard> {
    let (sender, receiver) = mpsc::channel(256);
    for candidate in candidates {
        let (sender, query) = (sender.clone(), query.clone());
        tokio::spawn(async move {
            // A backend that is silent notices too that nobody listens any more.
            tokio::select! {
                () = sender.closed() => {}
                () = ask_one(candidate, &query, timeout, &sender) => {}
            }
        });
    }
    receiver
}

async fn ask_one(candidate: Candidate, query: &Query, timeout: Duration, sender: &mpsc::Sender<Heard>) {
    let started = Instant::now();
    let backend = candidate.backend.clone();
    let outcome = listen(candidate, query, timeout, sender).await;
    let took = started.elapsed();
    let last = match outcome {
        Ok(values) => Heard::Done { backend, values, took },
        Err(error) => Heard::Failed { backend, error, took },
    };
    // Nobody to tell is nothing to do.
    let _ = sender.send(last).await;
}

async fn listen(
    candidate: Candidate,
    query: &Query,
    timeout: Duration,
    sender: &mpsc::Sender<Heard>,
) -> Result<usize> {
    let name = candidate.backend.clone();
    let started = Instant::now();
    let opened = candidate.open(timeout).await?;
    let mut lookup = backend::lookup(&*opened, query, timeout.saturating_sub(started.elapsed()));
    let (mut peers, mut values) = (0, 0);
    loop {
        match lookup.next().await.map_err(|error| Error::of_backend(&name, error))? {
            Step::Peer(peer) if peers < MAX_PEERS => {
                peers += 1;
                if sender.send(Heard::Peer { backend: name.clone(), peer }).await.is_err() {
                    return Ok(values);
                }
            }
            Step::Value if values < MAX_PEERS => values += 1,
            // Enough, or the end.
            Step::Peer(_) | Step::Value | Step::Done(_) => return Ok(values),
            Step::Output(_) | Step::Held(_) => {}
        }
    }
}
