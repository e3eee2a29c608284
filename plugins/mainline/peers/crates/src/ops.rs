//! What can be asked of a client, with a clock beside it.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::acks;
use crate::args::Setup;
use crate::client::{Client, Hash, Item, Seed};
use crate::protocol::Until;

/// For whatever the crate may never tell the end of.
const PATIENCE: Duration = Duration::from_secs(30);
/// For one of many lookups.
const MISSED: Duration = Duration::from_secs(10);

/// Some of the bootstrap addresses may be slow or dead: asks again for a while.
pub(crate) async fn bootstrapped<C: Client>(client: &C) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if timeout(PATIENCE, client.bootstrapped()).await == Ok(true) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

pub(crate) async fn lookup<C: Client>(client: &C, hash: Hash) -> Result<Value, String> {
    search(client, hash, Instant::now()).await
}

/// With a client of its own, on any free port of the same address.
pub(crate) async fn cold<C: Client>(setup: &Setup, hash: Hash) -> Result<Value, String> {
    let setup = Setup { port: 0, node: false, ..setup.clone() };
    let start = Instant::now();
    let client = C::start(&setup)?;
    search(&client, hash, start).await
}

async fn search<C: Client>(client: &C, hash: Hash, start: Instant) -> Result<Value, String> {
    let mut peers: Vec<SocketAddrV4> = Vec::new();
    let mut first = None;
    let walk = async {
        let mut found = client.peers(hash).await?;
        while let Some(some) = found.next().await {
            for peer in some {
                first.get_or_insert_with(|| micros(start));
                if !peers.contains(&peer) {
                    peers.push(peer);
                }
            }
        }
        Ok::<u64, String>(micros(start))
    };
    let done = timeout(PATIENCE, walk).await.ok().transpose()?;
    let peers: Vec<String> = peers.iter().map(SocketAddrV4::to_string).collect();
    Ok(json!({ "first_us": first, "done_us": done, "peers": peers }))
}

pub(crate) async fn lookups<C: Client>(client: &C, hashes: &[Hash], parallel: usize, until: Until) -> Value {
    let start = Instant::now();
    let one = |hash: &Hash| {
        let hash = *hash;
        async move {
            let mut found = false;
            let walk = async {
                let Ok(mut peers) = client.peers(hash).await else { return };
                while let Some(some) = peers.next().await {
                    found |= !some.is_empty();
                    if found && until == Until::First {
                        return;
                    }
                }
            };
            let _ = timeout(MISSED, walk).await;
            found
        }
    };
    let found = stream::iter(hashes).map(one).buffer_unordered(parallel);
    let missed = found.filter(|found| std::future::ready(!found)).count().await;
    json!({ "took_us": micros(start), "missed": missed })
}

pub(crate) async fn announce<C: Client>(client: &C, hash: Hash, port: u16) -> Result<Value, String> {
    acks::take(&hash);
    let start = Instant::now();
    in_time(client.announce(hash, port)).await?;
    Ok(json!({ "done_us": micros(start), "acks": acks::take(&hash) }))
}

pub(crate) async fn put<C: Client>(
    client: &C,
    seed: &Seed,
    item: &Item,
    cas: Option<i64>,
) -> Result<Value, String> {
    let start = Instant::now();
    let target = in_time(client.put(seed, item, cas)).await?;
    Ok(json!({ "done_us": micros(start), "acks": acks::take(&target), "seq": item.seq }))
}

pub(crate) async fn get<C: Client>(client: &C, seed: &Seed) -> Result<Value, String> {
    let start = Instant::now();
    let mut items: Vec<Item> = Vec::new();
    let walk = async {
        let mut found = client.items(seed).await?;
        while let Some(item) = found.next().await {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(micros(start))
    };
    let done = in_time(walk).await?;
    let values: Vec<Value> =
        items.iter().map(|item| json!({ "seq": item.seq, "value": hex::encode(&item.value) })).collect();
    Ok(json!({ "done_us": done, "values": values }))
}

pub(crate) fn rss() -> Result<Value, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    Ok(json!({ "rss_kib": kib.ok_or("the system does not tell")? }))
}

async fn in_time<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(PATIENCE, work).await.map_err(|_| format!("no end within {} s", PATIENCE.as_secs()))?
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
