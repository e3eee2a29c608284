//! One lookup of several nodes: each is read by a task of its own, and what it has is told as it comes.

use std::collections::HashSet;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::grace;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::scan::Find;

/// Where the task that reads a node tells what it finds.
pub(crate) struct Ear {
    node: usize,
    heard: mpsc::Sender<(usize, Heard)>,
}

enum Heard {
    /// It goes on reading.
    Reads,
    Find(Find, Order),
    Ended(Result<()>),
}

/// In which order finds come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they are read, the oldest first: only a part of them is told before those that come as they should.
    AsRead,
    /// The newest first.
    Newest,
}

/// What came of one node.
#[derive(Debug)]
pub(crate) struct Read {
    /// `None` where it was not read to the end in time.
    pub(crate) ended: Option<Result<()>>,
    /// Whether it had anything.
    pub(crate) found: bool,
}

/// What is left of the time of a call when it has to tell what it knows.
pub(crate) const TO_TELL: Duration = Duration::from_millis(400);
/// What the nodes together may tell: the host takes no more than 10 000 from one backend, and none of them must crowd out another one.
const MOST: usize = 8000;
/// Questions of several blocks each may take so long.
const QUEUE: usize = 64;

impl Ear {
    /// Tells that the node answers, so that it is waited for.
    pub(crate) async fn reads(&self) {
        // Who does not listen any more ends the task.
        let _ = self.heard.send((self.node, Heard::Reads)).await;
    }

    pub(crate) async fn tell(&self, finds: Vec<Find>, order: Order) {
        for find in finds {
            let _ = self.heard.send((self.node, Heard::Find(find, order))).await;
        }
    }
}

/// Reads all nodes at once. Each find is told once, the moment that one of them has it. When a node was read to the end the others are waited for
/// as long as they go on reading; those that are silent for as long again as that one took, and for three seconds at least, are given up. At `end` all
/// are.
///
/// # Errors
/// When what was found cannot be told.
pub(crate) async fn gather<R, F, T>(
    readers: impl IntoIterator<Item = R>,
    end: Instant,
    mut tell: impl FnMut(Find) -> T,
) -> Result<Vec<Read>>
where
    R: FnOnce(Ear) -> F,
    F: Future<Output = Result<()>> + Send + 'static,
    T: Future<Output = Result<()>>,
{
    let (start, mut tasks) = (Instant::now(), JoinSet::new());
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let mut nodes = Vec::new();
    for (node, reader) in readers.into_iter().enumerate() {
        let (reading, heard) = (reader(Ear { node, heard: sender.clone() }), sender.clone());
        tasks.spawn(async move {
            let ended = reading.await;
            let _ = heard.send((node, Heard::Ended(ended))).await;
        });
        nodes.push(Reading { ended: None, told: 0, found: false, heard: start });
    }
    drop(sender);
    let (most, mut told) = (MOST / nodes.len().max(1), HashSet::new());
    let (mut patience, mut is_over) = (None::<(Instant, Duration)>, false);
    loop {
        let heard = nodes.iter().filter(|node| node.ended.is_none()).map(|node| node.heard).max();
        let until = match (patience, heard) {
            (Some((since, patience)), Some(heard)) => end.min(heard.max(since) + patience),
            _ => end,
        };
        let Ok(heard) = timeout_at(until, receiver.recv()).await else { break };
        let Some((number, heard)) = heard else {
            is_over = true;
            break;
        };
        let Some(node) = nodes.get_mut(number) else { continue };
        node.heard = Instant::now();
        match heard {
            Heard::Reads => {}
            Heard::Find(find, order) => {
                node.found = true;
                let room = if order == Order::AsRead { most / 2 } else { most };
                if node.told < room && told.insert((find.author, find.tag, find.value.clone())) {
                    node.told += 1;
                    tell(find).await?;
                }
            }
            Heard::Ended(ended) => {
                if ended.is_ok() && patience.is_none() {
                    patience = Some((Instant::now(), grace(start).saturating_duration_since(Instant::now())));
                }
                node.ended = Some(ended);
            }
        }
    }
    let read = |node: Reading| Read {
        // Nobody is left to tell: the panic of this one is in the log.
        ended: node
            .ended
            .or_else(|| is_over.then(|| Err(Error::new(ErrorKind::Panicked, "reading has failed")))),
        found: node.found,
    };
    Ok(nodes.into_iter().map(read).collect())
}

struct Reading {
    ended: Option<Result<()>>,
    told: usize,
    found: bool,
    heard: Instant,
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    type Reader = Box<dyn FnOnce(Ear) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>>;

    fn find(number: u16) -> Find {
        let mut author = [2; 33];
        author[1..3].copy_from_slice(&number.to_be_bytes());
        Find { height: number.into(), tag: [1; 8], author, value: vec![7] }
    }

    fn reader<F: Future<Output = Result<()>> + Send + 'static>(
        read: impl FnOnce(Ear) -> F + 'static,
    ) -> Reader {
        Box::new(|ear| Box::pin(read(ear)))
    }

    /// Finds after so many seconds each, of these numbers.
    fn finds(after: &'static [(u64, u16)]) -> Reader {
        reader(move |ear| async move {
            for (after, number) in after {
                tokio::time::sleep(Duration::from_secs(*after)).await;
                ear.tell(vec![find(*number)], Order::AsRead).await;
            }
            Ok(())
        })
    }

    fn hangs() -> Reader {
        reader(|_ear| std::future::pending())
    }

    fn fails() -> Reader {
        reader(|_ear| async { Err(Error::new(ErrorKind::Unreachable, "nobody")) })
    }

    /// What was told when, in seconds, and what came of each node: `Some(true)` for an end as it should be.
    async fn gathered<const COUNT: usize>(
        readers: [Reader; COUNT],
        seconds: u64,
    ) -> (Vec<(u64, u32)>, [(Option<bool>, bool); COUNT], u64) {
        let (start, mut told) = (Instant::now(), Vec::new());
        let tell = |find: Find| {
            told.push((start.elapsed().as_secs(), find.height));
            async { Ok(()) }
        };
        let read = gather(readers, start + Duration::from_secs(seconds), tell).await.unwrap();
        let read: Vec<_> =
            read.iter().map(|read| (read.ended.as_ref().map(Result::is_ok), read.found)).collect();
        (told, read.try_into().unwrap(), start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn what_nodes_have_is_told_as_it_comes_and_each_find_once() {
        let readers = [finds(&[(1, 1), (2, 2)]), finds(&[(2, 1), (0, 3)]), fails()];
        let (told, read, seconds) = gathered(readers, 60).await;
        assert_eq!((told, seconds), (vec![(1, 1), (2, 3), (3, 2)], 3));
        assert_eq!(read, [(Some(true), true), (Some(true), true), (Some(false), false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_node_hides_nothing_and_is_not_waited_for() {
        let (told, read, seconds) = gathered([hangs(), finds(&[(1, 1)])], 60).await;
        assert_eq!((told, seconds), (vec![(1, 1)], 4));
        assert_eq!(read, [(None, false), (Some(true), true)]);
        // Also where all of them are, or the only one that was read does not come to its end.
        let (told, read, seconds) = gathered([hangs(), finds(&[(1, 1), (100, 2)])], 60).await;
        assert_eq!((told, seconds), (vec![(1, 1)], 60));
        assert_eq!(read, [(None, false), (None, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_goes_on_reading_is_waited_for() {
        let reads = reader(|ear| async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(2)).await;
                ear.reads().await;
            }
            ear.tell(vec![find(9)], Order::Newest).await;
            Ok(())
        });
        let (told, read, _) = gathered([finds(&[]), reads], 60).await;
        assert_eq!((told, read), (vec![(40, 9)], [(Some(true), false), (Some(true), true)]));
    }

    #[tokio::test(start_paused = true)]
    async fn no_node_crowds_out_another_one_and_the_newest_have_room() {
        let flood = |order: Order, from: u16| {
            reader(move |ear| async move {
                for number in from..from + 10_000 {
                    ear.tell(vec![find(number)], order).await;
                }
                Ok(())
            })
        };
        let (told, ..) = gathered([flood(Order::AsRead, 0), flood(Order::Newest, 20_000)], 60).await;
        let of = |range: std::ops::Range<u32>| told.iter().filter(|(_, find)| range.contains(find)).count();
        assert_eq!((of(0..10_000), of(20_000..30_000)), (MOST / 4, MOST / 2));
    }

    #[tokio::test]
    async fn a_reader_that_panics_is_a_failure() {
        let panics = reader(|_ear| async { panic!("a fault of ours") });
        let (_, read, _) = gathered([panics, finds(&[(0, 1)])], 60).await;
        assert_eq!(read, [(Some(false), false), (Some(true), true)]);
    }
}
