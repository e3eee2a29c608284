//! What comes from a worker: believed as far as it keeps the rules, and ended where it does not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bitboot_plugin_api::ffi::Kind;
use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::Refusal;
use bitboot_plugin_api::{Error, ErrorKind, message};
use tokio::io::AsyncReadExt;

use super::call::{Taken, expect_end};
use super::death::Death;
use super::pipes::Receiver;
use super::shared::{Shared, lock};
use crate::worker::talk::{Ready, Refused, Request, Stream, ask, tell};

/// So many requests of one plugin are answered at once.
const ASKED_AT_ONCE: usize = 64;
/// The kinds of frame below are events of calls.
const EVENTS: u8 = 16;

/// A rule that the worker broke, as a sentence that follows "its process".
type Breach = String;

/// Reads until the worker ends, or breaks a rule and is ended.
pub(super) async fn read(mut pipe: Receiver, shared: &Arc<Shared>) {
    let mut stream = Stream::default();
    while let Ok(1..) = pipe.read_buf(stream.room()).await {
        if let Err(breach) = take_all(&mut stream, shared) {
            return shared.kill(Death::by_host(&format!("{breach}, and was ended"), true));
        }
    }
}

/// Takes all frames that are there.
pub(super) fn take_all(stream: &mut Stream, shared: &Arc<Shared>) -> Result<(), Breach> {
    loop {
        match stream.next() {
            Ok(Some(frame)) if frame.kind < EVENTS => event(frame, shared)?,
            Ok(Some(frame)) => word(frame, shared)?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(format!("said what is no frame ({error})")),
        }
    }
}

fn event(Frame { kind, id, body }: Frame<'_>, shared: &Arc<Shared>) -> Result<(), Breach> {
    let Some(kind) = Kind::from_number(kind) else { return Ok(()) };
    if body.len() > message::MAX {
        return Err("sent an event that is too large".into());
    }
    let mut calls = lock(&shared.calls);
    let Some(call) = calls.get_mut(&id) else { return Ok(()) };
    if call.take(kind, body) == Taken::TooMuch {
        return Err("sent more than it was allowed to".into());
    }
    match kind {
        Kind::Done => drop(calls.remove(&id)),
        // A plugin whose call has failed by its deadline may still be at it.
        Kind::Failed => expect_end(shared, id),
        _ => {}
    }
    Ok(())
}

fn word(Frame { kind, id, body }: Frame<'_>, shared: &Arc<Shared>) -> Result<(), Breach> {
    let unreadable = |error: Error| format!("said what cannot be understood ({error})");
    match kind {
        tell::READY => {
            let ready: Ready = message::decode(body).map_err(unreadable)?;
            opened(shared, Ok(ready));
        }
        tell::REFUSED => {
            let refused: Refused = message::decode(body).map_err(unreadable)?;
            opened(shared, Err(refused.into()));
        }
        tell::CREATED | tell::NOT_CREATED => {
            let created = if kind == tell::CREATED {
                Ok(())
            } else {
                Err(message::decode(body).unwrap_or_else(|error| error))
            };
            if let Some(waiting) = lock(&shared.creating).remove(&id) {
                let _ = waiting.send(created);
            }
        }
        tell::REQUEST => request(id, message::decode(body).map_err(unreadable)?, shared)?,
        // One that still waits for its last event has fallen silent: its listener hears that nobody is left.
        tell::ENDED => drop(lock(&shared.calls).remove(&id)),
        // A newer worker's.
        _ => {}
    }
    Ok(())
}

fn opened(shared: &Shared, ready: Result<Ready, Refusal>) {
    if let Some(waiting) = lock(&shared.opening).take() {
        let _ = waiting.send(ready);
    }
}

/// Answers a plugin, from whatever its desk is and however long that takes.
fn request(id: u64, asked: Request, shared: &Arc<Shared>) -> Result<(), Breach> {
    let desk = lock(&shared.desks).get(&asked.backend).cloned();
    // Whoever wants no answer is not to be waited for: it is a line of a log.
    if id == 0 {
        let is_log = asked.service == "log";
        if let Some(desk) = desk.filter(|_| is_log) {
            let _ = desk.request(&asked.service, &asked.body);
        }
        return Ok(());
    }
    if shared.asked.fetch_add(1, Ordering::Relaxed) >= ASKED_AT_ONCE {
        shared.asked.fetch_sub(1, Ordering::Relaxed);
        let error = Error::new(ErrorKind::Refused, "the plugin asks for too much at once");
        return answer(shared, id, Err(error));
    }
    let shared = Arc::clone(shared);
    let runtime = shared.runtime.clone();
    runtime.spawn_blocking(move || {
        let answered = match desk {
            Some(desk) => desk.request(&asked.service, &asked.body),
            None => Err(Error::new(ErrorKind::Refused, "the host knows no such backend")),
        };
        shared.asked.fetch_sub(1, Ordering::Relaxed);
        if answer(&shared, id, answered).is_err() {
            shared.kill(Death::by_host("does not read, and was ended", true));
        }
    });
    Ok(())
}

fn answer(shared: &Shared, id: u64, answered: bitboot_plugin_api::Result<Vec<u8>>) -> Result<(), Breach> {
    use super::link::Unsaid;
    let said = match answered {
        Ok(body) => shared.link.say(Frame { kind: ask::ANSWER, id, body: &body }),
        Err(error) => shared.link.say(Frame { kind: ask::DENIAL, id, body: &message::encode(&error) }),
    };
    match said {
        Err(Unsaid::Deaf) => Err("does not read".into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
