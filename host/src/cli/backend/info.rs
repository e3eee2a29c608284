use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bitboot_plugin_api::Caps;
use clap_complete::ArgValueCompleter;
use serde_json::Value;

use super::line;
use crate::backend;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Result};
use crate::loader::configure;
use crate::output::{BackendLine, HealthLine, Line, Mode, escape};
use crate::registry::unknown;

/// Show a backend: what its medium can do and costs, and what can be set
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The backend's name
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    name: String,
    /// Ask its medium too how it is
    #[arg(long)]
    online: bool,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let registry = bitboot.registry();
        let entry = registry
            .backends
            .get(&self.name)
            .ok_or_else(|| unknown("backend", &self.name, registry.backend_names()))?;
        let mut line = line(&self.name, entry);
        let (entry, plugin) = if self.online {
            registry.choice(self.name.clone())?.entries?
        } else {
            registry.about(&self.name)?
        };
        let wanted = bitboot.request(&self.name, &entry, &plugin)?;
        let of_backend = |error| Error::of_backend(&self.name, error);
        let kind = bitboot.loader().create(&wanted).await?;
        let described = backend::describe(&*kind).await.map_err(of_backend)?;
        line.actions = described.actions.into_iter().map(|action| (action.name, action.summary)).collect();
        let mut config = wanted.config.clone();
        // What variables hold is not shown: it may be an address with credentials in it.
        config
            .as_object_mut()
            .into_iter()
            .for_each(|config| config.retain(|key, _| !wanted.variables.contains_key(key)));
        line.config = Some(config);
        line.config_from.clone_from(&wanted.variables);
        line.env.clone_from(&entry.env);
        line.schema = Some(described.schema);
        configure(&*kind, &wanted).await?;
        line.caps = Some(backend::caps(&*kind).await.map_err(of_backend)?);
        if self.online {
            let (started, timeout) = (Instant::now(), context.timeout(Duration::from_secs(10)));
            let health = backend::health(&*kind, timeout).await.map_err(of_backend)?;
            line.health = Some(Box::new(HealthLine::new(&self.name, health, started.elapsed())));
        }
        if matches!(context.screen.mode, Mode::Json | Mode::Plain) {
            context.print(&Line::Backend(line))?;
        } else {
            context.page(&page(&line))?;
        }
        Ok(Exit::OK)
    }
}

/// A page for a person: one fact a line.
fn page(line: &BackendLine) -> String {
    let mut page = String::new();
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(page, "{:<20}{}", escape(name), escape(value));
    };
    fact("backend", &line.backend);
    fact("plugin", &line.plugin);
    fact("state", &line.state);
    fact("default", if line.default { "yes" } else { "no" });
    fact("entry", &line.origin);
    fact("summary", &line.summary);
    if let Some(caps) = &line.caps {
        of_medium(caps, &mut fact);
    }
    if let Some(health) = &line.health {
        fact("reachable", if health.reachable { "yes" } else { "no" });
        fact("health", &health.summary);
        health.facts.iter().for_each(|(name, value)| fact(name, value));
        health.fix.iter().for_each(|fix| fact("fix", fix));
    }
    for (name, summary) in &line.actions {
        fact("action", &format!("{name}: {summary}"));
    }
    for (name, variables) in &line.env {
        fact("variables", &format!("{name}: {}, where it is not set", variables.join(", ")));
    }
    let properties =
        line.schema.as_ref().and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let value = line.config.as_ref().and_then(|config| config.get(name));
        let value = value.or_else(|| schema.get("default")).filter(|value| !value.is_null());
        let value = match (line.config_from.get(name), value) {
            (Some(variable), _) => format!("from the environment variable {variable}"),
            (None, Some(value)) => value.to_string(),
            (None, None) => "-".into(),
        };
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        fact("setting", &format!("{name} = {value}  ({about})"));
    }
    page
}

fn of_medium(caps: &Caps, fact: &mut impl FnMut(&str, &str)) {
    let families = [(caps.ipv4, "IPv4"), (caps.ipv6, "IPv6"), (caps.dns, "DNS names")];
    let carried =
        families.into_iter().filter(|(carried, _)| *carried).map(|(_, name)| name).collect::<Vec<_>>();
    let records = if caps.max_value > 0 { "records with any address" } else { "" };
    let carried = carried.join(", ");
    fact("carries", if carried.is_empty() { records } else { &carried });
    let seconds = Duration::from_secs(caps.lifetime_s.into());
    let lifetime = if caps.lifetime_s == 0 {
        "for ever".into()
    } else {
        humantime::format_duration(seconds).to_string()
    };
    fact("lives", &lifetime);
    fact("costs", if caps.paid { "money, see its README" } else { "nothing" });
    fact(
        "takes",
        &format!("{} ms to look up, {} ms to announce, typically", caps.lookup_ms, caps.announce_ms),
    );
    let withdraws = if caps.withdraws { "takes announcements back" } else { "announcements expire" };
    let bound = if caps.source_bound { "; publishes the sender's own address" } else { "" };
    fact("medium", &format!("{withdraws}{bound}"));
    fact("needs", &caps.needs.join(", "));
    fact("reveals", &caps.reveals);
}
