use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::Stream;
use tokio::sync::{mpsc, oneshot};

use super::Item;
use super::both::Told;
use crate::dht::krpc::bencode::Value;
use crate::dht::{Event, Outcome};

/// What came of the last search.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    /// When somebody answered last.
    answered: Option<Instant>,
    nothing_went_out: bool,
}

impl Heard {
    pub(super) fn last(&self) -> Option<Instant> {
        self.lock().answered
    }

    /// Whether the system let none of the last search's questions out.
    pub(super) fn nothing_went_out(&self) -> bool {
        self.lock().nothing_went_out
    }

    pub(super) fn note(&self, outcomes: &[Outcome; 2]) {
        if outcomes.iter().any(|outcome| outcome.answered > 0) {
            self.now();
        }
        let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
        let unsent = sum(|outcome| outcome.unsent);
        self.lock().nothing_went_out = unsent > 0 && unsent >= sum(|outcome| outcome.asked);
    }

    fn now(&self) {
        self.lock().answered = Some(Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The peers that a search finds.
pub(super) struct Peers {
    pub(super) search: mpsc::UnboundedReceiver<Told>,
    pub(super) heard: Heard,
}

impl Stream for Peers {
    type Item = Vec<SocketAddr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.search.poll_recv(cx) {
                Poll::Ready(Some(Told::Event(Event::Peers(_, peers)))) => {
                    self.heard.now();
                    return Poll::Ready(Some(peers));
                }
                Poll::Ready(Some(Told::Event(_))) => {}
                Poll::Ready(Some(Told::Done(outcomes))) => {
                    self.heard.note(&outcomes);
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The items that a search finds; at its end it tells how many nodes have answered.
pub(super) struct Items {
    pub(super) search: mpsc::UnboundedReceiver<Told>,
    pub(super) heard: Heard,
    pub(super) ended: Option<oneshot::Sender<u32>>,
}

impl Stream for Items {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            match self.search.poll_recv(cx) {
                Poll::Ready(Some(Told::Event(Event::Item(_, item)))) => {
                    // Only strings are ours.
                    let value = Value::split(&item.value).ok().and_then(|(value, _)| value.bytes());
                    if let Some(value) = value {
                        return Poll::Ready(Some(Item { value: value.to_vec(), seq: item.seq }));
                    }
                }
                Poll::Ready(Some(Told::Event(_))) => {}
                Poll::Ready(Some(Told::Done(outcomes))) => {
                    self.heard.note(&outcomes);
                    let answered: usize = outcomes.iter().map(|outcome| outcome.answered).sum();
                    if let Some(ended) = self.ended.take() {
                        let _ = ended.send(u32::try_from(answered).unwrap_or(u32::MAX));
                    }
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
