use std::path::PathBuf;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::plugin::{made, publisher_name};
use crate::cli::values;
use crate::error::{Error, Result};
use crate::install::{INDEX_FILE, SigningKey, build_index};
use crate::output::Line;

/// Make or renew an index of the signed packages in a folder, for whoever publishes it
///
/// Lists each release in the folder, and in the folders in it, and signs the list. Run it again for each new release, and before the list expires; then
/// publish the folder as it is, on any web server.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder with the packages, releases and signatures
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The file with the index' signing key; make one: bitboot plugin sign --new-key FILE
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    key: PathBuf,
    /// What the keeper of the index is called
    #[arg(long, value_name = "NAME", value_parser = publisher_name)]
    publisher: String,
    /// How long it may be believed without being renewed, at most a year
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = values::duration)]
    expires: Duration,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let ask = context.passphrases();
        let key = SigningKey::open(&self.key, &*ask)?;
        let index = build_index(&self.folder, &self.publisher, &key, self.expires)?;
        let file = self.folder.join(INDEX_FILE);
        let bytes = std::fs::read(&file).map_err(|error| Error::file("read", &file, &error))?;
        context.print(&Line::Made(made(&file, &bytes)))?;
        let talk = context.screen.talk();
        talk.say(&format!(
            "releases in the index: {}; its serial is {}, and it ends at {}",
            index.releases.len(),
            index.serial,
            index.expires
        ));
        talk.say(&format!("users add it: bitboot index add NAME URL --key {}", key.public()));
        Ok(Exit::OK)
    }
}
