use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, Found, Host, Level, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Writes to the standard output, which is the host's, and looks like a peer there.
pub(crate) struct Prints(Host, PrintsConfig);

/// How much it prints.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PrintsConfig {
    /// Without end.
    endless: bool,
}

impl Backend for Prints {
    const KIND: &'static str = "prints";
    type Config = PrintsConfig;

    async fn open(config: PrintsConfig, host: Host) -> Result<Self> {
        Ok(Self(host, config))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only prints"))
    }

    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "that is how it misbehaves")]
    async fn lookup(&self, _query: Query, _found: Found) -> Result<()> {
        loop {
            println!("203.0.113.66:666");
            if !self.1.endless {
                break;
            }
        }
        eprintln!("the plugin wrote this to standard error");
        self.0.log(Level::Info, "the plugin wrote \u{1b}[31mthis\u{1b}[0m to the log\nin two lines");
        Ok(())
    }
}
