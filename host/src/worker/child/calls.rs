use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::{Callee, Running};
use bitboot_plugin_api::ffi::{Flow, Kind};
use bitboot_plugin_api::message;

use super::out::Out;
use crate::worker::talk::{Credit, WINDOW, tell};

/// The calls that the plugin works on, by their numbers.
pub(super) struct Calls {
    out: Arc<Out>,
    running: Mutex<HashMap<u64, Call>>,
}

struct Call {
    line: Arc<Line>,
    /// Not there yet while the call is being started.
    running: Option<Running>,
}

/// The host's ear for one call, at this end.
struct Line {
    id: u64,
    out: Arc<Out>,
    events: AtomicI64,
    bytes: AtomicI64,
    /// The host does not listen any more.
    ended: AtomicBool,
    /// The last event was sent; whether it was one of success.
    last: AtomicBool,
    done: AtomicBool,
}

impl Calls {
    pub(super) fn new(out: Arc<Out>) -> Self {
        Self { out, running: Mutex::default() }
    }

    pub(super) fn start(self: &Arc<Self>, id: u64, callee: &Callee, call: Vec<u8>) {
        let line = Arc::new(Line::new(id, Arc::clone(&self.out)));
        self.lock().insert(id, Call { line: Arc::clone(&line), running: None });
        let kept = Kept { line, calls: Arc::clone(self) };
        let running = callee.call(call, move |kind, body| kept.line.event(kind, body));
        // It may have ended by now, and then nobody is left to keep it. It is dropped outside of the lock: that may drop the listener.
        let mut unwanted = Some(running);
        match self.lock().get_mut(&id) {
            Some(call) if !call.line.ended.load(Ordering::Relaxed) => call.running = unwanted.take(),
            _ => {}
        }
        drop(unwanted);
    }

    pub(super) fn cancel(&self, id: u64) {
        let running = self.lock().get_mut(&id).and_then(|call| {
            call.line.ended.store(true, Ordering::Relaxed);
            call.running.take()
        });
        drop(running);
    }

    pub(super) fn credit(&self, id: u64, more: Credit) {
        if let Some(call) = self.lock().get(&id) {
            call.line.events.fetch_add(more.events.into(), Ordering::Relaxed);
            call.line.bytes.fetch_add(more.bytes.into(), Ordering::Relaxed);
        }
    }

    fn forget(&self, id: u64) {
        let call = self.lock().remove(&id);
        drop(call);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Call>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(id: u64, out: Arc<Out>) -> Self {
        let (events, bytes) = (i64::from(WINDOW.events).into(), i64::from(WINDOW.bytes).into());
        let no = AtomicBool::default;
        Self { id, out, events, bytes, ended: no(), last: no(), done: no() }
    }

    fn event(&self, kind: Kind, body: &[u8]) -> Flow {
        if self.ended.load(Ordering::Relaxed) || self.last.load(Ordering::Relaxed) {
            return Flow::Stop;
        }
        if body.len() > message::MAX {
            return Flow::Stop;
        }
        let frame = Frame { kind: kind as u8, id: self.id, body };
        if matches!(kind, Kind::Done | Kind::Failed) {
            self.done.store(kind == Kind::Done, Ordering::Relaxed);
            self.last.store(true, Ordering::Relaxed);
            self.out.say(frame);
            return Flow::GoOn;
        }
        let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
        // The last one may exceed what is left of the bytes: the host counts in the same way.
        if self.events.load(Ordering::Relaxed) <= 0
            || self.bytes.load(Ordering::Relaxed) <= 0
            || !self.out.offer(frame)
        {
            return Flow::Later;
        }
        self.events.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        Flow::GoOn
    }
}

/// Held by the plugin for as long as it works on a call.
struct Kept {
    line: Arc<Line>,
    calls: Arc<Calls>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.calls.forget(self.line.id);
        // After a success the host waits for nothing more.
        if self.line.ended.load(Ordering::Relaxed) || !self.line.done.load(Ordering::Relaxed) {
            self.line.out.say(Frame { kind: tell::ENDED, id: self.line.id, body: &[] });
        }
    }
}
