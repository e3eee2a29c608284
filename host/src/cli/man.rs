use std::path::PathBuf;

use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Result};

/// When the command line last changed, for the foot of the pages. Not the day of the build: that makes the same pages each time.
const DATE: &str = "2026-11-22";

/// Print the manual page, or write all of them into a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write one page a command into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let pages = pages();
        let Some(folder) = self.dir else {
            let first = pages.into_iter().find(|(name, _)| name == "bitboot.1");
            context.raw(&first.map(|(_, page)| page).unwrap_or_default())?;
            return Ok(Exit::OK);
        };
        // For everybody to read, unlike what else bitboot writes.
        std::fs::create_dir_all(&folder).map_err(|error| Error::file("make the folder", &folder, &error))?;
        for (name, page) in pages {
            let path = folder.join(name);
            std::fs::write(&path, page).map_err(|error| Error::file("write", &path, &error))?;
        }
        Ok(Exit::OK)
    }
}

/// The files of `man/`: one page a command.
pub(super) fn pages() -> Vec<(String, String)> {
    let mut command = super::command();
    command.build();
    let mut pages = Vec::new();
    add(&command, "bitboot", &mut pages);
    pages
}

fn add(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) {
    let mut page = Vec::new();
    let titled = clap_mangen::Man::new(command.clone().name(name.to_owned()));
    let titled =
        titled.date(DATE).source(concat!("bitboot ", env!("CARGO_PKG_VERSION"))).manual("bitboot manual");
    if titled.render(&mut page).is_ok() {
        // `clap_mangen` puts an empty line between two breaks, which mandoc warns of.
        let page = String::from_utf8_lossy(&page).replace("\n.br\n\n.br\n", "\n.br\n");
        pages.push((format!("{name}.1"), page));
    }
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        add(child, &format!("{name}-{}", child.get_name()), pages);
    }
}
