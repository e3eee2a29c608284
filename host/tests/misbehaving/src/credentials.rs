use std::path::PathBuf;

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, ErrorKind, Found, Host, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// A medium in memory behind a cookie, as that of a node: what it needs it asks its host for, and what it is told to pry into it tries itself.
pub(crate) struct Credentials {
    config: CredentialsConfig,
    host: Host,
}

/// What it has to be told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsConfig {
    /// The file with the cookie.
    cookie: PathBuf,
    /// What has to stand there.
    expects: String,
    /// What the variable `BITBOOT_PLUGIN_MISBEHAVING_LOGIN` has to hold.
    #[serde(default)]
    login: Option<String>,
    /// Opens the file, and looks at the environment, by itself.
    #[serde(default)]
    pries: bool,
}

const LOGIN: &str = "BITBOOT_PLUGIN_MISBEHAVING_LOGIN";

impl Backend for Credentials {
    const KIND: &'static str = "credentials";
    type Config = CredentialsConfig;

    async fn open(config: CredentialsConfig, host: Host) -> Result<Self> {
        Ok(Self { config, host })
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        self.enter().await?;
        memory::announce(&what)
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        self.enter().await?;
        Ok(memory::withdraw(&what))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        self.enter().await?;
        memory::lookup(&query, &found).await
    }
}

impl Credentials {
    async fn enter(&self) -> Result<()> {
        let Self { config, host } = self;
        let closed = |what: &str| Err(Error::new(ErrorKind::Key, format!("the medium is closed: {what}")));
        if config.pries {
            std::fs::read(&config.cookie)?;
            std::env::var(LOGIN)?;
            return Ok(());
        }
        if host.read("config.cookie").await?.as_deref() != Some(config.expects.as_bytes()) {
            return closed("another cookie");
        }
        if config.login.is_some()
            && host.read(&format!("env.{LOGIN}")).await? != config.login.clone().map(String::into_bytes)
        {
            return closed("another login");
        }
        Ok(())
    }
}
