use std::collections::BTreeMap;
use std::time::Duration;

use bitboot_plugin_api::Action;
use clap_complete::ArgValueCompleter;
use serde_json::Value;
use toml_edit::Table;

use crate::backend::{self, Step};
use crate::cli::announce::Spending;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;
use crate::client::{Bitboot, agreement};
use crate::error::{Error, Kind, Result};
use crate::loader::{Request, configure};
use crate::output::{Line, OutputLine};
use crate::registry::{Assignment, BackendEntry, assign, nearest, unknown};

/// Do what only one kind of backend can do, such as starting a private test network
///
/// `bitboot backend info NAME` lists the actions of a backend. One that costs money tells so before, and asks, as `announce` does.
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
    #[command(flatten)]
    spending: Spending,
}

/// How long a backend may take to tell what an action costs, and others that spend there to end.
const PATIENCE: Duration = Duration::from_secs(30);

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let request = self.request(&bitboot)?;
        run_action(context, &bitboot, &request, &self.action, &self.settings, &self.spending, |_| {}).await
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
        env: BTreeMap::new(),
    };
    bitboot.request(plugin, &entry, &bitboot.registry().plugin(plugin)?)
}

/// A result of an action, by name.
pub(in crate::cli) type Fields = serde_json::Map<String, Value>;

/// Carries out an action and prints its results, until it ends or the user ends it. `told` hears each result after it is printed.
pub(in crate::cli) async fn run_action(
    context: &Context,
    bitboot: &Bitboot,
    request: &Request,
    name: &str,
    assignments: &[Assignment],
    spending: &Spending,
    told: impl Fn(&Fields),
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
    configure(&*kind, request).await?;
    let action = Action::new(name, args);
    let quoted = bitboot.quote_action(&request.backend, &*kind, &action, context.timeout(PATIENCE)).await;
    let Some(mut settled) = spending.settle(context, bitboot, quoted.into_iter().collect())? else {
        return Ok(Exit::OK);
    };
    let mut signals = Signals::new();
    // Held while the action runs: afterwards nothing more is signed away.
    let _agreed = tokio::select! {
        exit = signals.stopped() => return Ok(exit),
        agreed = agreement(bitboot.signer(), settled.spend.pop(), context.timeout(PATIENCE)) => agreed?,
    };
    let mut running = backend::action(&*kind, &action);
    loop {
        let step = tokio::select! {
            exit = signals.stopped() => return Ok(exit),
            step = running.next() => step.map_err(of_backend)?,
        };
        match step {
            Step::Output(result) => {
                // What it does from here on it does until it is ended.
                context.screen.talk().rest();
                let fields = fields(result);
                context.print(&Line::Output(OutputLine { fields: fields.clone() }))?;
                told(&fields);
            }
            Step::Progress(come) => context.screen.talk().progress(&come.what, come.done, come.total),
            Step::Done(_) => return Ok(Exit::OK),
            Step::Peer(_) | Step::Value(_) | Step::Authored(_) | Step::Held(_) => {}
        }
    }
}

fn fields(result: Value) -> Fields {
    match result {
        // Two names are those of the line itself.
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| name != "v" && name != "type").collect()
        }
        other => serde_json::Map::from_iter([("result".to_owned(), other)]),
    }
}
