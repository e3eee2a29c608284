use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitboot_plugin_api::Host;

use crate::chain::Chain;

/// Where a node's credentials come from. The host reads them anew for each question, for a node that restarts writes another cookie; they are
/// kept and shown nowhere.
pub(super) struct Login {
    host: Host,
    cookie: Option<PathBuf>,
    chain: Chain,
}

/// `user:password`; it goes before the cookie. Named in `plugin.toml`, as is the setting of the cookie.
const VARIABLE: &str = "BITBOOT_PLUGIN_BITCOIN_RPC";
/// A cookie is shorter; what is longer is another file.
const LONGEST: usize = 1024;

impl Login {
    pub(super) fn new(host: Host, cookie: Option<PathBuf>, chain: Chain) -> Self {
        Self { host, cookie, chain }
    }

    /// The header `authorization` (RFC 7617), where there are credentials.
    pub(super) async fn header(&self) -> Option<String> {
        let credentials = match self.variable().await {
            Some(variable) => variable,
            None => self.read("config.cookie").await?,
        };
        Some(format!("Basic {}", STANDARD.encode(credentials.trim_end())))
    }

    async fn variable(&self) -> Option<String> {
        self.read(&format!("env.{VARIABLE}")).await
    }

    async fn read(&self, what: &str) -> Option<String> {
        // What the user does not grant is not there.
        let bytes = self.host.read(what).await.ok().flatten()?;
        String::from_utf8(bytes).ok().filter(|text| (1..=LONGEST).contains(&text.len()))
    }

    /// From where they came, without them.
    pub(super) async fn source(&self) -> String {
        match &self.cookie {
            _ if self.variable().await.is_some() => {
                format!("they are in the environment variable {VARIABLE}")
            }
            Some(path) if self.read("config.cookie").await.is_some() => {
                format!("they are in {}", path.display())
            }
            Some(path) => format!("{} cannot be read, and {VARIABLE} is not set", path.display()),
            None => format!("no cookie is named, and {VARIABLE} is not set"),
        }
    }

    /// How to name the cookie that a node of this user has.
    pub(super) fn fix(&self) -> String {
        let node = match () {
            () if cfg!(windows) => "%APPDATA%/Bitcoin",
            () if cfg!(target_os = "macos") => "$HOME/Library/Application Support/Bitcoin",
            () => "$HOME/.bitcoin",
        };
        let folder = self.chain.folder();
        let slash = if folder.is_empty() { "" } else { "/" };
        format!("name its cookie file: bitboot backend set NAME cookie=\"{node}/{folder}{slash}.cookie\"")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}
