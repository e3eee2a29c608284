//! What else this node announces in a network: a node has one record there, which says all of it.

use crate::discovery::Statement;
use crate::state::{Announced, Journal, Key};

/// What other processes of this home announce on a backend in the network of `ours`, as the journal has it at this moment.
pub(super) fn others_at(journal: &Journal, ours: &Key, backend: &str) -> Vec<Announced> {
    let mut all = journal.read().unwrap_or_default();
    all.retain(|other| other.key.network == ours.network && other.key != *ours && other.is_live_on(backend));
    all
}

/// The statement with all that they say.
pub(super) fn with_others(mut what: Statement, others: &[Announced]) -> Statement {
    for other in others {
        what.other_ports.extend(other.key.port);
        what.other_endpoints.extend(other.key.endpoints.iter().cloned());
        what.other_metadata.extend(other.metadata.clone());
    }
    what
}
