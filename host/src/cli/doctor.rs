mod clock;
mod finding;
mod indexes;
mod media;
mod plugins;
mod redact;
mod report;
mod secrets;
mod stores;
mod system;

use std::time::Duration;

use self::finding::Finding;
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::output::{CheckedLine, ConfinementLine, Line, Mode};
use crate::registry::Registry;

/// Look for what is wrong, and say what helps
///
/// Looks at this build, the folders and who may change them, the clock, the registry, the plugins and what confines them, the indexes, where
/// keys can be kept, and where secrets lie; with --online also at the media. Warnings hinder nothing that is in use.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask the media of the default backends too
    #[arg(long)]
    online: bool,
    /// Print a text for a bug report: without your folders, your name, keys, names of networks, and addresses
    #[arg(long)]
    report: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let mut seen = Seen::default();
        seen.look(context).await?;
        if self.online {
            let timeout = context.timeout(Duration::from_secs(10));
            seen.findings.extend(media::media(&context.bitboot()?, timeout).await?);
        }
        let worst = seen.findings.iter().find_map(Finding::failure);
        if self.report {
            print_report(context, seen)?;
        } else {
            if context.screen.mode == Mode::Table {
                seen.confined = plugins::together(std::mem::take(&mut seen.confined));
            }
            seen.lines(|finding| finding).iter().try_for_each(|line| context.print(line))?;
        }
        Ok(worst.map_or(Exit::OK, Exit::from))
    }
}

/// All that was looked at.
#[derive(Default)]
struct Seen {
    findings: Vec<Finding>,
    plugins: Vec<CheckedLine>,
    confined: Vec<ConfinementLine>,
}

impl Seen {
    async fn look(&mut self, context: &Context) -> Result<()> {
        let paths = context.paths()?;
        self.findings.push(system::build());
        self.findings.extend(system::folders(paths));
        self.findings.extend(clock::clock(paths));
        match Registry::read(paths) {
            Ok(registry) => {
                let told = format!("{} can be read", paths.registry().display());
                self.findings.push(Finding::new("registry", Ok(told)));
                self.findings.extend(entries(&registry));
                for (name, entry) in &registry.plugins {
                    let checked = plugins::plugin(context, name, entry).await?;
                    self.findings.push(checked.finding);
                    self.plugins.push(checked.line);
                    self.confined.extend(checked.confined);
                }
            }
            Err(error) => self.findings.push(Finding::new("registry", Err(error))),
        }
        self.findings.extend(indexes::indexes(paths));
        self.findings.extend(stores::stores(context).await?);
        self.findings.extend(secrets::secrets(context)?);
        Ok(())
    }

    fn lines(self, with: impl Fn(Finding) -> Finding) -> Vec<Line> {
        let findings = self.findings.into_iter().map(|finding| Line::Finding(with(finding).line()));
        let plugins = self.plugins.into_iter().map(Line::Checked);
        findings.chain(plugins).chain(self.confined.into_iter().map(Line::Confinement)).collect()
    }
}

fn print_report(context: &Context, seen: Seen) -> Result<()> {
    let redactor = report::redactor(context)?;
    let lines = seen.lines(Finding::without_foreign_words).into_iter();
    let lines: Vec<Line> = lines.map(|line| report::redacted(&redactor, line)).collect();
    if context.screen.mode == Mode::Json {
        return lines.iter().try_for_each(|line| context.print(line));
    }
    context.raw(&report::text(&lines))
}

/// Entries of the registry that say nothing sensible.
fn entries(registry: &Registry) -> Vec<Finding> {
    let backends = registry
        .backends
        .iter()
        .filter_map(|(name, entry)| Some((format!("backend {name}"), entry.value.as_ref().err()?)));
    let networks = registry
        .networks
        .iter()
        .filter_map(|(name, entry)| Some((format!("network {name}"), entry.value.as_ref().err()?)));
    backends.chain(networks).map(|(about, error)| Finding::new(about, Err(error.clone()))).collect()
}
