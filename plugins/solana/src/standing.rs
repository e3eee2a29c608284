//! What the nodes know of a transaction and of the chain, together.

use bitboot_plugin_api::Error;
use bitboot_rpc::in_time;

use crate::node::{Node, State, each};
use crate::wire::Signature;

/// What the nodes know of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The most that any of them does; `None` where none answered.
    pub(crate) best: Option<State>,
    /// Why one of them did not answer.
    pub(crate) failure: Option<Error>,
}

impl Standing {
    pub(crate) async fn of(nodes: &[Node], id: Signature) -> Self {
        let mut standing = Self::default();
        for state in each(nodes, |node| async move { node.state(id).await }).await {
            match in_time(state) {
                Ok(state) => standing.best = standing.best.max(Some(state)),
                Err(error) => standing.failure = standing.failure.or(Some(error)),
            }
        }
        standing
    }

    /// No node has it, and each has said so: one that is silent may be the one that took it. Of what is old, nobody can take it any more, and a
    /// single answer is enough.
    pub(crate) fn is_nowhere(&self, is_old: bool) -> bool {
        self.best == Some(State::Unknown) && (self.failure.is_none() || is_old)
    }
}

/// Whether the chain is past a block in the eyes of each node.
pub(crate) async fn are_past(nodes: &[Node], block: u64) -> bool {
    let heights = each(nodes, |node| async move { node.height().await }).await;
    heights.into_iter().all(|height| in_time(height).is_ok_and(|height| height > block))
}

/// The highest block that any node tells; 0 where none does.
pub(crate) async fn highest(nodes: &[Node]) -> u64 {
    let heights = each(nodes, |node| async move { node.height().await }).await;
    heights.into_iter().flatten().flatten().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bitboot_plugin_api::ErrorKind;

    use super::*;

    #[test]
    fn a_silent_node_may_have_it_until_no_node_can_take_it_any_more() {
        let silent = || Some(Error::new(ErrorKind::TimedOut, "it is silent"));
        for (best, failure, is_old, is_nowhere) in [
            (Some(State::Unknown), None, false, true),
            (Some(State::Unknown), silent(), false, false),
            (Some(State::Unknown), silent(), true, true),
            (Some(State::Seen), None, false, false),
            (Some(State::Confirmed), silent(), true, false),
            // Nobody answers: it is not forgotten, however long ago it was.
            (None, silent(), true, false),
        ] {
            let standing = Standing { best, failure };
            assert_eq!(standing.is_nowhere(is_old), is_nowhere, "{standing:?} {is_old}");
        }
    }
}
