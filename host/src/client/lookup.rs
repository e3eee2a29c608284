use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use tokio::sync::mpsc;

use super::LookupOptions;
use crate::discovery::{Candidate, Heard, Ignored, News, Peer, Peers, Question, ask};
use crate::error::Error;
use crate::network::Network;

/// What happens in a lookup.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// A peer that was not known before.
    Peer(Peer),
    /// A peer that was known: one more backend saw it, or a node signed for it.
    Confirmed(Peer),
    /// A backend has told all that it knows.
    Done {
        /// The backend's name.
        backend: String,
        /// What it brought that is not shown.
        ignored: Ignored,
        /// How long it took.
        took: Duration,
    },
    /// In a secret network: so many addresses that no member has signed for, and that are not shown. Told once, at the end.
    HeldBack(usize),
    /// A backend could not; the others go on.
    Failed {
        /// The backend's name.
        backend: String,
        /// What failed.
        error: Error,
        /// How long it took.
        took: Duration,
    },
}

/// A lookup under way: a stream of what the backends find. Dropping it cancels.
#[derive(Debug)]
pub struct Lookup {
    inbox: mpsc::Receiver<Heard>,
    peers: Peers,
    limit: usize,
    told: usize,
    waiting: VecDeque<Found>,
}

impl Lookup {
    pub(super) fn start(candidates: Vec<Candidate>, network: Network, options: &LookupOptions) -> Self {
        // Anybody at the medium can put an address there: in a secret network the members' records count.
        let only_signed = network.secret().is_some() && !options.unverified;
        let question = Question { network, timeout: options.timeout, now: SystemTime::now() };
        Self {
            inbox: ask(candidates, &question),
            peers: Peers::new(only_signed),
            limit: options.limit.unwrap_or(usize::MAX),
            told: 0,
            waiting: VecDeque::new(),
        }
    }

    /// What happens next; `None` when every backend has told all, or there are as many peers as were asked for. Safe to be cancelled.
    pub async fn next(&mut self) -> Option<Found> {
        std::future::poll_fn(|cx| self.poll_found(cx)).await
    }

    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if self.told >= self.limit {
                self.inbox.close();
                return Poll::Ready(None);
            }
            if let Some(found) = self.waiting.pop_front() {
                self.told += usize::from(matches!(found, Found::Peer(_)));
                return Poll::Ready(Some(found));
            }
            let Some(heard) = ready!(self.inbox.poll_recv(cx)) else {
                let held_back = self.peers.take_held_back();
                return Poll::Ready((held_back > 0).then_some(Found::HeldBack(held_back)));
            };
            self.hear(heard);
        }
    }

    fn hear(&mut self, heard: Heard) {
        let now = SystemTime::now();
        let found = |(news, peer)| match news {
            News::Peer => Found::Peer(peer),
            News::More => Found::Confirmed(peer),
        };
        match heard {
            Heard::Address { backend, peer } => {
                self.waiting.extend(self.peers.add(&backend, peer, now).map(found));
            }
            Heard::Records { backend, records } => {
                for record in records {
                    self.waiting.extend(self.peers.add_record(&backend, &record, now).into_iter().map(found));
                }
            }
            Heard::Notes { backend, notes } => {
                for note in notes {
                    self.waiting.extend(self.peers.add_note(&backend, &note, now).map(found));
                }
            }
            Heard::Done { backend, ignored, took } => {
                self.waiting.push_back(Found::Done { backend, ignored, took });
            }
            Heard::Failed { backend, error, took } => {
                self.waiting.push_back(Found::Failed { backend, error, took });
            }
        }
    }
}

impl Stream for Lookup {
    type Item = Found;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        self.get_mut().poll_found(cx)
    }
}
