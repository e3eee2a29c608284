//! The questions to one gateway, typed and bounded. Nothing is asked before it has named the network that it should be of.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod list;

use std::sync::Arc;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use bitboot_rpc::{Answer, Endpoint, Login, Node as _, Request, Words};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::backend::MAX_VALUE;
use crate::base64url::{decode, encode};
use crate::config::{ArweaveConfig, VARIABLE};
use crate::transaction::{Transaction, sha256};

pub(crate) use list::{Entry, MOST as MOST_ENTRIES};

/// One gateway. Copies share its connections.
#[derive(Clone)]
pub(crate) struct Gateway {
    endpoint: Endpoint,
    network: Arc<str>,
    checked: Arc<OnceCell<()>>,
}

/// What became of a transaction that was handed over.
pub(crate) enum Handed {
    /// It is there; also where it was before.
    Taken,
    /// The gateway understood it and does not want it.
    Refused(Error),
}

/// What a gateway knows of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    /// In no block yet.
    Waiting,
    /// In the block of this height.
    Confirmed(u64),
}

#[derive(Deserialize)]
struct Info {
    network: String,
    #[serde(deserialize_with = "height")]
    height: u64,
}

#[derive(Deserialize)]
struct Status {
    #[serde(deserialize_with = "height")]
    block_height: u64,
}

const WORDS: Words =
    Words { node: "an Arweave gateway", silent: "is it running?", setting: "rpc=https://HOST" };
/// A line of text, or a small object.
const SMALL: u64 = 16 << 10;
/// A transaction without its data: two times 683 characters, and tags of at most 2048 bytes.
const HEAD: u64 = 16 << 10;
/// No chain is that high: with a block each second it would take a thousand years and more.
const HIGHEST: u64 = 1 << 36;
/// The longest anchor.
const ANCHOR: usize = 64;
/// No chain is as long: what is beyond is a lie, and sums with it would not be what they seem.
const MOST_BLOCKS: u64 = 1 << 53;

impl bitboot_rpc::Node for Gateway {
    /// Once it was of the network that the backend is set to, it stays so.
    async fn check(&self) -> Result<()> {
        self.checked.get_or_try_init(|| async { self.tip().await.map(|_| ()) }).await.copied()
    }
}

impl Gateway {
    pub(crate) fn new(url: &str, config: &ArweaveConfig, host: Host) -> Self {
        let endpoint =
            Endpoint::new(url, Login::new(host, VARIABLE).among(&config.rpc), config.patience(), WORDS);
        Self { endpoint, network: config.network.as_str().into(), checked: Arc::default() }
    }

    pub(crate) fn url(&self) -> &str {
        self.endpoint.url()
    }

    /// When it answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.endpoint.pulse().last()
    }

    /// What tells it from others in what is kept.
    pub(crate) fn mark(&self) -> [u8; 8] {
        let mut mark = [0; 8];
        mark.copy_from_slice(&sha256(self.url().as_bytes())[..8]);
        mark
    }

    /// The height of the last block, of the network that the backend is set to.
    pub(crate) async fn height(&self) -> Result<u64> {
        let height = self.tip().await?;
        // That was the check: one that is under way meanwhile comes to the same end.
        let _ = self.checked.set(());
        Ok(height)
    }

    async fn tip(&self) -> Result<u64> {
        let read = |answer: Answer| json(&answer).filter(|info: &Info| info.height < HIGHEST);
        let info = self.endpoint.ask(&Request::get("/info", SMALL), read).await?;
        if *info.network == *self.network {
            return Ok(info.height);
        }
        let name: String = info.network.chars().filter(char::is_ascii_graphic).take(40).collect();
        let what = format!("the gateway at {} is of another network, \"{name}\"", self.url());
        Err(Error::new(ErrorKind::Config, what)
            .because(format!("this backend is set to \"{}\"", self.network))
            .fix("set the right one: bitboot backend set NAME network=... or rpc=..."))
    }

    /// What it costs to store so many bytes, in winston.
    pub(crate) async fn price(&self, bytes: usize) -> Result<u128> {
        self.amount(format!("/price/{bytes}")).await
    }

    /// What an address has, in winston.
    pub(crate) async fn balance(&self, address: &[u8; 32]) -> Result<u128> {
        self.amount(format!("/wallet/{}/balance", encode(address))).await
    }

    async fn amount(&self, path: String) -> Result<u128> {
        self.check().await?;
        self.endpoint.ask(&Request::get(path, SMALL), |answer| winston(text(&answer)?)).await
    }

    /// A block of late, for a transaction to name.
    pub(crate) async fn anchor(&self) -> Result<Vec<u8>> {
        self.check().await?;
        self.endpoint.ask(&Request::get("/tx_anchor", SMALL), |answer| anchor(&answer)).await
    }

    /// Hands a transaction over, the same bytes as often as it takes.
    pub(crate) async fn hand_over(&self, transaction: &Transaction) -> Result<Handed> {
        self.check().await?;
        let request = Request::post("/tx", serde_json::to_string(transaction)?, SMALL + HEAD);
        let answer = self.endpoint.ask(&request, Some).await?;
        Ok(match answer.status {
            // 208: it has been there before.
            200..=299 => Handed::Taken,
            status => Handed::Refused(refused(status, text(&answer).unwrap_or_default())),
        })
    }

    pub(crate) async fn standing(&self, id: &str) -> Result<Standing> {
        self.check().await?;
        let request = Request::get(format!("/tx/{id}/status"), SMALL);
        self.endpoint.ask(&request, |answer| standing(&answer)).await
    }

    /// A transaction without its data, as the gateway has it; `None` where it has none.
    pub(crate) async fn transaction(&self, id: &[u8; 32]) -> Result<Option<Transaction>> {
        let request = Request::get(format!("/tx/{}", encode(id)), HEAD);
        let read = |answer: Answer| there(&answer).map_or(Some(None), |()| json(&answer).map(Some));
        self.endpoint.ask(&request, read).await
    }

    /// The data of a transaction, as the gateway has them; `None` where it has none.
    pub(crate) async fn data(&self, id: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        let request = Request::get(format!("/tx/{}/data", encode(id)), MAX_VALUE as u64 * 4 / 3 + 4);
        let read = |answer: Answer| there(&answer).map_or(Some(None), |()| data(&answer).map(Some));
        self.endpoint.ask(&request, read).await
    }
}

/// More than there is of it (66 million AR) is no amount, and would overflow somewhere.
fn winston(text: &str) -> Option<u128> {
    text.parse().ok().filter(|winston| *winston < 1 << 80)
}

fn anchor(answer: &Answer) -> Option<Vec<u8>> {
    decode(text(answer)?).filter(|anchor| (1..=ANCHOR).contains(&anchor.len()))
}

fn standing(answer: &Answer) -> Option<Standing> {
    match answer.status {
        404 => Some(Standing::Unknown),
        202 => Some(Standing::Waiting),
        200 if text(answer) == Some("Pending") => Some(Standing::Waiting),
        _ => json(answer).map(|status: Status| Standing::Confirmed(status.block_height)),
    }
}

fn data(answer: &Answer) -> Option<Vec<u8>> {
    decode(text(answer)?)
}

fn height<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    (number < MOST_BLOCKS).then_some(number).ok_or_else(|| de::Error::custom("no chain has so many blocks"))
}

/// Whether there is what was asked for: not where it is unknown (404), or known and not there yet (202).
fn there(answer: &Answer) -> Option<()> {
    (!matches!(answer.status, 202 | 404)).then_some(())
}

fn json<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    (answer.status == 200).then(|| serde_json::from_slice(&answer.body).ok()).flatten()
}

fn text(answer: &Answer) -> Option<&str> {
    std::str::from_utf8(&answer.body).ok().map(str::trim)
}

/// Why a gateway does not want a transaction: of what it says, a line.
fn refused(status: u16, said: &str) -> Error {
    let line: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    match status {
        410 => Error::new(ErrorKind::Funds, "the wallet has not enough").because(line),
        _ => Error::new(ErrorKind::Refused, "the gateway refuses the transaction")
            .because(format!("{line} (status {status})"))
            .fix("see what it costs now, and announce again: bitboot announce NETWORK ... --dry-run"),
    }
}
