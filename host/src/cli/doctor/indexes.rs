use std::time::{Duration, SystemTime};

use super::finding::Finding;
use crate::error::{Error, Kind, Result};
use crate::install::Indexes;
use crate::paths::Paths;

/// Newer versions, and what was withdrawn, are missed by whoever looks more seldom.
const OLD: Duration = Duration::from_secs(30 * 86_400);

/// How old what is known of each index is.
pub(super) fn indexes(paths: &Paths) -> Vec<Finding> {
    let indexes = match Indexes::read(paths) {
        Ok(indexes) => indexes,
        Err(error) => return vec![Finding::new("indexes", Err(error))],
    };
    let now = SystemTime::now();
    indexes.entries.keys().map(|name| index(paths, &indexes, name, now)).collect()
}

fn index(paths: &Paths, indexes: &Indexes, name: &str, now: SystemTime) -> Finding {
    let about = format!("index {name}");
    let told = match whole(paths, indexes, name, now) {
        Ok(told) => told,
        Err(error) => return Finding::new(about, Err(error)),
    };
    let age = Indexes::fetched(paths, name).and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
    let days = age.as_secs() / 86_400;
    if age > OLD {
        let error = Error::new(Kind::NotFound, format!("it was fetched {days} days ago"));
        return Finding::mild(about, Err(error.because(told).fix(format!("bitboot index update {name}"))));
    }
    Finding::new(about, Ok(format!("{told}, fetched {days} days ago")))
}

fn whole(paths: &Paths, indexes: &Indexes, name: &str, now: SystemTime) -> Result<String> {
    let index = indexes.cached(paths, name)?.ok_or_else(|| {
        Error::new(Kind::NotFound, "it was never fetched").fix(format!("bitboot index update {name}"))
    })?;
    index.not_expired(name, now)?;
    Ok(format!("has {} releases and ends at {}", index.releases.len(), index.expires))
}
