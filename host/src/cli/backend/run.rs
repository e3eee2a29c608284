use bitboot_plugin_api::Action;
use clap_complete::ArgValueCompleter;
use serde_json::Value;
use toml_edit::Table;

use crate::backend::{self, Step};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::loader::Request;
use crate::output::{Line, OutputLine};
use crate::registry::{Assignment, BackendEntry, assign, nearest, unknown};

/// Do what only one kind of backend can do, such as starting a private test network
///
/// `bitboot backend info NAME` lists the actions of a backend.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A backend, or a plugin with its default settings
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::backends_and_plugins))]
    name: String,
    /// The action
    action: String,
    /// What the action takes
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let request = self.request(&bitboot)?;
        run_action(context, &bitboot, &request, &self.action, &self.settings).await
    }

    fn request(&self, bitboot: &Bitboot) -> Result<Request> {
        let registry = bitboot.registry();
        if registry.backends.contains_key(&self.name) {
            let (entry, plugin) = registry.choice(self.name.clone())?.entries?;
            return bitboot.request(&self.name, &entry, &plugin);
        }
        if registry.plugins.contains_key(&self.name) {
            return of_plugin(bitboot, &self.name);
        }
        Err(unknown("backend", &self.name, registry.backend_names().chain(registry.plugin_names())))
    }
}

/// A backend of a plugin with nothing set.
pub(in crate::cli) fn of_plugin(bitboot: &Bitboot, plugin: &str) -> Result<Request> {
    let (kind, summary, config) = (None, String::new(), toml::Table::new());
    let entry = BackendEntry {
        plugin: plugin.to_owned(),
        kind,
        medium: None,
        enabled: true,
        default: false,
        key: None,
        mainnet: false,
        summary,
        config,
    };
    bitboot.request(plugin, &entry, &bitboot.registry().plugin(plugin)?)
}

/// Carries out an action and prints its results, until it ends or the user ends it.
pub(in crate::cli) async fn run_action(
    context: &Context,
    bitboot: &Bitboot,
    request: &Request,
    name: &str,
    assignments: &[Assignment],
) -> Result<Exit> {
    let kind = bitboot.loader().create(request).await?;
    let of_backend = |error| Error::of_backend(&request.backend, error);
    let described = backend::describe(&*kind).await.map_err(of_backend)?;
    let known = described.actions.iter().map(|action| action.name.as_str());
    let Some(action) = described.actions.iter().find(|action| action.name == name) else {
        let error = Error::new(Kind::Usage, format!("\"{}\" has no action \"{name}\"", request.backend));
        let all = known.clone().collect::<Vec<_>>().join(", ");
        return Err(error.fix(match nearest(name, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it has: {}", if all.is_empty() { "none" } else { &all }),
        }));
    };
    let mut table = Table::new();
    assign(&mut table, assignments, &action.schema)?;
    let args: Value = toml::from_str(&table.to_string())
        .map_err(|error| Error::new(Kind::Usage, "the arguments do not fit").because(error.message()))?;
    backend::open(&*kind, &request.config).await.map_err(of_backend)?;
    let mut running = backend::action(&*kind, &Action::new(name, args));
    let mut signals = Signals::new();
    loop {
        let step = tokio::select! {
            exit = signals.stopped() => return Ok(exit),
            step = running.next() => step.map_err(of_backend)?,
        };
        match step {
            Step::Output(result) => context.print(&Line::Output(OutputLine { fields: fields(result) }))?,
            Step::Progress(come) => context.screen.talk().progress(&come.what, come.done, come.total),
            Step::Done(_) => return Ok(Exit::OK),
            Step::Peer(_) | Step::Value(_) | Step::Authored(_) | Step::Held(_) => {}
        }
    }
}

fn fields(result: Value) -> serde_json::Map<String, Value> {
    match result {
        // Two names are those of the line itself.
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| name != "v" && name != "type").collect()
        }
        other => serde_json::Map::from_iter([("result".to_owned(), other)]),
    }
}
