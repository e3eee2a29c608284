//! Starts workers from one thread that lives as long as this process: the system can end a worker with the thread that started it, and a
//! library's descriptor is inherited by nobody else.

use std::fs::File;
use std::io;
use std::process::{Child, Stdio};
use std::sync::{OnceLock, mpsc};

use tokio::sync::oneshot;

use super::super::program;

type Job = Box<dyn FnOnce() + Send>;

/// A process that has started, and the descriptor of the library in it.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) descriptor: Option<i32>,
}

/// Starts a worker. It inherits the library where it can be loaded by its descriptor.
pub(super) async fn spawn(plugin: &str, library: File) -> io::Result<Spawned> {
    let (sender, spawned) = oneshot::channel();
    let plugin = plugin.to_owned();
    run(Box::new(move || drop(sender.send(start(&plugin, &library)))));
    spawned.await.unwrap_or_else(|_| Err(io::Error::other("there is no thread to start it")))
}

/// Waits for a process that has been ended, so that nothing of it is left.
pub(super) fn bury(mut child: Child) {
    run(Box::new(move || drop(child.wait())));
}

fn run(job: Job) {
    static JOBS: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let jobs = JOBS.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        let work = move || jobs.into_iter().for_each(|job| job());
        // Without a thread the jobs are dropped, and who waits for them is told.
        let _ = std::thread::Builder::new().name("bitboot-workers".into()).spawn(work);
        sender
    });
    drop(jobs.send(job));
}

fn start(plugin: &str, library: &File) -> io::Result<Spawned> {
    let missing = || io::Error::other("the program `bitboot` is not found beside this one nor in PATH");
    let mut command = program::command(plugin).ok_or_else(missing)?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let inherited = inherit(library)?;
    let child = command.spawn()?;
    #[cfg(unix)]
    let descriptor = inherited.as_ref().map(std::os::fd::AsRawFd::as_raw_fd);
    #[cfg(not(unix))]
    let descriptor = None;
    drop(inherited);
    Ok(Spawned { child, descriptor })
}

/// A descriptor that the next process inherits. Only Linux loads a library by one.
#[cfg(target_os = "linux")]
fn inherit(library: &File) -> io::Result<Option<std::os::fd::OwnedFd>> {
    use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
    let inherited = fcntl_dupfd_cloexec(library, 3)?;
    fcntl_setfd(&inherited, FdFlags::empty())?;
    Ok(Some(inherited))
}

#[cfg(not(target_os = "linux"))]
fn inherit(_library: &File) -> io::Result<Option<File>> {
    Ok(None)
}
