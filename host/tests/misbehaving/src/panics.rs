use bitboot_plugin_api::{
    Action, ActionInfo, Announcement, Backend, Caps, Cx, Error, Found, Health, Host, Output, Query, Quote,
    Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Panics in one entry; in every other one it is a medium in memory without fault.
pub(crate) struct Panics {
    entry: Option<Entry>,
}

/// Where to panic.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PanicsConfig {
    panic_in: Option<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Open,
    Caps,
    Announce,
    Lookup,
    Withdraw,
    Watch,
    Quote,
    Health,
    Save,
    Action,
    /// When the backend is dropped.
    Drop,
    /// When a cancelled lookup is dropped.
    FutureDrop,
    /// In `lookup`, with a payload that panics again when it is dropped.
    Payload,
}

impl Panics {
    fn enter(&self, entry: Entry) {
        assert!(self.entry != Some(entry), "told to panic in {entry:?}");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        self.enter(Entry::Drop);
    }
}

impl Backend for Panics {
    const KIND: &'static str = "panics";
    type Config = PanicsConfig;

    async fn open(config: PanicsConfig, _host: Host) -> Result<Self> {
        let backend = Self { entry: config.panic_in };
        backend.enter(Entry::Open);
        Ok(backend)
    }

    fn caps(&self) -> Caps {
        self.enter(Entry::Caps);
        memory::caps()
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        self.enter(Entry::Announce);
        memory::announce(&what)
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        self.enter(Entry::Lookup);
        if self.entry == Some(Entry::Payload) {
            std::panic::panic_any(Bomb);
        }
        if self.entry == Some(Entry::FutureDrop) {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        memory::lookup(&query, &found).await
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        self.enter(Entry::Withdraw);
        Ok(memory::withdraw(&what))
    }

    async fn watch(&self, _query: Query, _found: Found) -> Result<()> {
        self.enter(Entry::Watch);
        Err(Error::unsupported("nothing is watched here"))
    }

    async fn quote(&self, _what: Announcement, _cx: Cx) -> Result<Quote> {
        self.enter(Entry::Quote);
        Ok(Quote::free())
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        self.enter(Entry::Health);
        Ok(Health::new(true, "memory is there"))
    }

    async fn save(&self, _cx: Cx) -> Result<()> {
        self.enter(Entry::Save);
        Ok(())
    }

    fn actions() -> Vec<ActionInfo> {
        vec![ActionInfo::new::<PanicsConfig>("echo", "says its arguments")]
    }

    async fn action(&self, action: Action, out: Output) -> Result<()> {
        self.enter(Entry::Action);
        match action.name.as_str() {
            "echo" => out.emit(&action.args).await,
            name => Err(Error::unsupported(format!("there is no action `{name}`"))),
        }
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("told to panic when dropped");
    }
}
