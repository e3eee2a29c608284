use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Host, Level, Result};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::several::{GRACE, answers};

/// One node as a lookup reads it.
pub trait Reader: Send + Sync + Sized + 'static {
    /// What it finds. The same is told once, whoever finds it.
    type Find: Clone + Eq + Hash + Send + 'static;
    /// What is to be said of it when it was read to its end.
    type End: Send + 'static;

    /// Tells all that the node has, the best as early as it can.
    fn read(&self, ear: &Ear<Self>) -> impl Future<Output = Result<Self::End>> + Send;

    /// What is known of a node that was not read to its end; told last, and only what comes at once.
    fn known(&self) -> impl Future<Output = Vec<Self::Find>> + Send {
        async { Vec::new() }
    }

    /// When the node answered anything, whoever asked: so one is waited for that another lookup is reading.
    fn answered(&self) -> Option<Instant>;
}

/// When a node answered last. Copies are the same.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Option<Instant>>>);

/// Where what reads a node tells what it finds.
pub struct Ear<R: Reader> {
    node: usize,
    heard: mpsc::Sender<(usize, Heard<R>)>,
}

/// What came of the nodes.
#[derive(Debug)]
pub struct Gathered<T> {
    /// In their order; `None` for those that were not read to the end in time.
    pub ended: Vec<Option<Result<T>>>,
    /// How much was told.
    pub told: usize,
}

enum Heard<R: Reader> {
    /// Some finds, and of how many parts of a node's share they may fill the first.
    Finds(Vec<R::Find>, usize),
    Ended(Result<R::End>),
}

/// What is left of the time of a lookup when it has to tell what it knows; half of it for what is known of nodes that were not read to their end.
pub const TO_TELL: Duration = Duration::from_millis(400);
/// What the nodes together may tell: the host takes no more than 10 000 from one backend, and none of them must crowd out another one.
const MOST: usize = 8000;
/// Which part of the time that a lookup has silent nodes are waited for at least, so that who gives it more time hears slow ones.
const PART: u32 = 10;
const QUEUE: usize = 64;

impl Pulse {
    /// It answers now.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When it answered last.
    #[must_use]
    pub fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Reader> Ear<R> {
    /// Tells what was found, the most important first: what is beyond the node's share is not told.
    pub async fn tell(&self, finds: Vec<R::Find>) {
        // Who does not listen any more ends the task.
        let _ = self.heard.send((self.node, Heard::Finds(finds, 1))).await;
    }

    /// Tells what comes in no good order: half of the share is left for [what follows](Self::tell).
    pub async fn tell_some(&self, finds: Vec<R::Find>) {
        let _ = self.heard.send((self.node, Heard::Finds(finds, 2))).await;
    }
}

/// Reads all nodes at once. Each find is told once, the moment that one of them has it; no node tells more than its share. When one was read to its
/// end and something is found, the others are waited for as long as they go on answering; those that are silent for as long again as that one
/// took, and for three seconds and a tenth of all time at least, are given up. A bit before the deadline all are. What is known of them is told then.
///
/// # Errors
/// When what was found cannot be told.
pub async fn gather<R: Reader, T: Future<Output = Result<()>>>(
    readers: impl IntoIterator<Item = R>,
    deadline: Instant,
    tell: impl FnMut(R::Find) -> T,
) -> Result<Gathered<R::End>> {
    let (start, end) = (Instant::now(), deadline.checked_sub(TO_TELL).unwrap_or(deadline));
    // Of a set, so that they end with this lookup.
    let (mut tasks, (sender, mut receiver)) = (JoinSet::new(), mpsc::channel(QUEUE));
    let nodes: Vec<Node<R>> = readers.into_iter().map(|reader| Node::new(reader, start)).collect();
    for (number, node) in nodes.iter().enumerate() {
        let (reader, ear) = (Arc::clone(&node.reader), Ear { node: number, heard: sender.clone() });
        tasks.spawn(async move {
            let ended = reader.read(&ear).await;
            let _ = ear.heard.send((ear.node, Heard::Ended(ended))).await;
        });
    }
    drop(sender);
    let least = GRACE.max(end.saturating_duration_since(start) / PART);
    let (mut hearing, mut patience) = (Hearing { nodes, told: HashSet::new(), tell }, None);
    let is_over = loop {
        let until = patience.map_or(end, |(since, patience)| end.min(hearing.last().max(since) + patience));
        if Instant::now() >= until {
            break false;
        }
        match timeout_at(until, receiver.recv()).await {
            // Somebody may have answered meanwhile.
            Err(_) => {}
            Ok(None) => break true,
            Ok(Some((number, Heard::Finds(finds, part)))) => hearing.tell(number, finds, part).await?,
            Ok(Some((number, Heard::Ended(ended)))) => {
                // One that has nothing says nothing about others.
                if ended.is_ok() && patience.is_none() && !hearing.told.is_empty() {
                    patience = Some((Instant::now(), start.elapsed().max(least)));
                }
                hearing.nodes[number].ended = Some(ended);
            }
        }
    };
    // So that nothing that they hold keeps back what is known of them.
    tasks.abort_all();
    let limit = Instant::now() + TO_TELL / 2;
    hearing.tell_known(limit.min(deadline.checked_sub(TO_TELL / 2).unwrap_or(deadline))).await?;
    let told = hearing.told.len();
    let ended = hearing.nodes.into_iter().map(|node| {
        // Nobody is left to tell: the panic of this one is in the log.
        let panicked = || is_over.then(|| Err(Error::new(ErrorKind::Panicked, "reading has failed")));
        node.ended.or_else(panicked)
    });
    Ok(Gathered { ended: ended.collect(), told })
}

struct Node<R: Reader> {
    reader: Arc<R>,
    ended: Option<Result<R::End>>,
    told: usize,
    heard: Instant,
}

struct Hearing<R: Reader, F> {
    nodes: Vec<Node<R>>,
    told: HashSet<R::Find>,
    tell: F,
}

impl<R: Reader> Node<R> {
    fn new(reader: R, start: Instant) -> Self {
        Self { reader: Arc::new(reader), ended: None, told: 0, heard: start }
    }
}

impl<R, F, T> Hearing<R, F>
where
    R: Reader,
    F: FnMut(R::Find) -> T,
    T: Future<Output = Result<()>>,
{
    /// When one that is waited for was heard of last.
    fn last(&self) -> Instant {
        let open = self.nodes.iter().filter(|node| node.ended.is_none());
        let heard = open.map(|node| node.reader.answered().map_or(node.heard, |at| at.max(node.heard)));
        heard.max().unwrap_or_else(Instant::now)
    }

    /// Tells what is new, of how many parts of the node's share the first has room for it.
    async fn tell(&mut self, number: usize, finds: Vec<R::Find>, part: usize) -> Result<()> {
        let room = MOST / self.nodes.len() / part;
        let node = &mut self.nodes[number];
        node.heard = Instant::now();
        for find in finds {
            if node.told < room && self.told.insert(find.clone()) {
                node.told += 1;
                (self.tell)(find).await?;
            }
        }
        Ok(())
    }

    /// Asks at once for what is known of nodes that were not read to their end: one that says nothing keeps nothing of others back.
    async fn tell_known(&mut self, limit: Instant) -> Result<()> {
        let mut asked = JoinSet::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if !matches!(node.ended, Some(Ok(_))) {
                let reader = Arc::clone(&node.reader);
                asked.spawn(async move { (number, reader.known().await) });
            }
        }
        while let Ok(Some(known)) = timeout_at(limit, asked.join_next()).await {
            // What panicked knows nothing.
            let Ok((number, known)) = known else { continue };
            self.tell(number, known, 1).await?;
        }
        Ok(())
    }
}

impl<T> Gathered<T> {
    /// What is to be said of the nodes that were read to their end, as [`answers`] has it. For the others there is a name, such as `a node`, and a
    /// time that may do, such as `60s`. Where something was told no failure is one: it is logged.
    ///
    /// # Errors
    /// The first failure, where no node was read to its end and nothing was told.
    pub fn answers(self, who: &str, time: &str, host: &Host) -> Result<Vec<T>> {
        let count = self.ended.len();
        let outcomes = self.ended.into_iter().map(|ended| ended.unwrap_or_else(|| Err(unread(who, time))));
        match answers(outcomes, host) {
            Err(error) if self.told > 0 => {
                // Of several it was logged already.
                if count == 1 {
                    let fix = error.fix.as_deref().map(|fix| format!("; {fix}")).unwrap_or_default();
                    host.log(Level::Warn, format!("{error}{fix}"));
                }
                Ok(Vec::new())
            }
            answers => answers,
        }
    }
}

/// What is to be said for one that was not read to its end: who, such as `a node`, and a time that may do, such as `60s`.
fn unread(who: &str, time: &str) -> Error {
    Error::new(ErrorKind::TimedOut, format!("{who} was not read to the end in time"))
        .fix(format!("give it more time: --timeout {time}; what was read is kept"))
}

#[cfg(test)]
mod tests;
