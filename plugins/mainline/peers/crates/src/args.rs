//! The command line.

use std::net::{Ipv4Addr, SocketAddrV4};

pub(crate) struct Args {
    pub(crate) engine: Engine,
    pub(crate) setup: Setup,
}

#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Mainline,
    Dht,
    N0,
}

/// How a client starts.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) bootstrap: Vec<SocketAddrV4>,
    pub(crate) host: Ipv4Addr,
    /// 0 is any free one.
    pub(crate) port: u16,
    pub(crate) node: bool,
}

const USAGE: &str = "usage: bitboot-dht-peers --engine mainline|dht|n0 [--bootstrap H:P[,H:P]] --host 127.a.b.c [--port N] [--node]";

pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut engine = None;
    let mut host = None;
    let (mut bootstrap, mut port, mut node) = (Vec::new(), 0, false);
    let mut words = words;
    while let Some(word) = words.next() {
        if word == "--node" {
            node = true;
            continue;
        }
        let value = words.next().ok_or(USAGE)?;
        match word.as_str() {
            "--engine" => engine = Some(engine_named(&value)?),
            "--bootstrap" => bootstrap = addresses(&value)?,
            "--host" => {
                host = Some(value.parse::<Ipv4Addr>().map_err(|error| format!("--host {value}: {error}"))?);
            }
            "--port" => port = value.parse().map_err(|error| format!("--port {value}: {error}"))?,
            _ => return Err(USAGE.into()),
        }
    }
    let (engine, host) = (engine.ok_or(USAGE)?, host.ok_or(USAGE)?);
    Ok(Args { engine, setup: Setup { bootstrap, host, port, node } })
}

fn engine_named(name: &str) -> Result<Engine, String> {
    match name {
        "mainline" => Ok(Engine::Mainline),
        "dht" => Ok(Engine::Dht),
        "n0" => Ok(Engine::N0),
        _ => Err(format!("no engine is named {name}")),
    }
}

fn addresses(list: &str) -> Result<Vec<SocketAddrV4>, String> {
    let one = |text: &str| text.parse().map_err(|error| format!("--bootstrap {text}: {error}"));
    list.split(',').filter(|text| !text.is_empty()).map(one).collect()
}
