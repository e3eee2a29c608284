//! The command line: one file a command. Help is the doc comment, the words are `Args`, `run` tells the story.

mod announce;
mod backend;
mod complete;
mod completions;
mod conformance;
mod context;
mod doctor;
mod exit;
mod globals;
mod help;
mod index;
mod join;
mod key;
mod lookup;
mod man;
mod network;
mod outcome;
mod plugin;
mod signals;
mod status;
mod testnet;
mod trust;
mod usage;
mod values;
mod withdraw;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use context::Context;
use exit::Exit;
use globals::Globals;

/// Peers of a P2P network find each other, with no server of their own.
///
/// A peer announces its address under a network's name on media that exist anyway; others look it up and connect.
#[derive(Debug, Parser)]
#[command(
    name = "bitboot",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
#[command(after_help = "Topics: bitboot help exit-codes|environment|formats|costs|keys|plugins|packages")]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Announce(announce::Args),
    Lookup(lookup::Args),
    Join(join::Args),
    Withdraw(withdraw::Args),
    Status(status::Args),
    /// Networks with backends of their own
    #[command(subcommand)]
    Network(network::Command),
    /// Media: what is registered, and what they can do
    #[command(subcommand)]
    Backend(backend::Command),
    /// Libraries that implement backends
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Indexes: signed lists of plugins, in a folder or on a web server
    #[command(subcommand)]
    Index(index::Command),
    /// Publishers: whose signatures of plugins and indexes count
    #[command(subcommand)]
    Trust(trust::Command),
    /// Keys: where they are kept, and what backends may do with them
    #[command(subcommand)]
    Key(key::Command),
    Testnet(testnet::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
    #[command(name = "__conformance", hide = true)]
    Conformance(conformance::Args),
}

/// The whole command line, for completions and man pages.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// The JSON schema of the lines of `--json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    crate::output::schema()
}

/// The files of `completions/`: name and text.
#[must_use]
pub fn completion_files() -> Vec<(String, String)> {
    completions::files()
}

/// The files of `man/`: name and text.
#[must_use]
pub fn man_files() -> Vec<(String, String)> {
    man::pages()
}

/// Does what the words of the process say.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(ended) = crate::worker::run_worker() {
        return ended;
    }
    // Answers a shell's request for completions and ends there; it loads no plugin.
    shield();
    clap_complete::CompleteEnv::with_factory(command).completer("bitboot").complete();
    match Cli::try_parse() {
        Ok(cli) => cli.run().into(),
        Err(error) => usage::end(error).into(),
    }
}

/// What this process has in its memory stays there: no core dump, and no look into it by other programs of the user.
fn shield() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        // What the system does not let us do it does not do for others either.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

impl Cli {
    fn run(self) -> Exit {
        let screen = self.globals.screen();
        let json_errors = screen.mode == crate::output::Mode::Json;
        let context = Context::new(screen, &self.globals);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => {
                let outcome = tokio::task::LocalSet::new().block_on(&runtime, self.command.run(&context));
                // A plugin that is still being opened must not hold the process.
                runtime.shutdown_background();
                outcome
            }
            Err(error) => {
                Err(crate::Error::new(crate::Kind::Other, "the runtime cannot be started").because(error))
            }
        };
        context.end(outcome, json_errors)
    }
}

impl Command {
    async fn run(self, context: &Context) -> crate::Result<Exit> {
        match self {
            Self::Announce(args) => args.run(context).await,
            Self::Lookup(args) => args.run(context).await,
            Self::Join(args) => args.run(context).await,
            Self::Withdraw(args) => args.run(context).await,
            Self::Status(args) => args.run(context),
            Self::Network(command) => command.run(context),
            Self::Backend(command) => command.run(context).await,
            Self::Plugin(command) => command.run(context).await,
            Self::Index(command) => command.run(context),
            Self::Trust(command) => command.run(context),
            Self::Key(command) => command.run(context),
            Self::Testnet(args) => args.run(context).await,
            Self::Doctor(args) => args.run(context).await,
            Self::Completions(args) => args.run(context),
            Self::Man(args) => args.run(context),
            Self::Help(args) => args.run(context),
            Self::Conformance(args) => args.run(context).await,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_words_fit_together() {
        super::command().debug_assert();
    }
}
