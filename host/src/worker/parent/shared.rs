use std::collections::HashMap;
use std::process::Child;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bitboot_plugin_api::ffi::outside::{Refusal, Services};
use bitboot_plugin_api::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::call::Call;
use super::death::{Death, LastLines, Witness};
use super::link::Link;
use super::spawn;
use crate::worker::talk::Ready;

/// What all that has to do with one worker shares.
pub(super) struct Shared {
    pub(super) link: Link,
    pub(super) calls: Mutex<HashMap<u64, Call>>,
    pub(super) creating: Mutex<HashMap<u64, oneshot::Sender<Result<()>>>>,
    pub(super) desks: Mutex<HashMap<u64, Arc<dyn Services>>>,
    pub(super) opening: Mutex<Option<oneshot::Sender<Result<Ready, Refusal>>>>,
    /// The plugin's requests that are being answered.
    pub(super) asked: AtomicUsize,
    pub(super) last_lines: LastLines,
    pub(super) runtime: Handle,
    child: Mutex<Option<Child>>,
    next: AtomicU64,
    /// Why the host ends it.
    doom: OnceLock<Death>,
    death: OnceLock<Death>,
}

impl Shared {
    /// Without a process: for what is said in its place.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of_nobody() -> Self {
        Self::of(None, oneshot::channel().0)
    }

    pub(super) fn new(child: Child, opening: oneshot::Sender<Result<Ready, Refusal>>) -> Self {
        Self::of(Some(child), opening)
    }

    fn of(child: Option<Child>, opening: oneshot::Sender<Result<Ready, Refusal>>) -> Self {
        Self {
            link: Link::default(),
            calls: Mutex::default(),
            creating: Mutex::default(),
            desks: Mutex::default(),
            opening: Mutex::new(Some(opening)),
            asked: AtomicUsize::new(0),
            last_lines: LastLines::default(),
            runtime: Handle::current(),
            child: Mutex::new(child),
            next: AtomicU64::new(1),
            doom: OnceLock::new(),
            death: OnceLock::new(),
        }
    }

    /// A number that nothing else of this worker has.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn death(&self) -> Option<&Death> {
        self.death.get()
    }

    /// What a call is told that cannot be made any more.
    pub(super) fn gone(&self) -> Error {
        let death = self.death.get().or_else(|| self.doom.get());
        death.map_or_else(|| Error::new(ErrorKind::Panicked, "the plugin's process is gone"), Death::error)
    }

    /// Ends the process at once. The first reason counts.
    pub(super) fn kill(&self, why: Death) {
        let _ = self.doom.set(why);
        if let Some(child) = lock(&self.child).as_mut() {
            end(child);
        }
        self.link.close();
    }

    /// Called when nothing comes from the process any more: finds out how it ended, and tells everybody who waits.
    pub(super) async fn ended(&self, stderr: JoinHandle<()>, witness: Arc<dyn Witness>) {
        const PATIENCE: Duration = Duration::from_millis(200);
        let child = lock(&self.child).take();
        let status = match child {
            Some(child) => self.bury(child, PATIENCE).await,
            None => None,
        };
        // Its last words may still be in the pipe; a process that it has started may keep the pipe open.
        let _ = tokio::time::timeout(PATIENCE, stderr).await;
        let mut death = self.doom.get().cloned().unwrap_or_else(|| Death::of_status(status));
        death.last_lines = self.last_lines.get();
        let _ = self.death.set(death.clone());
        if death.is_fault {
            let _ = tokio::task::spawn_blocking(move || witness.died(&death)).await;
        }
        self.link.close();
        drop(lock(&self.opening).take());
        let creating = std::mem::take(&mut *lock(&self.creating));
        for waiting in creating.into_values() {
            let _ = waiting.send(Err(self.gone()));
        }
        let calls = std::mem::take(&mut *lock(&self.calls));
        for call in calls.into_values() {
            call.fail(&self.gone());
        }
        lock(&self.desks).clear();
    }

    /// How it ended by itself within a time; else it is ended.
    async fn bury(&self, mut child: Child, patience: Duration) -> Option<std::process::ExitStatus> {
        const LOOK: Duration = Duration::from_millis(2);
        for _ in 0..patience.as_millis() / LOOK.as_millis() {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(status);
            }
            tokio::time::sleep(LOOK).await;
        }
        let _ = self.doom.set(Death::by_host("closed its pipes without ending, and was ended", true));
        end(&mut child);
        spawn::bury(child);
        None
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The runtime ended before the process did.
        if let Some(mut child) = lock(&self.child).take() {
            end(&mut child);
            spawn::bury(child);
        }
    }
}

/// Ends a process and, where it could start others, those too.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if matches!(child.try_wait(), Ok(None))
        && let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
    {
        // It leads a group of its own name.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

pub(super) fn lock<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
