use std::time::Duration;

use bitboot_plugin_api::ffi::outside::{Callee, Running};
use bitboot_plugin_api::ffi::{Flow, Kind};
use bitboot_plugin_api::{Authored, Error, ErrorKind, Held, Peer, Progress, Result, message};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, channel, error::TrySendError};
use tokio::time::{Instant, timeout_at};

/// How many events may wait for the reader before the plugin is told to wait.
const AHEAD: usize = 256;
/// How long after its deadline a plugin may still tell that it has passed.
const GRACE: Duration = Duration::from_secs(5);

/// A call under way: what it says as it says it. Dropping it cancels the call.
pub struct Stream {
    events: Receiver<(Kind, Vec<u8>)>,
    running: Running,
    patience: Instant,
    ended: bool,
}

/// What a plugin says during a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Said {
    /// A peer was found.
    Peer(Peer),
    /// Sealed bytes were found.
    Value(Vec<u8>),
    /// Sealed bytes were found, and who wrote them.
    Authored(Authored),
    /// A place holds this in a register.
    Held(Held),
    /// So far it has come.
    Progress(Progress),
    /// A result of an action.
    Output(Value),
    /// The call ended well, with what it returns, not yet decoded. The last that is said.
    Done(Vec<u8>),
    /// The call failed. The last that is said.
    Failed(Error),
    /// Something that cannot be read.
    Unreadable(Error),
}

impl Stream {
    pub(crate) fn start(callee: &Callee, call: Vec<u8>, deadline: Duration) -> Self {
        let (sender, events) = channel(AHEAD);
        let listen = move |kind: Kind, body: &[u8]| match sender.try_send((kind, body.to_vec())) {
            Ok(()) => Flow::GoOn,
            Err(TrySendError::Full(_)) => Flow::Later,
            Err(TrySendError::Closed(_)) => Flow::Stop,
        };
        let patience = Instant::now() + deadline.saturating_add(GRACE);
        Self { running: callee.call(call, listen), events, patience, ended: false }
    }

    /// The next that is said; `None` after the end, or when the plugin falls silent without one.
    ///
    /// A plugin that neither ends nor tells that its deadline has passed is given up a few seconds later, with
    /// [`ErrorKind::TimedOut`].
    pub async fn next(&mut self) -> Option<Said> {
        if self.ended {
            return None;
        }
        let said = match timeout_at(self.patience, self.events.recv()).await {
            Ok(event) => event.map(|(kind, body)| read(kind, body)),
            Err(_) => Some(Said::Failed(Error::new(
                ErrorKind::TimedOut,
                "the plugin neither ended nor told that its deadline has passed",
            ))),
        };
        self.ended = matches!(said, None | Some(Said::Done(_) | Said::Failed(_)));
        said
    }

    /// Waits for the end, passing over what is said before.
    ///
    /// # Errors
    /// What the plugin failed with, or that it ended without a word.
    pub async fn finish<T: DeserializeOwned>(mut self) -> Result<T> {
        loop {
            match self.next().await {
                Some(Said::Done(body)) => return message::decode(&body),
                Some(Said::Failed(error)) => return Err(error),
                Some(_) => {}
                None => return Err(wordless()),
            }
        }
    }

    /// Whether the plugin says that it still works on it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_running()
    }
}

pub(crate) fn wordless() -> Error {
    Error::new(ErrorKind::Other, "the plugin ended the call without a word")
}

fn read(kind: Kind, body: Vec<u8>) -> Said {
    let said = match kind {
        Kind::Peer => message::decode(&body).map(Said::Peer),
        Kind::Authored => message::decode(&body).map(Said::Authored),
        Kind::Held => message::decode(&body).map(Said::Held),
        Kind::Progress => message::decode(&body).map(Said::Progress),
        Kind::Output => message::decode(&body).map(Said::Output),
        Kind::Failed => message::decode(&body).map(Said::Failed),
        Kind::Value => Ok(Said::Value(body)),
        Kind::Done => Ok(Said::Done(body)),
        unknown => Err(Error::unsupported(format!("this host knows no event {unknown:?}"))),
    };
    said.unwrap_or_else(Said::Unreadable)
}
