use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::keys::{Entry, KeyKind, KeyRing, NODE, Place, StoreName, no_node};
use crate::output::{FindingLine, KeyLine, Line, SpentLine};
use crate::state::{Spending, Spent};

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
                gate: None,
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
    let (index, spending) = (keys.index()?, Spending::new(context.paths()?).today()?);
    if index.keys.is_empty() {
        context
            .screen
            .talk()
            .say("there is no key that can pay yet; make one: bitboot key new NAME --kind KIND");
    }
    if let Some((public, place)) = keys.known_identity()? {
        context.print(&Line::Key(node(public, &place)))?;
    }
    for (name, entry) in &index.keys {
        context.print(&Line::Key(line(name, entry, &spending)))?;
    }
    Ok(())
}

/// A key as a line, by its name.
pub(super) fn line_of(context: &Context, keys: &KeyRing, name: &str) -> Result<KeyLine> {
    if name == NODE {
        let (public, place) = keys.known_identity()?.ok_or_else(no_node)?;
        return Ok(node(public, &place));
    }
    Ok(line(name, keys.index()?.entry(name)?, &Spending::new(context.paths()?).today()?))
}

/// The node's own key. It signs records, and nothing for a backend.
fn node(public_key: String, place: &Place) -> KeyLine {
    KeyLine {
        key: NODE.into(),
        kind: KeyKind::Ed25519.word().into(),
        store: place.store.word().into(),
        default: false,
        public_key,
        grants: Vec::new(),
        spent_today: Vec::new(),
    }
}

fn line(name: &str, entry: &Entry, spending: &[Spent]) -> KeyLine {
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
        spent_today: spending
            .iter()
            .filter(|spent| spent.key == name)
            .map(|one| spent(one, Some(entry)))
            .collect(),
    }
}

/// A key that was removed meanwhile has spent all the same, and has no limit any more.
fn spent(spent: &Spent, entry: Option<&Entry>) -> SpentLine {
    let limit = entry.and_then(|entry| entry.grants.get(&spent.backend)?.per_day.as_ref());
    SpentLine {
        key: spent.key.clone(),
        backend: spent.backend.clone(),
        spent: spent.amount.to_string(),
        per_day: limit.map(ToString::to_string),
    }
}

/// All that was spent today; opens no store.
pub(in crate::cli) fn spent_today(context: &Context, keys: &KeyRing) -> Result<Vec<SpentLine>> {
    let (index, all) = (keys.index()?, Spending::new(context.paths()?).today()?);
    Ok(all.iter().map(|one| spent(one, index.keys.get(&one.key))).collect())
}
