use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;

/// A request to a backend: which operation, how long it may take, and the operation's own body.
///
/// Operations: `describe`, `open`, `caps`, `announce`, `lookup`, `read`, `write`, `watch`, `withdraw`, `quote`, `author`, `here`, `health`, `save`, `action`. A
/// backend answers an unknown one with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), so a newer host can ask an older plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The operation's name.
    pub op: String,
    /// Milliseconds that it may take; the SDK ends it then with [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    pub deadline_ms: u64,
    /// The operation's body, MessagePack.
    #[serde(default, with = "serde_bytes")]
    pub body: Vec<u8>,
}

/// The plugin's end of a call under way: dropping it cancels.
pub(crate) struct CallHandle(Option<AbortHandle>);

impl CallHandle {
    pub(super) fn new(task: Option<AbortHandle>) -> Self {
        Self(task)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
