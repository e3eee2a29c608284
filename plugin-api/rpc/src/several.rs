use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Host, Level, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::endpoint::is_login;

/// A node that can tell whether it is the right one.
pub trait Node: Sync {
    /// Makes sure that the node is on the chain, or in the network, that the backend is set to.
    fn check(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Whoever asks has a deadline of their own.
const FOR_EVER: Duration = Duration::from_secs(86_400);
/// A node that has not answered after so long does not keep the next one from being asked as well. Nodes that are well answer sooner, also far away.
const HEDGE: Duration = Duration::from_secs(1);
/// How long others are waited for, at least, after one node has answered as it should.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// The first node that answers and is the right one. The next one of the list is asked as soon as one has failed, and beside those that have
/// not answered within a second. So the order of the list decides among nodes that are quick, and one that is silent costs a second only.
///
/// One on another chain ([`ErrorKind::Config`], where it is not about credentials) is an error if it is known before the right one, whatever is to be said for the others: it must
/// not go unseen. What a node that is slower than the right one would have said is not waited for. It is told by those who ask all nodes: each
/// checks before it is asked anything, and [`answers`] logs what failed.
///
/// # Errors
/// The failure that came first, where no node is right.
pub async fn first<N: Node>(nodes: &[N]) -> Result<&N> {
    let (mut next, mut asked, mut failure) = (nodes.iter(), Vec::new(), None);
    loop {
        if let Some(node) = next.next() {
            asked.push((node, Box::pin(node.check())));
        } else if asked.is_empty() {
            return Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Config, "this backend has no node")));
        }
        let patience = if next.len() > 0 { HEDGE } else { FOR_EVER };
        let ended = timeout(patience, poll_fn(|cx| poll_any(&mut asked, cx)));
        let Ok((node, outcome)) = ended.await else { continue };
        match outcome {
            Ok(()) => return Ok(node),
            Err(error) if error.kind == ErrorKind::Config && !is_login(&error) => return Err(error),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
}

/// One of some checks that has ended, of several the one that began first.
fn poll_any<'a, N, F>(
    checks: &mut Vec<(&'a N, Pin<Box<F>>)>,
    cx: &mut Context<'_>,
) -> Poll<(&'a N, Result<()>)>
where
    F: Future<Output = Result<()>>,
{
    for at in 0..checks.len() {
        if let Poll::Ready(outcome) = checks[at].1.as_mut().poll(cx) {
            return Poll::Ready((checks.remove(at).0, outcome));
        }
    }
    Poll::Pending
}

/// The answers to questions that are asked at once, in the order of the questions. Once one of them is good the others have as long again as
/// that one took, and three seconds at least; `None` for those that did not use it. Dropping the future ends all questions.
pub async fn all<T, F>(questions: impl IntoIterator<Item = F>, is_good: impl Fn(&T) -> bool) -> Vec<Option<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (mut asked, mut answers) = (JoinSet::new(), Vec::new());
    for (number, question) in questions.into_iter().enumerate() {
        asked.spawn(async move { (number, question.await) });
        answers.push(None);
    }
    let start = Instant::now();
    let mut end = start + FOR_EVER;
    while let Ok(Some(ended)) = timeout_at(end, asked.join_next()).await {
        // What panicked has no answer.
        let Ok((number, answer)) = ended else { continue };
        if is_good(&answer) {
            end = end.min(grace(start));
        }
        answers[number] = Some(answer);
    }
    answers
}

/// Until when others are waited for after one that began then has answered as it should: [`all`] does so.
#[must_use]
pub fn grace(start: Instant) -> Instant {
    Instant::now() + start.elapsed().max(GRACE)
}

/// What is to be said for one of [`all`] that did not answer in time.
///
/// # Errors
/// Its own, or [`ErrorKind::TimedOut`].
pub fn in_time<T, E: From<Error>>(answer: Option<Result<T, E>>) -> Result<T, E> {
    let late =
        || Error::new(ErrorKind::TimedOut, "it takes much longer than another one, and was not waited for");
    answer.unwrap_or_else(|| Err(late().into()))
}

/// That there is time left to hand something over that costs money, and to say what became of it.
///
/// # Errors
/// [`ErrorKind::TimedOut`] where there is none.
pub fn before(until: Instant) -> Result<()> {
    if Instant::now() < until {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TimedOut, "there is no time left to hand the transaction over")
        .because("nothing was spent")
        .fix("give it more time: --timeout 2m"))
}

/// What those nodes answered that did. The failures of others are logged: a node hides nothing that another one knows.
///
/// # Errors
/// The first failure, where no node answered.
pub fn answers<T>(outcomes: impl IntoIterator<Item = Result<T>>, host: &Host) -> Result<Vec<T>> {
    let (mut answered, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(answer) => answered.push(answer),
            Err(error) => failures.push(error),
        }
    }
    let count = answered.len() + failures.len();
    if count > 1 {
        for failure in &failures {
            host.log(Level::Warn, format!("one node of {count}: {failure}"));
        }
    }
    match failures.into_iter().next() {
        Some(failure) if answered.is_empty() => Err(failure),
        _ => Ok(answered),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Answers after so many seconds. Counts how often it was asked, and how many checks have not ended.
    struct Fake {
        after: u64,
        says: Option<ErrorKind>,
        asked: AtomicUsize,
        open: AtomicUsize,
    }

    struct Open<'a>(&'a Fake);

    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.0.open.fetch_sub(1, SeqCst);
        }
    }

    impl Node for Fake {
        async fn check(&self) -> Result<()> {
            self.asked.fetch_add(1, SeqCst);
            self.open.fetch_add(1, SeqCst);
            let _open = Open(self);
            tokio::time::sleep(Duration::from_secs(self.after)).await;
            self.says.map_or(Ok(()), |kind| Err(Error::new(kind, format!("after {}", self.after))))
        }
    }

    fn nodes<const COUNT: usize>(answers: [(u64, Option<ErrorKind>); COUNT]) -> [Fake; COUNT] {
        answers.map(|(after, says)| Fake {
            after,
            says,
            asked: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        })
    }

    const HANGS: (u64, Option<ErrorKind>) = (1_000_000, None);
    const DOWN: Option<ErrorKind> = Some(ErrorKind::Unreachable);
    const WRONG: Option<ErrorKind> = Some(ErrorKind::Config);

    /// The node that was found, how often each was asked, and the seconds that it took.
    async fn found<const COUNT: usize>(nodes: &[Fake; COUNT]) -> (Result<u64>, [usize; COUNT], u64) {
        let start = Instant::now();
        let found = first(nodes).await.map(|node| node.after);
        assert!(nodes.iter().all(|node| node.open.load(SeqCst) == 0), "a check goes on");
        (found, nodes.each_ref().map(|node| node.asked.load(SeqCst)), start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn the_order_decides_among_quick_nodes_and_silent_ones_cost_a_second() {
        for (answers, expected) in [
            ([(0, None), (0, None), (0, None)], (0, [1, 0, 0], 0)),
            ([(0, DOWN), (0, DOWN), (0, None)], (0, [1, 1, 1], 0)),
            ([HANGS, (0, None), (0, None)], (0, [1, 1, 0], 1)),
            ([HANGS, HANGS, (0, None)], (0, [1, 1, 1], 2)),
            // A slow one that is faster than those after it.
            ([(3, None), HANGS, HANGS], (3, [1, 1, 1], 3)),
            // One that fails late gives its turn to the next one.
            ([HANGS, (0, DOWN), (5, None)], (5, [1, 1, 1], 6)),
        ] {
            let (node, asked, seconds) = found(&nodes(answers)).await;
            assert_eq!((node.unwrap(), asked, seconds), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_node_is_an_error_where_it_is_known_in_time() {
        for (answers, seconds) in [
            ([(0, WRONG), (0, None)], 0),
            ([(0, DOWN), (0, WRONG)], 0),
            ([HANGS, (0, WRONG)], 1),
            ([(2, WRONG), (9, None)], 2),
            // Both at once.
            ([(1, WRONG), (0, None)], 1),
        ] {
            let (error, _, took) = found(&nodes(answers)).await;
            assert_eq!((error.unwrap_err().kind, took), (ErrorKind::Config, seconds));
        }
        // Nobody waits for what is not known yet.
        assert_eq!(found(&nodes([(2, WRONG), (0, None)])).await.0.unwrap(), 0);
        // Where none is right it is told first.
        for (answers, kind) in [
            ([(0, DOWN), (0, Some(ErrorKind::Integrity))], ErrorKind::Unreachable),
            ([(5, DOWN), (0, Some(ErrorKind::Integrity))], ErrorKind::Integrity),
            ([(5, DOWN), (7, WRONG)], ErrorKind::Config),
        ] {
            assert_eq!(found(&nodes(answers)).await.0.unwrap_err().kind, kind);
        }
        assert_eq!(first::<Fake>(&[]).await.err().unwrap().kind, ErrorKind::Config);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_no_question_behind() {
        let nodes = nodes([HANGS, HANGS]);
        assert!(timeout(Duration::from_secs(60), first(&nodes)).await.is_err());
        for node in &nodes {
            assert_eq!((node.asked.load(SeqCst), node.open.load(SeqCst)), (1, 0));
        }
    }

    async fn after(milliseconds: u64, answer: u8) -> u8 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn silent_nodes_are_not_waited_for_when_one_has_answered() {
        let start = Instant::now();
        let answers = all([after(100, 1), after(2000, 2), after(1_000_000, 3)], |answer| *answer == 1).await;
        assert_eq!(answers, [Some(1), Some(2), None]);
        assert!(start.elapsed() < Duration::from_secs(4));
        // Where all are slow each has as long again.
        let answers =
            all([after(10_000, 1), after(19_000, 2), after(21_000, 3)], |answer| *answer == 1).await;
        assert_eq!(answers, [Some(1), Some(2), None]);
        // None is good: all of them are waited for.
        let answers = all([after(100, 1), after(60_000, 2)], |_| false).await;
        assert_eq!(answers, [Some(1), Some(2)]);
        assert_eq!(in_time::<u8, Error>(None).unwrap_err().kind, ErrorKind::TimedOut);
    }
}
