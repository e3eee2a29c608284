use std::path::PathBuf;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::files;

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
        for (name, page) in pages {
            files::replace(&folder.join(name), page.as_bytes())?;
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
    let titled = command.clone().name(name.to_owned());
    if clap_mangen::Man::new(titled).date("").render(&mut page).is_ok() {
        pages.push((format!("{name}.1"), String::from_utf8_lossy(&page).into_owned()));
    }
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        add(child, &format!("{name}-{}", child.get_name()), pages);
    }
}
