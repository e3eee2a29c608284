//! In the process with the plugin in it: what it may not do there, it asks the command to do.

use std::fmt;
use std::io::BufRead;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_conformance::Outside;
use bitboot_plugin_api::{Error, ErrorKind, Locator, Result};
use serde_json::Value;

use super::job::{Answer, Asked, Said, setting};

/// Says a line on standard output; from any thread, one line at a time.
pub(crate) type Say = Arc<dyn Fn(&Said) -> crate::Result<()> + Send + Sync>;

/// The command, at the other end of standard input and output.
pub(super) struct Asking {
    say: Say,
    answers: Mutex<Receiver<Answer>>,
}

impl Asking {
    /// Listens to the command in a thread, and ends this process with it. To be called after this process is confined: that confines the thread
    /// that asks for it, and those that it starts.
    pub(super) fn begin(say: Say) -> Arc<Self> {
        let (sender, answers) = channel();
        std::thread::spawn(move || listen(&sender));
        Arc::new(Self { say, answers: Mutex::new(answers) })
    }

    /// One question at a time, so that the next answer is the one to it.
    fn ask(&self, asked: Asked) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        (self.say)(&Said::Asks(asked)).ok()?;
        answers.recv().ok()
    }
}

/// Whoever started this process is gone when its end of the pipe is: then nobody wants to know, whatever the plugin does.
fn listen(to: &Sender<Answer>) {
    for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
        if let Ok(answer) = serde_json::from_str(&line) {
            let _ = to.send(answer);
        }
    }
    std::process::abort();
}

impl Outside for Asking {
    fn read(&self, what: &str, config: &Value) -> Result<Option<Vec<u8>>> {
        let set = setting(what, config).map(ToOwned::to_owned);
        match self.ask(Asked::Read { what: what.to_owned(), set }) {
            Some(Answer::Read(read)) => read,
            _ => Err(Error::new(ErrorKind::Other, "bitboot plugin test does not answer")),
        }
    }

    fn put_noise(&self, locator: &Locator, bytes: &[u8]) -> std::io::Result<()> {
        match self.ask(Asked::Noise { locator: locator.clone(), bytes: bytes.to_vec() }) {
            Some(Answer::Noise(None)) => Ok(()),
            Some(Answer::Noise(Some(why))) => Err(std::io::Error::other(why)),
            _ => Err(std::io::Error::other("bitboot plugin test does not answer")),
        }
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asking")
    }
}
