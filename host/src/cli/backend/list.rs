use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::Result;
use crate::output::{BackendLine, Line};
use crate::registry::{BackendEntry, Entry, Registry};

/// List the registered backends
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls")]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        for (name, entry) in &Registry::read(context.paths()?)?.backends {
            context.print(&Line::Backend(line(name, entry)))?;
        }
        Ok(Exit::OK)
    }
}

/// An entry as a line, without what only its plugin knows.
pub(in crate::cli) fn line(name: &str, entry: &Entry<BackendEntry>) -> BackendLine {
    let mut line = BackendLine {
        backend: name.to_owned(),
        origin: entry.origin.word().into(),
        ..BackendLine::default()
    };
    match &entry.value {
        Ok(entry) => {
            line.plugin.clone_from(&entry.plugin);
            line.state = if entry.enabled { "enabled" } else { "disabled" }.into();
            line.default = entry.default;
            line.summary.clone_from(&entry.summary);
        }
        Err(error) => {
            line.state = "invalid".into();
            line.summary = error.to_string();
        }
    }
    line
}
