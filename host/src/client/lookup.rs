use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bitboot_plugin_api::Query;
use futures_core::Stream;
use tokio::sync::mpsc;

use super::LookupOptions;
use crate::discovery::{Candidate, Heard, News, Peer, Peers, ask};
use crate::error::Error;
use crate::network::Network;

/// What happens in a lookup.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// A peer that was not known before.
    Peer(Peer),
    /// A peer that was known, seen by one more backend.
    Confirmed(Peer),
    /// A backend has told all that it knows.
    Done {
        /// The backend's name.
        backend: String,
        /// Values that it found and that nothing here can open.
        unread: usize,
        /// How long it took.
        took: Duration,
    },
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
}

impl Lookup {
    pub(super) fn start(candidates: Vec<Candidate>, network: &Network, options: &LookupOptions) -> Self {
        let mut query = Query::new(network.locator().clone());
        query.limit = options.limit.and_then(|limit| u32::try_from(limit).ok());
        let inbox = ask(candidates, &query, options.timeout);
        Self { inbox, peers: Peers::default(), limit: options.limit.unwrap_or(usize::MAX) }
    }

    /// What happens next; `None` when every backend has told all, or there are as many peers as were asked for.
    pub async fn next(&mut self) -> Option<Found> {
        std::future::poll_fn(|cx| self.poll_found(cx)).await
    }

    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if self.peers.len() >= self.limit {
                self.inbox.close();
                return Poll::Ready(None);
            }
            let Some(heard) = ready!(self.inbox.poll_recv(cx)) else { return Poll::Ready(None) };
            let found = match heard {
                Heard::Peer { backend, peer } => match self.peers.add(&backend, peer, SystemTime::now()) {
                    (News::Peer, peer) => Found::Peer(peer.clone()),
                    (News::Backend, peer) => Found::Confirmed(peer.clone()),
                    (News::Nothing, _) => continue,
                },
                Heard::Done { backend, values, took } => Found::Done { backend, unread: values, took },
                Heard::Failed { backend, error, took } => Found::Failed { backend, error, took },
            };
            return Poll::Ready(Some(found));
        }
    }
}

impl Stream for Lookup {
    type Item = Found;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        self.get_mut().poll_found(cx)
    }
}
