//! The lines that come in and go out, see ../../README.md.

use std::io::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::Setup;
use crate::client::{Client, Hash, Item, Seed};
use crate::ops;

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Value,
    #[serde(flatten)]
    op: Op,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Op {
    Lookup {
        hash: String,
    },
    Cold {
        hash: String,
    },
    Lookups {
        hashes: Vec<String>,
        parallel: usize,
        #[serde(default)]
        until: Until,
    },
    Announce {
        hash: String,
        port: u16,
    },
    Put {
        seed: String,
        value: String,
        seq: i64,
        cas: Option<i64>,
    },
    Get {
        seed: String,
    },
    Rss,
}

/// When one of many lookups has what it wants.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Until {
    First,
    #[default]
    Done,
}

/// Does what a line asks for; the line to answer with.
pub(crate) async fn answer<C: Client>(client: &C, setup: &Setup, line: &str) -> Value {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => return json!({ "id": id_of(line), "error": error.to_string() }),
    };
    let mut answer = match obey(client, setup, request.op).await {
        Ok(answer) => answer,
        Err(why) => json!({ "error": why }),
    };
    answer["id"] = request.id;
    answer
}

fn id_of(line: &str) -> Value {
    serde_json::from_str::<Value>(line).map(|line| line["id"].clone()).unwrap_or_default()
}

async fn obey<C: Client>(client: &C, setup: &Setup, op: Op) -> Result<Value, String> {
    match op {
        Op::Lookup { hash } => ops::lookup(client, bytes(&hash)?).await,
        Op::Cold { hash } => ops::cold::<C>(setup, bytes(&hash)?).await,
        Op::Lookups { hashes, parallel, until } => {
            let hashes = hashes.iter().map(|hash| bytes(hash)).collect::<Result<Vec<Hash>, _>>()?;
            Ok(ops::lookups(client, &hashes, parallel.max(1), until).await)
        }
        Op::Announce { hash, port } => ops::announce(client, bytes(&hash)?, port).await,
        Op::Put { seed, value, seq, cas } => {
            let value = hex::decode(&value).map_err(|error| format!("{value}: {error}"))?;
            ops::put(client, &bytes::<32>(&seed)?, &Item { seq, value }, cas).await
        }
        Op::Get { seed } => ops::get(client, &bytes::<32>(&seed)? as &Seed).await,
        Op::Rss => ops::rss(),
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|error| format!("{text:?} is not {N} bytes in hex: {error}"))?;
    Ok(bytes)
}

/// Writes a line. Without anybody to read it the process ends.
pub(crate) fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        crate::end();
    }
}
