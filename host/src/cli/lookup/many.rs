use std::path::{Path, PathBuf};

use clap_complete::ArgValueCompleter;
use tokio::sync::mpsc;

use crate::cli::{complete, values};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::network::Network;

/// The networks of a command.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Networks {
    /// Names of networks; 40 hexadecimal digits or a magnet link are taken as the info hash that they are
    #[arg(value_name = "NETWORK", required_unless_present = "networks_file", value_parser = values::network)]
    #[arg(add = ArgValueCompleter::new(complete::networks))]
    networks: Vec<Network>,
    /// More networks, one name a line, - for stdin; empty lines and lines with # are passed over
    #[arg(long, visible_alias = "network-names-file", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    networks_file: Option<PathBuf>,
}

impl Networks {
    /// Each network once.
    pub(in crate::cli) fn all(&self) -> Result<Vec<Network>> {
        let mut all = self.networks.clone();
        if let Some(path) = &self.networks_file {
            let text = text_of(path)?;
            let names = text
                .lines()
                .map(str::trim)
                .enumerate()
                .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
            for (at, name) in names {
                all.push(
                    name.parse().map_err(|error: Error| {
                        error.because(format!("{}, line {}", path.display(), at + 1))
                    })?,
                );
            }
        }
        let mut seen = std::collections::HashSet::new();
        all.retain(|network| seen.insert(network.name().to_owned()));
        if all.is_empty() {
            return Err(Error::new(Kind::Usage, "there is no network")
                .fix("name one, such as: bitboot lookup my-game"));
        }
        Ok(all)
    }
}

/// What is in a file, or comes on standard input.
fn text_of(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return files::read_stdin();
    }
    files::read(path)?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no file {}", path.display()))
            .fix("give the path of a text file with one name a line")
    })
}

/// Drives one stream for each network and brings what they say together. Dropping the receiver drops the streams.
pub(in crate::cli) fn many<S, T>(
    streams: Vec<(Network, S)>,
    next: impl AsyncFn(&mut S) -> Option<T> + Clone + 'static,
) -> mpsc::Receiver<(Network, T)>
where
    S: 'static,
    T: 'static,
{
    let (sender, receiver) = mpsc::channel(64);
    for (network, mut stream) in streams {
        let (sender, next) = (sender.clone(), next.clone());
        tokio::task::spawn_local(async move {
            loop {
                let item = tokio::select! {
                    () = sender.closed() => return,
                    item = next(&mut stream) => item,
                };
                let Some(item) = item else { return };
                if sender.send((network.clone(), item)).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}
