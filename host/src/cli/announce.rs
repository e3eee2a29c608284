use std::time::Duration;

use bitboot_plugin_api::Endpoint;
use clap_complete::ArgValueCompleter;

use super::context::Context;
use super::exit::Exit;
use super::lookup::Networks;
use super::outcome::Outcome;
use super::{complete, values};
use crate::client::AnnounceOptions;
use crate::error::{Kind, Result};
use crate::registry::Assignment;

mod keeper;
mod spend;

pub(super) use keeper::{Keeper, show};
pub(super) use spend::{Settled, Spending};

/// Publish this peer
///
/// Announces on every backend at once and stays to repeat it at half its lifetime where that is free, until Ctrl-C, which takes it back where the
/// medium can and that costs nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    networks: Networks,
    #[command(flatten)]
    pub(super) what: What,
    /// Announce once and end, instead of keeping it alive
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    spending: Spending,
}

/// What is announced, and where.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("endpoint").required(true))]
pub(super) struct What {
    /// A port of this machine
    #[arg(long, alias = "peer-port", value_name = "PORT", group = "endpoint", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// An endpoint, HOST:PORT; several may be given
    #[arg(long, value_name = "HOST:PORT", group = "endpoint", value_parser = values::endpoint)]
    peer: Vec<Endpoint>,
    /// The host of --peer-port, as in BitBootPy
    #[arg(long, hide = true, value_name = "HOST", requires = "port")]
    peer_host: Option<String>,
    /// Tell these backends only [default: the network's, or else the default ones]
    #[arg(long, value_name = "BACKEND", value_delimiter = ',', env = "BITBOOT_VIA", hide_env_values = true)]
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    via: Vec<String>,
    /// Something that this node says about itself in its signed record; several may be given
    #[arg(long, value_name = "NAME=VALUE")]
    meta: Vec<Assignment>,
    /// How long it lives when it is not repeated; a medium with a lifetime of its own keeps to that
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = values::lifetime)]
    ttl: Duration,
}

impl What {
    pub(super) fn options(&self, context: &Context) -> Result<AnnounceOptions> {
        let mut options = AnnounceOptions::nothing();
        options.endpoints.clone_from(&self.peer);
        match (&self.peer_host, self.port) {
            (Some(host), Some(port)) => options.endpoints.push(endpoint_of(host, port)?),
            (_, port) => options.port = port,
        }
        options.via = values::backends(&self.via);
        options.metadata = self.meta.iter().map(|meta| (meta.key.clone(), meta.value.clone())).collect();
        options.ttl = self.ttl;
        options.timeout = context.timeout(options.timeout);
        Ok(options)
    }
}

fn endpoint_of(host: &str, port: u16) -> Result<Endpoint> {
    let text = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    values::endpoint(&text)
        .map_err(|why| crate::Error::new(Kind::Usage, "--peer-host is no host").because(why))
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let networks = self.networks.all()?;
        let bitboot = context.bitboot()?;
        let mut options = self.what.options(context)?;
        options.once = self.once;
        let outcome = Outcome::new(!options.via.is_empty());
        if !self.spending.agree(context, &bitboot, &networks, &mut options).await? {
            return Ok(Exit::OK);
        }
        let exit = Keeper::start(context, &bitboot, &networks, &options)?.run(outcome).await;
        if let (Ok(Exit::OK), Some(again)) = (&exit, Spending::again(&options)) {
            context.screen.talk().say(&format!("the same again, without questions: {again}"));
        }
        bitboot.close().await;
        exit
    }
}
