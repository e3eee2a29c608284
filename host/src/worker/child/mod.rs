//! The worker's side: one thread reads what the host asks, the plugin's threads answer.

mod calls;
mod desk;
mod out;
mod pipes;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::{Callee, Gate, Library, Refusal, process};
use bitboot_plugin_api::{Error, message};

use self::calls::Calls;
use self::desk::{Asking, FarDesk};
use self::out::Out;
use super::sandbox::{self, InForce};
use super::talk::{Credit, Ready, Refused, Start, Stream, VERSION, ask, tell};

/// The worker's life: ends with the host's pipe. What it returns is the process' exit code.
pub(super) fn serve() -> u8 {
    process::ignore_requests_to_end();
    let Ok((mut input, output)) = pipes::take() else { return 1 };
    let mut stream = Stream::default();
    let Some(start) = first(&mut input, &mut stream) else { return 1 };
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;
        let ours = [input.as_raw_fd(), output.as_raw_fd()];
        process::close_inherited(&ours.into_iter().chain(start.descriptor).collect::<Vec<_>>());
    }
    let out = Arc::new(Out::new(output));
    match open(&start) {
        Ok((library, in_force)) => {
            // Threads only now: what confines a process confines the thread that asks for it, and those that it starts.
            watch(&input);
            let writer = Arc::clone(&out);
            std::thread::spawn(move || writer.write_on());
            let ready = Ready { version: VERSION, in_force };
            out.say(Frame { kind: tell::READY, id: 0, body: &message::encode(&ready) });
            Desk::new(library, out).listen(&mut input, &mut stream);
        }
        Err(refusal) => {
            let refused = message::encode(&Refused::from(refusal));
            out.say(Frame { kind: tell::REFUSED, id: 0, body: &refused });
        }
    }
    process::leave(0)
}

/// The first thing that is said.
fn first(input: &mut File, stream: &mut Stream) -> Option<Start> {
    loop {
        match stream.next() {
            Ok(Some(Frame { kind: ask::START, body, .. })) => return message::decode(body).ok(),
            Ok(Some(_)) | Err(_) => return None,
            Ok(None) => {}
        }
        if !read(input, stream) {
            return None;
        }
    }
}

fn read(input: &mut File, stream: &mut Stream) -> bool {
    let bytes = stream.room();
    let (full, room) = (bytes.len(), bytes.capacity());
    bytes.resize(room, 0);
    let read = loop {
        match input.read(&mut bytes[full..]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => break read.unwrap_or(0),
        }
    };
    bytes.truncate(full + read);
    read > 0
}

/// Confines this process and opens the library, in this order: constructors run before anybody can check.
fn open(start: &Start) -> Result<(Library, InForce), Refusal> {
    if start.version != VERSION {
        let what = "bitboot was replaced by another version while it ran: start it again";
        return Err(Refusal::new(Gate::Worker, what));
    }
    let path = match start.descriptor {
        Some(descriptor) => PathBuf::from(format!("/proc/self/fd/{descriptor}")),
        None => start.path.clone(),
    };
    let in_force = sandbox::confine(&start.confine, &start.path)
        .map_err(|error| Refusal::new(Gate::Worker, format!("its process cannot be confined ({error})")))?;
    Ok((Library::load(&path, &start.manifest)?, in_force))
}

/// Ends this process with its host, also while the plugin blocks the thread that reads. Not on Windows, which would want a job object: there such a
/// plugin stays when the host is killed.
fn watch(input: &File) {
    #[cfg(unix)]
    if let Ok(input) = input.try_clone() {
        std::thread::spawn(move || {
            pipes::wait_for_the_end(&input);
            process::leave(0)
        });
    }
    #[cfg(not(unix))]
    let _ = input;
}

/// What the host asks is done here.
struct Desk {
    library: Library,
    out: Arc<Out>,
    calls: Arc<Calls>,
    asking: Arc<Asking>,
    backends: HashMap<u64, Callee>,
}

impl Desk {
    fn new(library: Library, out: Arc<Out>) -> Self {
        let (calls, asking) = (Calls::new(Arc::clone(&out)), Asking::new(Arc::clone(&out)));
        Self { library, out, calls: Arc::new(calls), asking: Arc::new(asking), backends: HashMap::new() }
    }

    fn listen(mut self, input: &mut File, stream: &mut Stream) {
        loop {
            match stream.next() {
                Ok(Some(frame)) => {
                    self.take(frame);
                    continue;
                }
                Ok(None) => {}
                Err(_) => return,
            }
            if !read(input, stream) {
                return;
            }
        }
    }

    fn take(&mut self, Frame { kind, id, body }: Frame<'_>) {
        match kind {
            ask::CREATE => self.create(id, body),
            ask::CALL => {
                let Some((backend, call)) = body.split_first_chunk::<8>() else { return };
                match self.backends.get(&u64::from_le_bytes(*backend)) {
                    Some(callee) => self.calls.start(id, callee, call.to_vec()),
                    None => drop(self.out.say(Frame { kind: tell::ENDED, id, body: &[] })),
                }
            }
            ask::CANCEL => self.calls.cancel(id),
            ask::CREDIT => Credit::of_bytes(body).into_iter().for_each(|more| self.calls.credit(id, more)),
            ask::ANSWER => self.asking.answered(id, &Ok(body.to_vec())),
            ask::DENIAL => {
                let error: Error = message::decode(body).unwrap_or_else(|unreadable| unreadable);
                self.asking.answered(id, &Err(error));
            }
            ask::DROP => drop(self.backends.remove(&id)),
            // A newer host's.
            _ => {}
        }
    }

    fn create(&mut self, id: u64, kind: &[u8]) {
        let desk = FarDesk { backend: id, asking: Arc::clone(&self.asking) };
        let kind = String::from_utf8_lossy(kind);
        match self.library.create(&kind, Arc::new(desk)) {
            Ok(callee) => {
                self.backends.insert(id, callee);
                self.out.say(Frame { kind: tell::CREATED, id, body: &[] });
            }
            Err(error) => {
                self.out.say(Frame { kind: tell::NOT_CREATED, id, body: &message::encode(&error) });
            }
        }
    }
}
