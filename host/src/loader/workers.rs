use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::ffi::outside::{Gate, Refusal, inspect_file, open};
use bitboot_plugin_api::{Level, LogLine};

use super::grants::{confine, make_folders};
use super::manifest::{Manifest, parse};
use super::quarantine::{PutAside, Quarantine, hash};
use super::request::{Request, refused};
use super::services::{LogSink, PluginLog};
use crate::error::{Error, Kind, Result};
use crate::worker::{Confine, Death, NotStarted, Witness, Worker, last_words};

/// A library that has passed the gates that are passed without running it.
pub(super) struct Seen {
    pub(super) file: File,
    /// Its manifest as it is embedded.
    pub(super) text: String,
    pub(super) manifest: Manifest,
}

impl Seen {
    /// From where it is to be loaded into this process: the very file that was hashed, where the system can do that.
    pub(super) fn path(&self, request: &Request) -> PathBuf {
        #[cfg(target_os = "linux")]
        if request.expected.is_some() {
            use std::os::fd::AsRawFd;
            return format!("/proc/self/fd/{}", self.file.as_raw_fd()).into();
        }
        request.library.clone()
    }
}

/// Opens a library's file and looks at it: gates 2, 3 and 5. Blocks.
pub(super) fn look(request: &Request) -> Result<Seen, Refusal> {
    let file = open(&request.library)?;
    if let Some(expected) = request.expected
        && !hash(&file).is_ok_and(|found| found == expected)
    {
        return Err(Refusal::new(
            Gate::Hash,
            "its bytes are not those that were verified when it was installed",
        ));
    }
    let text = inspect_file(&file)?;
    let manifest = parse(&text)?;
    Ok(Seen { file, text, manifest })
}

/// The processes of plugins: one for each plugin, or one for each way in which it is confined.
pub(super) struct Workers {
    quarantine: Quarantine,
    log: LogSink,
    started: Mutex<HashMap<(PathBuf, Confine), Started>>,
}

type Started = Arc<tokio::sync::Mutex<Option<Worker>>>;

impl Workers {
    pub(super) fn new(quarantine: Quarantine, log: LogSink) -> Self {
        Self { quarantine, log, started: Mutex::default() }
    }

    /// The worker of a plugin. One that died before is started anew, and `again` also when it is put aside for that.
    pub(super) async fn of(&self, request: &Request, seen: Seen, again: bool) -> Result<Worker> {
        let mut settings = request.siblings.clone();
        settings.push(request.config.clone());
        let confine = confine(&seen.manifest.asks, &request.grants, request.memory_mib, &settings);
        let started = {
            let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(started.entry((request.library.clone(), confine.clone())).or_default())
        };
        // Held while it starts: two backends of one plugin start it once, and wait for no other plugin.
        let mut started = started.lock().await;
        if let Some(worker) = started.as_ref().filter(|worker| worker.death().is_none()) {
            return Ok(worker.clone());
        }
        *started = None;
        let worker = self.start(request, seen, &confine, again).await?;
        *started = Some(worker.clone());
        Ok(worker)
    }

    async fn start(&self, request: &Request, seen: Seen, confine: &Confine, again: bool) -> Result<Worker> {
        let (plugin, path) = (request.plugin.as_str(), request.library.as_path());
        let unreadable = |error: std::io::Error| Error::file("read", path, &error);
        let kept = seen.file.try_clone().map_err(unreadable)?;
        let witness = Arc::new(Reporter {
            plugin: plugin.to_owned(),
            library: seen.file.try_clone().map_err(unreadable)?,
            quarantine: self.quarantine.clone(),
            log: Arc::clone(&self.log),
        });
        if !again {
            let (quarantine, name) = (self.quarantine.clone(), plugin.to_owned());
            let aside = blocking(move || quarantine.of_library(&name, &kept)).await?;
            aside.map_or(Ok(()), |aside| Err(put_aside(plugin, &aside)))?;
        }
        make_folders(confine);
        let started = Worker::start(plugin, (seen.file, path), &seen.text, confine, witness).await;
        started.map_err(|error| match error {
            NotStarted::Refused(refusal) => {
                self.tell_detail(plugin, &refusal);
                refused(plugin, path, &refusal)
            }
            NotStarted::Died(death) => died(plugin, path, &death),
        })
    }

    /// A comparison of layouts has hundreds of lines: only for those who ask for everything.
    pub(super) fn tell_detail(&self, plugin: &str, refusal: &Refusal) {
        if let Some(text) = refusal.detail.clone() {
            (self.log)(PluginLog { backend: plugin.to_owned(), line: LogLine { level: Level::Debug, text } });
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::new(Kind::Plugin, "the plugin's library could not be looked at"))
}

/// A plugin that is put aside, told to the user.
pub(crate) fn put_aside(plugin: &str, aside: &PutAside) -> Error {
    let what = format!("plugin \"{plugin}\" is put aside: its process {} at {}", aside.cause, aside.time);
    let error = Error::new(Kind::Plugin, what).fix(retry(plugin));
    match last_words(&aside.last_lines) {
        Some(words) => error.because(words),
        None => error,
    }
}

fn died(plugin: &str, library: &Path, death: &Death) -> Error {
    let what =
        format!("plugin \"{plugin}\" cannot be loaded: its process {} while it was opened", death.cause);
    let library = format!("the library is {}", library.display());
    let why = death.last_words().map_or(library.clone(), |words| format!("{words}; {library}"));
    Error::new(Kind::Plugin, what).because(why).fix(retry(plugin))
}

fn retry(plugin: &str) -> String {
    format!("try it again: bitboot plugin retry {plugin}; or do without: bitboot plugin disable {plugin}")
}

/// Tells what a plugin's process prints, and puts the plugin aside when it dies.
struct Reporter {
    plugin: String,
    library: File,
    quarantine: Quarantine,
    log: LogSink,
}

impl Reporter {
    fn tell(&self, level: Level, text: String) {
        (self.log)(PluginLog { backend: self.plugin.clone(), line: LogLine { level, text } });
    }
}

impl Witness for Reporter {
    fn line(&self, line: &str) {
        self.tell(Level::Info, line.to_owned());
    }

    fn died(&self, death: &Death) {
        if let Err(error) = self.quarantine.put(&self.plugin, &self.library, death) {
            self.tell(Level::Warn, format!("it died, and that cannot be noted: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_not_verified_stop_at_the_third_gate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.so");
        std::fs::write(&path, "abc").unwrap();
        let right = hash(&File::open(&path).unwrap()).unwrap();
        let gate = |expected| {
            let refusal =
                look(&Request { expected, ..Request::new("some", path.clone()) }).map(drop).unwrap_err();
            (refusal.gate.number(), refused("some", &path, &refusal).kind)
        };
        assert_eq!(gate(Some([7; 32])), (3, Kind::Integrity));
        // It is the right file, and no library.
        assert_eq!(gate(Some(right)), (5, Kind::Plugin));
        assert_eq!(gate(None), (5, Kind::Plugin));
    }
}
