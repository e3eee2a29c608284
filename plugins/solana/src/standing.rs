//! What the nodes know of a transaction and of the chain, together.

use std::collections::BTreeSet;

use bitboot_plugin_api::{Error, Result};
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
    /// Those by which it is in the chain and did nothing.
    failed: BTreeSet<usize>,
    answered: usize,
}

/// Who took a transaction, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Takers {
    pub(crate) numbers: BTreeSet<usize>,
    /// There may be others: it was handed over before, nobody remembers to whom.
    pub(crate) may_be_more: bool,
}

impl Standing {
    pub(crate) async fn of(nodes: &[Node], id: Signature) -> Self {
        let mut standing = Self::default();
        for (number, state) in
            each(nodes, |node| async move { node.state(id).await }).await.into_iter().enumerate()
        {
            standing.hear(number, in_time(state));
        }
        standing
    }

    fn hear(&mut self, number: usize, state: Result<State>) {
        match state {
            Ok(state) => {
                self.answered += 1;
                if matches!(state, State::Failed(_)) {
                    self.failed.insert(number);
                }
                self.best = self.best.take().max(Some(state));
            }
            Err(error) => self.failure = self.failure.take().or(Some(error)),
        }
    }

    /// Why it is in the chain and did nothing: by the word of each that answers, and of each that took it, for one alone may lie, and what is
    /// signed anew in its place is paid twice. Of what is old, nobody can take it any more, and a single answer is enough.
    pub(crate) fn failed(&self, takers: &Takers, is_old: bool) -> Option<&str> {
        let Some(State::Failed(why)) = &self.best else { return None };
        let by_all = self.failed.len() == self.answered
            && takers.numbers.is_subset(&self.failed)
            && (self.failure.is_none() || !takers.may_be_more);
        (by_all || is_old).then_some(why)
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
            let standing = Standing { best, failure, ..Standing::default() };
            assert_eq!(standing.is_nowhere(is_old), is_nowhere, "{standing:?} {is_old}");
        }
    }

    #[test]
    fn that_it_failed_is_no_word_of_one_node_alone() {
        let silent = || Err(Error::new(ErrorKind::TimedOut, "it is silent"));
        let failed = || Ok(State::Failed("no money".into()));
        let standing = |states: [Result<State>; 2]| {
            let mut standing = Standing::default();
            states.into_iter().enumerate().for_each(|(number, state)| standing.hear(number, state));
            standing
        };
        let takers =
            |numbers: &[usize]| Takers { numbers: numbers.iter().copied().collect(), may_be_more: false };
        for other in [State::Unknown, State::Seen, State::Confirmed] {
            let standing = standing([failed(), Ok(other.clone())]);
            assert_eq!(standing.failed(&takers(&[0]), false), None, "{other:?}");
            assert_eq!(standing.failed(&takers(&[0]), true).is_some(), other != State::Confirmed);
        }
        assert_eq!(standing([failed(), failed()]).failed(&takers(&[0, 1]), false), Some("no money"));
        // One is silent that took it, or did not.
        assert_eq!(standing([failed(), silent()]).failed(&takers(&[0, 1]), false), None);
        assert!(standing([failed(), silent()]).failed(&takers(&[0]), false).is_some());
        // Nobody remembers whether it did, until nobody can take it any more.
        let before = Takers { may_be_more: true, ..Takers::default() };
        assert_eq!(standing([failed(), silent()]).failed(&before, false), None);
        assert!(standing([failed(), silent()]).failed(&before, true).is_some());
        assert!(standing([failed(), failed()]).failed(&before, false).is_some());
    }
}
