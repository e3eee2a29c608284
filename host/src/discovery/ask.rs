use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::listen::listen;
use super::{Candidate, Ignored};
use crate::error::Error;
use crate::network::{Network, Note, Record};

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) network: Network,
    pub(crate) timeout: Duration,
    /// The time by this machine's clock.
    pub(crate) now: SystemTime,
}

/// Who said what.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A backend found an address that nobody signed.
    Address { backend: String, peer: bitboot_plugin_api::Peer },
    /// A backend found records that hold, each signed.
    Records { backend: String, records: Vec<Record> },
    /// A backend found notes that hold, each proven by its medium to be of its author.
    Notes { backend: String, notes: Vec<Note> },
    /// A backend has told all.
    Done { backend: String, ignored: Ignored, took: Duration },
    /// A backend could not.
    Failed { backend: String, error: Error, took: Duration },
}

/// Asks every backend at once. Dropping the receiver cancels them all.
pub(crate) fn ask(candidates: Vec<Candidate>, question: &Question) -> mpsc::Receiver<Heard> {
    let (sender, receiver) = mpsc::channel(256);
    for candidate in candidates {
        let (sender, question) = (sender.clone(), question.clone());
        tokio::spawn(async move {
            // A backend that is silent notices too that nobody listens any more.
            tokio::select! {
                () = sender.closed() => {}
                () = ask_one(candidate, &question, &sender) => {}
            }
        });
    }
    receiver
}

async fn ask_one(candidate: Candidate, question: &Question, sender: &mpsc::Sender<Heard>) {
    let (started, backend) = (Instant::now(), candidate.backend.clone());
    let outcome = listen(candidate, question, sender).await;
    let took = started.elapsed();
    let last = match outcome {
        Ok(ignored) => Heard::Done { backend, ignored, took },
        Err(error) => Heard::Failed { backend, error, took },
    };
    // Nobody to tell is nothing to do.
    let _ = sender.send(last).await;
}
