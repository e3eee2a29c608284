use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{Error, ErrorKind, Result, message};

use super::out::Out;
use crate::worker::talk::{Request, tell};

type Answer = Result<Vec<u8>>;

/// The requests that wait for the host's answer, by their numbers.
pub(super) struct Asking {
    out: Arc<Out>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, SyncSender<Answer>>>,
}

/// The host's services for one backend, at this end.
pub(super) struct FarDesk {
    pub(super) backend: u64,
    pub(super) asking: Arc<Asking>,
}

impl Asking {
    pub(super) fn new(out: Arc<Out>) -> Self {
        Self { out, next: AtomicU64::new(1), waiting: Mutex::default() }
    }

    pub(super) fn answered(&self, id: u64, answer: &Answer) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.try_send(answer.clone());
        }
    }
}

impl Services for FarDesk {
    fn request(&self, service: &str, body: &[u8]) -> Answer {
        let request = Request { backend: self.backend, service: service.into(), body: body.into() };
        let body = message::encode(&request);
        let too_long = || Error::new(ErrorKind::Refused, "the request is longer than a message may be");
        let say = |id| {
            let frame = Frame { kind: tell::REQUEST, id, body: &body };
            self.asking.out.say_in_turn(frame).then_some(()).ok_or_else(too_long)
        };
        // Called from the threads that run the author's code: they must not wait for somebody who reads a log.
        if service == "log" {
            return say(0).map(|()| message::encode(&()));
        }
        let id = self.asking.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = sync_channel(1);
        self.asking.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        if let Err(error) = say(id) {
            self.asking.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            return Err(error);
        }
        // The host answers everything, or is gone and this process with it.
        answer.recv().unwrap_or_else(|_| Err(Error::new(ErrorKind::Stopped, "the host is gone")))
    }
}
