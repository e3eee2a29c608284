use std::path::PathBuf;
use std::time::Duration;

use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Error, ErrorKind, Found, Host, Output, Query, Quote,
    Receipt, Result, Scheme, SignRequest, Stores,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// A medium with invented prices: a folder in which each announcement is a file, signed by the host. It tells the truth about what it
/// costs, unless it is set to lie.
pub(crate) struct Toll {
    config: TollConfig,
    host: Host,
}

/// The largest value in bytes.
const MOST: u32 = 1000;

/// What it costs, and how it lies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TollConfig {
    /// Where announcements lie.
    folder: PathBuf,
    /// What it says that it costs.
    #[serde(default = "price")]
    fee: String,
    /// What it then signs away; nothing told where it is `?`.
    #[serde(default)]
    takes: Option<String>,
    /// What its receipt says that it cost.
    #[serde(default)]
    bills: Option<String>,
    /// It is no test network.
    #[serde(default)]
    real: bool,
    /// How it signs.
    #[serde(default = "scheme")]
    scheme: SchemeWord,
    /// Asks for so many signatures.
    #[serde(default = "one")]
    times: u32,
    /// Says that it will ask for so many.
    #[serde(default = "one")]
    signatures: u32,
    /// Milliseconds between signing and broadcasting.
    #[serde(default)]
    pause_ms: u64,
    /// Ends its process when it has broadcast, before anybody hears of it.
    #[serde(default)]
    dies: bool,
}

/// An action without arguments.
#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

/// A scheme by the contract's word for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct SchemeWord(String);

fn price() -> String {
    "0.002 TOL".into()
}

fn scheme() -> SchemeWord {
    SchemeWord("ecdsa-recoverable".into())
}

fn one() -> u32 {
    1
}

impl Toll {
    fn scheme(&self) -> Result<Scheme> {
        serde_json::from_value(self.config.scheme.0.clone().into()).map_err(Error::from)
    }

    fn price(&self) -> Quote {
        let mut quote = Quote::of(&self.config.fee).with_signatures(self.config.signatures);
        quote.writes = "one file".into();
        quote.readers = "everybody who can read the folder".into();
        quote.final_in_s = Some(1);
        quote.test_network = !self.config.real;
        quote
    }
}

impl Backend for Toll {
    const KIND: &'static str = "toll";
    type Config = TollConfig;

    async fn open(config: TollConfig, host: Host) -> Result<Self> {
        Ok(Self { config, host })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Log, 0);
        caps.max_value = MOST;
        // Values only, in which the addresses stand.
        (caps.ipv4, caps.ipv6, caps.dns) = (false, false, false);
        caps.reveals = "everybody who can read the folder sees what is written".into();
        caps.paid = true;
        caps.needs = vec!["key".into()];
        caps
    }

    async fn quote(&self, _what: Announcement, _cx: Cx) -> Result<Quote> {
        Ok(self.price())
    }

    fn actions() -> Vec<ActionInfo> {
        vec![ActionInfo::new::<Nothing>("sign", "signs something, at the price of an announcement")]
    }

    async fn quote_action(&self, _action: Action, _cx: Cx) -> Result<Quote> {
        Ok(self.price())
    }

    async fn action(&self, action: Action, _out: Output) -> Result<()> {
        if action.name != "sign" {
            return Err(Error::unsupported(format!("there is no action `{}`", action.name)));
        }
        let asked = SignRequest::new(self.scheme()?, [7; 32], "to sign something");
        self.host.sign(asked.with_fee(&self.config.fee)).await.map(drop)
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let value =
            what.value.ok_or_else(|| Error::new(ErrorKind::Refused, "there are no bytes to write"))?;
        if value.len() > MOST as usize {
            return Err(Error::new(ErrorKind::Refused, "the value is too large"));
        }
        let scheme = self.scheme()?;
        // As a chain would: a digest of what is written. This one is no hash, for nobody has to be convinced.
        let mut payload: Vec<u8> = value.iter().copied().take(32).collect();
        payload.resize(32, 0);
        let mut signature = Vec::new();
        for _ in 0..self.config.times {
            let mut asked = SignRequest::new(scheme, payload.clone(), "to write one file");
            asked.fee = match self.config.takes.as_deref() {
                Some("?") => None,
                Some(other) => Some(other.to_owned()),
                None => Some(self.config.fee.clone()),
            };
            signature = self.host.sign(asked).await?;
        }
        let public = self.host.public_key(scheme).await?;
        tokio::time::sleep(Duration::from_millis(self.config.pause_ms)).await;
        std::fs::create_dir_all(&self.config.folder)?;
        let written = serde_json::json!({ "locator": what.locator.as_bytes(), "payload": payload, "signature": signature, "public": public, "value": value });
        let count = std::fs::read_dir(&self.config.folder)?.count();
        std::fs::write(self.config.folder.join(format!("{count}.json")), written.to_string())?;
        if self.config.dies {
            std::process::abort();
        }
        Ok(Receipt::new(1, 1)
            .with_fee(self.config.bills.as_ref().unwrap_or(&self.config.fee))
            .with_note(format!("transaction {count}")))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let Ok(files) = std::fs::read_dir(&self.config.folder) else { return Ok(()) };
        for file in files {
            let written: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file?.path())?)?;
            if written["locator"] == serde_json::json!(query.locator.as_bytes()) {
                found.value(&serde_json::from_value::<Vec<u8>>(written["value"].clone())?).await?;
            }
        }
        Ok(())
    }
}
