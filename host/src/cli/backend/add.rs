use clap_complete::ArgValueCompleter;
use toml_edit::{Item, Table};

use crate::backend;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::{Bitboot, request};
use crate::error::{Error, Kind, Result};
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
    #[arg(value_name = "KEY=VALUE", required_unless_present_any = ["default", "summary"])]
    set: Vec<Assignment>,
    /// Whether to use it for networks that name no backends of their own
    #[arg(long, value_name = "BOOL")]
    default: Option<bool>,
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
            summary: self.summary,
            config: toml::Table::new(),
        };
        let config = configured(&bitboot, &self.name, &entry, &self.set).await?;
        let mut edit = Edit::begin(context.paths()?)?;
        if edit.has(Section::Backends, &self.name) {
            // Somebody else was quicker.
            return Err(taken(&self.name));
        }
        let table = edit.entry(Section::Backends, &self.name)?;
        table.insert("plugin", entry.plugin.as_str().into());
        if let Some(kind) = &entry.kind {
            table.insert("kind", kind.as_str().into());
        }
        if let Some(medium) = &entry.medium {
            table.insert("medium", medium.as_str().into());
        }
        if entry.default {
            table.insert("default", true.into());
        }
        if !entry.summary.is_empty() {
            table.insert("summary", entry.summary.as_str().into());
        }
        if !config.is_empty() {
            table.insert("config", Item::Table(config));
        }
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
        let config = configured(&bitboot, &self.name, &entry, &self.set).await?;
        let mut edit = Edit::begin(context.paths()?)?;
        let table = edit.entry(Section::Backends, &self.name)?;
        if let Some(default) = self.default {
            table.insert("default", default.into());
        }
        if let Some(summary) = &self.summary {
            table.insert("summary", summary.as_str().into());
        }
        if !self.set.is_empty() {
            merge(table, config);
        }
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

/// Puts the changed settings beside what stands in the user's own entry, whose comments stay.
fn merge(table: &mut Table, config: Table) {
    match table.get_mut("config").and_then(Item::as_table_like_mut) {
        Some(there) => {
            for (key, _) in there.iter().map(|(key, item)| (key.to_owned(), item.clone())).collect::<Vec<_>>()
            {
                if !config.contains_key(&key) {
                    there.remove(&key);
                }
            }
            for (key, item) in config {
                there.insert(&key, item);
            }
        }
        None => drop(table.insert("config", Item::Table(config))),
    }
}

/// The settings with the assignments carried out, after the plugin itself has taken them.
async fn configured(
    bitboot: &Bitboot,
    name: &str,
    entry: &BackendEntry,
    set: &[Assignment],
) -> Result<Table> {
    let plugin = bitboot.registry().plugin(&entry.plugin)?;
    let wanted = request(name, entry, &plugin)?;
    let kind = bitboot.loader().create(&wanted).await?;
    let described = backend::describe(&*kind).await.map_err(|error| Error::of_backend(name, error))?;
    let unwritable = |why: String| Error::new(Kind::Config, "the settings cannot be written").because(why);
    let text = toml::to_string(&entry.config).map_err(|error| unwritable(error.to_string()))?;
    let document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| unwritable(error.to_string()))?;
    let mut config = document.as_table().clone();
    assign(&mut config, set, &described.schema)?;
    let changed = toml::from_str(&config.to_string()).map_err(|error| unwritable(error.message().into()))?;
    let wanted = request(name, &BackendEntry { config: changed, ..entry.clone() }, &plugin)?;
    backend::open(&*kind, &wanted.config).await.map_err(|error| Error::of_backend(name, error))?;
    Ok(config)
}
