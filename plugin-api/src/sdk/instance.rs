use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::found::Ear;
use super::runtime::runtime;
use super::{Call, CallHandle, Cx, Found, Host, Output};
use crate::action::KindInfo;
use crate::ffi::inside::Listener;
use crate::{Backend, Error, ErrorKind, Result, message};

/// A backend as the border sees it: something that calls can be started on.
pub(crate) trait Instance: Send + Sync {
    fn start(&self, call: Vec<u8>, listener: Listener) -> CallHandle;
    /// Drops the author's backend where its `Drop` can harm nobody.
    fn retire(self: Box<Self>);
}

/// A backend of one kind: first empty, after `open` with the author's backend in it.
pub(super) struct Slot<B> {
    host: Host,
    backend: Arc<OnceLock<B>>,
}

impl<B: Backend> Slot<B> {
    pub(super) fn boxed(host: Host) -> Result<Box<dyn Instance>> {
        runtime()?;
        Ok(Box::new(Self { host, backend: Arc::new(OnceLock::new()) }))
    }
}

impl<B: Backend> Instance for Slot<B> {
    fn start(&self, call: Vec<u8>, listener: Listener) -> CallHandle {
        let listener = Arc::new(listener);
        let (host, backend) = (self.host.clone(), Arc::clone(&self.backend));
        // `boxed` has seen the runtime, so the error cannot come; nothing runs if it does.
        let Ok(runtime) = runtime() else { return CallHandle::new(None) };
        let task = runtime.spawn(async move {
            let outcome = supervise(&listener, call, host, backend).await;
            Ear::of(&listener).finish(outcome).await;
        });
        CallHandle::new(Some(task.abort_handle()))
    }

    fn retire(self: Box<Self>) {
        if let Ok(runtime) = runtime() {
            runtime.spawn_blocking(move || drop(self));
        }
    }
}

/// Runs a call as a task of its own, so that a panic in a poll or in a drop ends that task only.
async fn supervise<B: Backend>(
    listener: &Arc<Listener>,
    call: Vec<u8>,
    host: Host,
    backend: Arc<OnceLock<B>>,
) -> Result<Vec<u8>> {
    let call: Call = message::decode(&call)?;
    // A year is as good as for ever, and does not overflow.
    let deadline =
        Instant::now() + Duration::from_millis(call.deadline_ms).min(Duration::from_secs(365 * 86_400));
    let op = call.op.clone();
    let (ear, kept) = (Ear::of(listener), Arc::clone(listener));
    let mut work = Aborted(tokio::spawn(async move {
        let outcome = serve(call, Cx::new(ear.clone(), deadline), ear, host, backend).await;
        // Until here the author's code is within the call.
        drop(kept);
        outcome
    }));
    match tokio::time::timeout_at(deadline, &mut work.0).await {
        Ok(Ok(Err(error))) if error.kind == ErrorKind::Stopped => Ok(message::encode(&())),
        Ok(Ok(outcome)) => outcome,
        Ok(Err(died)) => Err(panicked(&op, died)),
        Err(_) => Err(Error::new(ErrorKind::TimedOut, format!("`{op}` did not end before its deadline"))),
    }
}

/// A task that ends with whoever waits for it.
struct Aborted<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve<B: Backend>(
    call: Call,
    cx: Cx,
    ear: Ear,
    host: Host,
    slot: Arc<OnceLock<B>>,
) -> Result<Vec<u8>> {
    let body = call.body.as_slice();
    match call.op.as_str() {
        "describe" => return done(Ok(KindInfo::of::<B>())),
        "open" => return done(open(body, host, &slot).await),
        _ => {}
    }
    let backend = slot
        .get()
        .ok_or_else(|| Error::new(ErrorKind::Refused, format!("`{}` was called before `open`", call.op)))?;
    match call.op.as_str() {
        "caps" => done(Ok(backend.caps())),
        "announce" => done(backend.announce(message::decode(body)?, cx).await),
        "withdraw" => done(backend.withdraw(message::decode(body)?, cx).await),
        "quote" => done(backend.quote(message::decode(body)?, cx).await),
        "quote_action" => done(backend.quote_action(message::decode(body)?, cx).await),
        "author" => done(backend.author(cx).await),
        "here" => done(backend.here(cx).await),
        "health" => done(backend.health(cx).await),
        "save" => done(backend.save(cx).await),
        "lookup" => done(backend.lookup(message::decode(body)?, Found::new(ear, cx)).await),
        "read" => done(backend.read(message::decode(body)?, Found::new(ear, cx)).await),
        "write" => done(backend.write(message::decode(body)?, cx).await),
        "watch" => done(backend.watch(message::decode(body)?, Found::new(ear, cx)).await),
        "action" => done(backend.action(message::decode(body)?, Output::new(ear, cx)).await),
        unknown => Err(Error::unsupported(format!("the plugin knows no operation `{unknown}`"))),
    }
}

async fn open<B: Backend>(body: &[u8], host: Host, slot: &OnceLock<B>) -> Result<()> {
    let twice = || Error::new(ErrorKind::Refused, "`open` was called twice");
    if slot.get().is_some() {
        return Err(twice());
    }
    let config: Value = message::decode(body)?;
    let config =
        serde_json::from_value(if config.is_null() { Value::Object(serde_json::Map::new()) } else { config })
            .map_err(|error| {
                Error::new(ErrorKind::Config, "the configuration does not fit").because(error.to_string())
            })?;
    let backend = B::open(config, host).await?;
    // Two at once: the one that comes second.
    slot.set(backend).map_err(|_| twice())
}

fn done<T: Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.map(|body| message::encode(&body))
}

fn panicked(op: &str, died: JoinError) -> Error {
    let told = died.try_into_panic().ok().and_then(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        // A payload may itself panic when it is dropped.
        std::mem::forget(payload);
        text
    });
    let error = Error::new(ErrorKind::Panicked, format!("the plugin panicked in `{op}`"));
    told.map_or(error.clone(), |text| error.because(text))
}
