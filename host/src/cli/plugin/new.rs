use std::path::PathBuf;

use crate::author::{New, Sources, plugin_name};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::Result;

/// Start a plugin of your own: a crate that works, to be changed
///
/// Writes a crate with one kind of backend, a shared folder, with its manifest, its settings and its test. It builds against the crates
/// `bitboot-plugin-api` and `bitboot-conformance`, and needs nothing else of bitboot. On this machine it takes those that came with bitboot.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Then, in its folder:
  cargo test                 holds it to the contract
  bitboot plugin test .      the same from outside, where a crash breaks one clause only
  bitboot plugin link .      use it as it is built

The whole way, up to an index of your own, is in the README of bitboot-plugin-api.")]
pub(in crate::cli) struct Args {
    /// The plugin's name: a-z, 0-9 and -
    #[arg(value_parser = plugin_name)]
    name: String,
    /// The folder of the crate [default: ./NAME]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// The kind of backend that it starts with [default: NAME]
    #[arg(long, value_parser = plugin_name)]
    kind: Option<String>,
    /// The licence, an SPDX expression
    #[arg(long, value_name = "SPDX", default_value = "MIT OR Apache-2.0", value_parser = license)]
    license: String,
    /// Build against bitboot's crates in this folder: a checkout, or both packages unpacked [default: those that came with bitboot]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    api: Option<PathBuf>,
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let new = New {
            kind: self.kind.unwrap_or_else(|| self.name.clone()),
            folder: self.dir.unwrap_or_else(|| PathBuf::from(&self.name)),
            sources: match &self.api {
                Some(folder) => Some(Sources::in_folder(folder)?),
                None => Sources::of_this_bitboot(),
            },
            plugin: self.name,
            license: self.license,
        };
        new.write()?;
        let (talk, folder) = (context.screen.talk(), new.folder.display());
        talk.say(&format!("plugin \"{}\" is in {folder}", new.plugin));
        talk.say(&match &new.sources {
            Some(sources) => {
                format!("it builds against {}; see {folder}/.cargo/config.toml", sources.api().display())
            }
            None => "cargo looks for bitboot's crates in its registry; where it has none, begin again with --api PATH".into(),
        });
        if !new.license.contains("MIT") {
            talk.say(&format!("put the text of {} into {folder}/LICENSE", new.license));
        }
        if let Some(sources) = &new.sources {
            talk.say(&format!("the guide: {}", sources.api().join("README.md").display()));
        }
        talk.say(&format!("now: bitboot plugin test {folder}; then: bitboot plugin link {folder}"));
        Ok(Exit::OK)
    }
}

/// Enough to be written into two TOML files; whether it is an SPDX expression is seen by whoever reads it.
fn license(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .+-()".contains(&byte);
    if (1..=100).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("an SPDX expression is like: MIT OR Apache-2.0".into())
}
