use super::Finding;
use crate::cli::context::Context;
use crate::error::Result;
use crate::keys::{Item, StoreName};
use crate::registry::{NetworkEntry, Registry};

/// Where the node's key and the secrets of networks lie, and what a move has left; opens no store.
pub(super) fn secrets(context: &Context) -> Result<Vec<Finding>> {
    let keys = context.keys()?;
    let about = "secrets".to_owned();
    let index = match keys.index() {
        Ok(index) => index,
        Err(error) => return Ok(vec![(about, Err(error))]),
    };
    let node = match keys.known_identity() {
        Ok(Some((_, place))) => Ok(lies(&Item::Node, place.store)),
        Ok(None) => Ok("the node has no key yet; announcing makes one".into()),
        Err(error) => Err(error),
    };
    let mut findings = vec![(about.clone(), node)];
    // A registry that cannot be read has a finding of its own.
    let networks = Registry::read(context.paths()?).map(|registry| registry.networks).unwrap_or_default();
    for (name, entry) in networks {
        if let (Ok(NetworkEntry { secret: true, .. }), Ok(network)) = (entry.value, name.parse()) {
            let item = Item::Network(network);
            findings.push((about.clone(), item.place(&index).map(|place| lies(&item, place.store))));
        }
    }
    findings.extend(index.left_behind().into_iter().map(|error| (about.clone(), Err(error))));
    Ok(findings)
}

fn lies(item: &Item, store: StoreName) -> String {
    let other = if store == StoreName::Home { StoreName::Keyring } else { StoreName::Home };
    let (words, about) = (item.words(), store.about());
    format!("{item} lies in \"{store}\": {about}; to move it: bitboot key move {words} --store {other}")
}
