use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::keys::{Entry, KeyRing, StoreName};
use crate::output::{FindingLine, KeyLine, Line};

/// Show where keys can be kept, and whether each place can be used now
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Stores {
    /// Set the program of the store `helper`, with its words; see `bitboot help keys`
    #[arg(long, value_name = "COMMAND")]
    helper: Option<String>,
}

impl Stores {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        if let Some(helper) = self.helper {
            let words = shlex::split(&helper).ok_or_else(|| {
                Error::new(Kind::Usage, "a quote in --helper is not closed").fix("close it")
            })?;
            keys.change(|index| {
                index.helper = words;
                Ok(())
            })?;
        }
        for store in StoreName::ALL {
            let (verdict, finding, fix) = match keys.status(store) {
                Ok(told) => ("ok", told, None),
                Err(error) => ("problem", error.to_string(), error.fix),
            };
            context.print(&Line::Finding(FindingLine {
                about: store.word().into(),
                verdict,
                finding,
                fix,
                health: None,
            }))?;
        }
        for (variable, key) in KeyRing::hints() {
            let kind = "--kind KIND";
            context
                .screen
                .talk()
                .say(&format!("{variable} is set; use it: bitboot key import {key} --store env {kind}"));
        }
        Ok(())
    }
}

pub(super) fn list(context: &Context, keys: &KeyRing) -> Result<()> {
    let index = keys.index()?;
    if index.keys.is_empty() {
        context.screen.talk().say("there is no key yet; make one: bitboot key new NAME --kind KIND");
    }
    for (name, entry) in &index.keys {
        context.print(&Line::Key(line(name, entry)))?;
    }
    Ok(())
}

pub(super) fn line(name: &str, entry: &Entry) -> KeyLine {
    let limit = |amount: Option<&crate::Amount>| amount.map_or_else(|| "nothing".into(), ToString::to_string);
    let grants = entry.grants.iter().map(|(backend, grant)| {
        let (once, day) = (limit(grant.per_transaction.as_ref()), limit(grant.per_day.as_ref()));
        format!("{backend}: {once} at once, {day} a day")
    });
    KeyLine {
        key: name.to_owned(),
        kind: entry.kind.word().into(),
        store: entry.store.word().into(),
        default: entry.default,
        public_key: entry.public.clone(),
        grants: grants.collect(),
    }
}
