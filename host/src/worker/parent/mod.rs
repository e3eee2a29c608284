//! The host's side of a worker.

mod call;
mod death;
#[cfg(fuzzing)]
mod fuzzing;
mod link;
mod pipes;
mod read;
mod remote;
mod shared;
mod spawn;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::outside::{Gate, Refusal, Services};
use bitboot_plugin_api::message;

use tokio::sync::oneshot;

use self::shared::Shared;
use super::sandbox::{Confine, InForce};
use super::talk::{Ready, Start, VERSION, ask};

pub use death::{Death, Witness};
pub(crate) use death::{exit_code, last_words};
#[cfg(fuzzing)]
pub(crate) use fuzzing::hear;
pub use remote::{Events, Remote};

/// A plugin that is not ready by then is ended.
const START: Duration = Duration::from_secs(10);

/// A process in which one plugin is open. Cheap to clone; it ends with the last of its clones and backends, and with this process.
#[derive(Clone)]
pub struct Worker(Arc<Kept>);

struct Kept {
    life: Life,
    in_force: InForce,
    pid: u32,
}

/// Ends the process when it is dropped.
struct Life(Arc<Shared>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.kill(Death::by_host("was ended by the host", false));
    }
}

/// Why no worker came of a library.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotStarted {
    /// It stopped at a gate.
    Refused(Refusal),
    /// The process died while it opened the library.
    Died(Death),
}

impl Worker {
    /// Starts a worker, confined, and opens a library in it that was read before: its file and its embedded manifest. `name` is shown in
    /// lists of processes. Wants a tokio runtime with IO and time.
    ///
    /// # Errors
    /// When the process cannot be started or confined, the library is refused, or it is not ready within ten seconds.
    pub async fn start(
        name: &str,
        library: (File, &Path),
        manifest: &str,
        confine: &Confine,
        witness: Arc<dyn Witness>,
    ) -> Result<Self, NotStarted> {
        let (file, path) = library;
        let failed = |error: std::io::Error| {
            NotStarted::Refused(Refusal::new(
                Gate::Worker,
                format!("its process cannot be started ({error})"),
            ))
        };
        let mut spawned = spawn::spawn(name, file).await.map_err(failed)?;
        let (descriptor, pid) = (spawned.descriptor, spawned.child.id());
        let gone = || failed(std::io::Error::other("it has no pipes"));
        let stdin = pipes::sender(spawned.child.stdin.take().ok_or_else(gone)?).map_err(failed)?;
        let stdout = pipes::receiver(spawned.child.stdout.take().ok_or_else(gone)?).map_err(failed)?;
        let stderr = pipes::told(spawned.child.stderr.take().ok_or_else(gone)?).map_err(failed)?;

        let (sender, opening) = oneshot::channel();
        let shared = Arc::new(Shared::new(spawned.child, sender));
        let life = Life(Arc::clone(&shared));
        let (writing, hearing, reading) = (Arc::clone(&shared), Arc::clone(&shared), Arc::clone(&shared));
        let told = Arc::clone(&witness);
        tokio::spawn(async move { writing.link.write_to(stdin).await });
        let heard = tokio::spawn(async move { hearing.last_lines.hear(stderr, witness).await });
        tokio::spawn(async move {
            read::read(stdout, &reading).await;
            reading.ended(heard, told).await;
        });

        let start = Start {
            version: VERSION,
            descriptor,
            path: path.to_owned(),
            manifest: manifest.to_owned(),
            confine: confine.clone(),
        };
        // One that is gone is noticed by whoever waits for it.
        let _ = shared.link.say(Frame { kind: ask::START, id: 0, body: &message::encode(&start) });
        let in_force = ready(&shared, opening).await?;
        Ok(Self(Arc::new(Kept { life, in_force, pid })))
    }

    /// Makes a backend of a kind, not yet opened, with what the host does for it.
    ///
    /// # Errors
    /// What the plugin answers, such as a kind that it does not have; and when the worker is gone.
    pub async fn create(
        &self,
        kind: &str,
        services: Arc<dyn Services>,
    ) -> bitboot_plugin_api::Result<Remote> {
        Remote::create(self.clone(), kind, services).await
    }

    /// What confines the process, as it was found from inside.
    #[must_use]
    pub fn in_force(&self) -> &InForce {
        &self.0.in_force
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// How it ended, if it has.
    pub(crate) fn death(&self) -> Option<&Death> {
        self.shared().death()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.life.0
    }
}

/// Waits until the worker has opened the library.
async fn ready(
    shared: &Shared,
    opening: oneshot::Receiver<Result<Ready, Refusal>>,
) -> Result<InForce, NotStarted> {
    let refused = |gate, what: String| Err(NotStarted::Refused(Refusal::new(gate, what)));
    match tokio::time::timeout(START, opening).await {
        Ok(Ok(Ok(ready))) if ready.version == VERSION => Ok(ready.in_force),
        Ok(Ok(Ok(_))) => {
            refused(Gate::Worker, "another version of bitboot answers: start bitboot again".into())
        }
        Ok(Ok(Err(refusal))) => Err(NotStarted::Refused(refusal)),
        Ok(Err(_)) => {
            let death = shared.death().cloned();
            let death = death.unwrap_or_else(|| Death::by_host("ended before it had begun", false));
            Err(NotStarted::Died(death))
        }
        Err(_) => refused(Gate::Ready, format!("it was not ready within {} s", START.as_secs())),
    }
}
