use std::fmt::Debug;

use bitboot_plugin_api::{Locator, Result};
use serde_json::Value;

/// What happens outside of the plugin under test, where that is in a process that may not do it: reading for it, and being a stranger.
/// Without one the process that has the plugin in it does both.
pub trait Outside: Debug + Send + Sync {
    /// What a file or a variable holds that a backend with these settings asks its host to read.
    ///
    /// # Errors
    /// As [`Host::read`](bitboot_plugin_api::Host::read).
    fn read(&self, what: &str, config: &Value) -> Result<Option<Vec<u8>>>;

    /// Puts bytes of a stranger on the medium, as the subject's [`Noise`](crate::Noise) says.
    ///
    /// # Errors
    /// When they cannot be put there.
    fn put_noise(&self, locator: &Locator, bytes: &[u8]) -> std::io::Result<()>;
}
