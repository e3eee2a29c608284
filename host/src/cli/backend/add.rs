use std::collections::BTreeMap;
use std::sync::Arc;

use clap_complete::ArgValueCompleter;
use serde_json::Value;
use toml_edit::{Item, Table, TableLike};

use crate::backend::{self, Backend};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::loader::configure;
use crate::registry::{Assignment, BackendEntry, Edit, Section, assign, entry_name};

/// Register a backend: a medium of its own, served by a plugin
///
/// Example: bitboot backend add lab --plugin example --set bootstrap=10.0.0.5:6881
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The new backend's name
    #[arg(value_parser = entry_name)]
    name: String,
    /// The plugin that serves it
    #[arg(long, add = ArgValueCompleter::new(complete::plugins))]
    plugin: String,
    /// The plugin's kind of backend [default: its first one]
    #[arg(long)]
    kind: Option<String>,
    /// What all peers call its medium, where they call the backend otherwise: secret networks meet where this is the same [default: the name]
    #[arg(long, value_parser = entry_name)]
    medium: Option<String>,
    /// A setting; a list takes several values, separated by commas. See: bitboot backend info
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
    /// Use it for networks that name no backends of their own
    #[arg(long)]
    default: bool,
    /// The key that it signs with [default: the default one of the kind that it needs]
    #[arg(long, value_parser = entry_name)]
    key: Option<String>,
    /// What it is, in a few words
    #[arg(long, default_value = "", hide_default_value = true)]
    summary: String,
}

/// Change the settings of a backend; KEY= takes one back
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SetArgs {
    /// The backend's name
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    name: String,
    /// The settings
    #[arg(value_name = "KEY=VALUE", required_unless_present_any = ["default", "summary", "key", "mainnet"])]
    set: Vec<Assignment>,
    /// Whether to use it for networks that name no backends of their own
    #[arg(long, value_name = "BOOL")]
    default: Option<bool>,
    /// The key that it signs with
    #[arg(long, value_parser = entry_name)]
    key: Option<String>,
    /// Whether real money may be spent there
    #[arg(long, value_name = "BOOL")]
    mainnet: Option<bool>,
    /// What it is, in a few words
    #[arg(long)]
    summary: Option<String>,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        if bitboot.registry().backends.contains_key(&self.name) {
            return Err(taken(&self.name));
        }
        let entry = BackendEntry {
            plugin: self.plugin,
            kind: self.kind,
            medium: self.medium,
            enabled: true,
            default: self.default,
            key: self.key,
            mainnet: false,
            summary: self.summary,
            config: toml::Table::new(),
            env: BTreeMap::new(),
        };
        let kind = Kinds::of(&bitboot, &self.name, &entry).await?;
        let mut edit = Edit::begin(context.paths()?)?;
        // Another `backend add` may have been faster.
        if edit.preview()?.backends.contains_key(&self.name) {
            return Err(taken(&self.name));
        }
        let table = edit.entry(Section::Backends, &self.name)?;
        table.insert("plugin", entry.plugin.as_str().into());
        let texts = [
            ("kind", entry.kind.as_deref()),
            ("medium", entry.medium.as_deref()),
            ("key", entry.key.as_deref()),
            ("summary", Some(entry.summary.as_str())),
        ];
        for (key, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                table.insert(key, text.into());
            }
        }
        if entry.default {
            table.insert("default", true.into());
        }
        kind.configure(&mut edit, &self.set).await?;
        edit.commit()?;
        context
            .screen
            .talk()
            .say(&format!("backend \"{}\" is registered; try: bitboot backend ping {0}", self.name));
        Ok(Exit::OK)
    }
}

impl SetArgs {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let (entry, _) = bitboot.registry().choice(self.name.clone())?.entries?;
        let kind = Kinds::of(&bitboot, &self.name, &entry).await?;
        let mut edit = Edit::begin(context.paths()?)?;
        let table = edit.entry(Section::Backends, &self.name)?;
        if let Some(default) = self.default {
            table.insert("default", default.into());
        }
        if let Some(key) = &self.key {
            table.insert("key", key.as_str().into());
        }
        if let Some(mainnet) = self.mainnet {
            table.insert("mainnet", mainnet.into());
        }
        if let Some(summary) = &self.summary {
            table.insert("summary", summary.as_str().into());
        }
        kind.configure(&mut edit, &self.set).await?;
        edit.commit()?;
        context.screen.talk().say(&format!("backend \"{}\" is changed", self.name));
        Ok(Exit::OK)
    }
}

fn taken(name: &str) -> Error {
    Error::new(Kind::Usage, format!("there is a backend \"{name}\" already")).fix(format!(
        "change it: bitboot backend set {name} KEY=VALUE; or remove it: bitboot backend remove {name}"
    ))
}

/// A plugin's kind of backend that is asked what can be set, and then whether it takes what was set.
struct Kinds<'a> {
    bitboot: &'a Bitboot,
    name: &'a str,
    backend: Arc<dyn Backend>,
    schema: Value,
}

impl<'a> Kinds<'a> {
    async fn of(bitboot: &'a Bitboot, name: &'a str, entry: &BackendEntry) -> Result<Self> {
        let plugin = bitboot.registry().plugin(&entry.plugin)?;
        let created = bitboot.loader().create(&bitboot.request(name, entry, &plugin)?).await?;
        let described = backend::describe(&*created).await.map_err(|error| Error::of_backend(name, error))?;
        Ok(Self { bitboot, name, backend: created, schema: described.schema })
    }

    /// Carries out the assignments on the user's own entry: what ships below it stays there.
    async fn configure(&self, edit: &mut Edit, set: &[Assignment]) -> Result<()> {
        let table = edit.entry(Section::Backends, self.name)?;
        if !set.is_empty() {
            let config =
                table.entry("config").or_insert_with(|| Item::Table(Table::new())).as_table_like_mut();
            let no_table = || {
                Error::new(Kind::Config, "\"config\" in the registry is no [table]")
                    .fix("write it as a [table] of its own")
            };
            assign(config.ok_or_else(no_table)?, set, &self.schema)?;
        }
        if table.get("config").and_then(Item::as_table_like).is_some_and(TableLike::is_empty) {
            table.remove("config");
        }
        let (entry, plugin) = edit.preview()?.choice(self.name.to_owned())?.entries?;
        if let Some(stays) =
            set.iter().find(|set| set.value.is_empty() && entry.config.contains_key(&set.key))
        {
            let what = format!("the setting \"{}\" ships with bitboot and cannot be taken back", stays.key);
            return Err(Error::new(Kind::Usage, what).fix(format!("set another value: {}=VALUE", stays.key)));
        }
        configure(&*self.backend, &self.bitboot.request(self.name, &entry, &plugin)?).await
    }
}
