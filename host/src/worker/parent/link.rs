use std::sync::{Mutex, PoisonError};

use bitboot_plugin_api::ffi::frame::Frame;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use super::pipes::Sender;

/// So much may wait for a worker that does not read.
const MOST: usize = 16 << 20;

/// The way to a worker: never blocks, and is written in few writes.
#[derive(Default)]
pub(super) struct Link {
    waiting: Mutex<Waiting>,
    work: Notify,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    closed: bool,
}

/// Why something is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsaid {
    /// It is larger than a frame may be.
    TooLarge,
    /// The worker does not read.
    Deaf,
    /// The worker is gone.
    Closed,
}

impl Link {
    pub(super) fn say(&self, frame: Frame<'_>) -> Result<(), Unsaid> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(Unsaid::Closed);
        }
        if waiting.bytes.len() > MOST {
            return Err(Unsaid::Deaf);
        }
        if !frame.write(&mut waiting.bytes) {
            return Err(Unsaid::TooLarge);
        }
        drop(waiting);
        self.work.notify_one();
        Ok(())
    }

    /// Nothing more is said; the pipe is closed.
    pub(super) fn close(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.work.notify_one();
    }

    /// Writes what is said until it is closed.
    pub(super) async fn write_to(&self, mut pipe: Sender) {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let closed = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut bytes, &mut waiting.bytes);
                waiting.closed
            };
            if closed || pipe.write_all(&bytes).await.is_err() {
                return self.close();
            }
            if bytes.is_empty() {
                self.work.notified().await;
            }
        }
    }
}
