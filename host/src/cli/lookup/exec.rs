use std::process::Stdio;

use crate::cli::context::Context;
use crate::discovery::Peer;
use crate::error::{Error, Kind, Result};
use crate::keys::confidential;
use crate::output::{Mode, stdout};

/// A program with its arguments, run without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Command(Vec<String>);

impl Command {
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or("a quote is not closed")?;
        if words.is_empty() { Err("it names no program".into()) } else { Ok(Self(words)) }
    }

    /// Runs it for a peer and waits for its end; its own failure is told and nothing more.
    pub(in crate::cli) async fn run(&self, context: &Context, network: &str, peer: &Peer) -> Result<()> {
        let endpoint = peer.endpoint.to_string();
        let words = self.with(&endpoint);
        let Some((program, arguments)) = words.split_first() else { return Ok(()) };
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).env("BITBOOT_PEER", &endpoint).env("BITBOOT_NETWORK", network);
        confidential().for_each(|variable| {
            command.env_remove(variable);
        });
        command.stdin(Stdio::null()).kill_on_drop(true);
        match context.screen.mode {
            // Only our lines belong between our lines.
            Mode::Json => command.stdout(std::io::stderr()),
            _ => command.stdout(stdout::share()),
        };
        let ended = command.status().await.map_err(|error| {
            Error::new(Kind::Usage, format!("cannot run \"{program}\""))
                .because(error)
                .fix("name a program of your PATH, or its path")
        })?;
        if !ended.success() {
            context.screen.talk().say(&format!("\"{program}\" for {endpoint}: {ended}"));
        }
        Ok(())
    }

    fn with(&self, endpoint: &str) -> Vec<String> {
        if self.0.iter().any(|word| word.contains("{}")) {
            return self.0.iter().map(|word| word.replace("{}", endpoint)).collect();
        }
        self.0.iter().cloned().chain([endpoint.to_owned()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_stands_where_it_should() {
        let with = |text| Command::parse(text).unwrap().with("[::1]:80").join("|");
        assert_eq!(with("echo 'a b'"), "echo|a b|[::1]:80");
        assert_eq!(with("nc --to={} x"), "nc|--to=[::1]:80|x");
        assert!(Command::parse("echo 'a").is_err() && Command::parse(" ").is_err());
    }
}
