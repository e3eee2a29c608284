//! All that one backend has of a network: addresses, values and registers, in each epoch that a writer may be in.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::{Caps, Locator, Query, Stores};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::ask::{Heard, Question};
use super::{Candidate, Ignored, slots};
use crate::backend::{self, Backend, Step};
use crate::error::{Error, Result};
use crate::network::{Epoch, Newest, Note, Notes, Place, Record, Standing, is_sane};

/// The most peers or values that one backend may bring: none can crowd the others out, or fill the memory.
pub(super) const MAX_FINDS: usize = 10_000;
/// So many bytes of a value count as one more find.
const ONE_FIND: usize = 16 << 10;

/// One backend that is being asked, as each of the tasks that ask it sees it.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) name: Arc<str>,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) sender: mpsc::Sender<Heard>,
    pub(super) deadline: Instant,
    /// Since 1970.
    pub(super) now: Duration,
    /// Whether the medium spans the internet.
    pub(super) wide: bool,
    /// Whether the medium is told notes.
    pub(super) notes: bool,
}

pub(super) async fn listen(
    candidate: Candidate,
    question: &Question,
    sender: &mpsc::Sender<Heard>,
) -> Result<Ignored> {
    let deadline = Instant::now() + question.timeout;
    let (name, medium): (Arc<str>, String) = (candidate.backend.as_str().into(), candidate.medium.clone());
    let backend = candidate.open(question.timeout).await?;
    let caps = backend::caps(&*backend).await.map_err(|error| Error::of_backend(&name, error))?;
    let now = question.now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let listener = Listener::new(&name, backend, sender.clone(), deadline, now, &caps);
    let mut asking = JoinSet::new();
    for place in places(question, &medium, caps.paid, now) {
        let place = Arc::new(place);
        if caps.stores != Stores::Register && caps.stores != Stores::CasRegister {
            asking.spawn(listener.clone().addresses_and_values(Arc::clone(&place)));
        }
        if caps.register.is_some() {
            let walk = slots::walk(listener.clone(), place);
            asking.spawn(async {
                let (ignored, ended) = walk.await;
                (ignored, Notes::default(), ended)
            });
        }
    }
    let (mut ignored, mut failure, mut worked) = (Ignored::default(), None, false);
    let mut notes = Notes::default();
    while let Some(ended) = asking.join_next().await {
        // A task of ours that panicked is a fault of ours; the others still count.
        let Ok((more, written, ended)) = ended else { continue };
        ignored += more;
        notes.extend(written.iter().cloned());
        match ended {
            Ok(()) => worked = true,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    // Only now: a note of one epoch may take back that of another.
    listener.tell_notes(&notes, &mut ignored).await;
    match failure {
        Some(error) if !worked => Err(error),
        _ => Ok(ignored),
    }
}

fn places(question: &Question, medium: &str, paid: bool, now: Duration) -> Vec<Place> {
    Epoch::all_of(&question.network, paid, now)
        .into_iter()
        .map(|epoch| Place::new(&question.network, medium, epoch))
        .collect()
}

impl Listener {
    pub(super) fn new(
        name: &str,
        backend: Arc<dyn Backend>,
        sender: mpsc::Sender<Heard>,
        deadline: Instant,
        now: Duration,
        caps: &Caps,
    ) -> Self {
        let notes = caps.authored && Note::is_for(caps.max_value);
        Self { name: name.into(), backend, sender, deadline, now, wide: caps.wide, notes }
    }

    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn error(&self, error: bitboot_plugin_api::Error) -> Error {
        Error::of_backend(&self.name, error)
    }

    /// What was told before a call failed holds all the same.
    async fn addresses_and_values(self, place: Arc<Place>) -> (Ignored, Notes, Result<()>) {
        // Without the asker's limit: a backend would count what is not shown.
        let query = Query::new(place.locator().clone());
        let mut lookup = backend::lookup(&*self.backend, &query, self.left());
        let (mut finds, mut ignored, mut records) = (0, Ignored::default(), Newest::default());
        let mut notes = Notes::default();
        let ended = loop {
            let step = match lookup.next().await {
                Ok(step) => step,
                Err(error) => break Err(self.error(error)),
            };
            // A large value counts as several: what floods must end before it has moved gigabytes.
            finds += match &step {
                Step::Value(value) => 1 + value.len() / ONE_FIND,
                _ => 1,
            };
            match step {
                Step::Done(_) => break Ok(()),
                Step::Peer(_) | Step::Value(_) | Step::Authored(_) if finds > MAX_FINDS => {
                    ignored.beyond += 1;
                    break Ok(());
                }
                Step::Peer(peer) if !is_sane(&peer.endpoint, self.wide) => ignored.impossible += 1,
                Step::Peer(peer) => {
                    let heard = Heard::Address { backend: self.name.to_string(), peer };
                    if self.sender.send(heard).await.is_err() {
                        return (ignored, notes, Ok(()));
                    }
                }
                Step::Value(value) => self.open(&place, place.locator(), &value, &mut records, &mut ignored),
                Step::Authored(what) if self.notes => match place.open_note(&what.author, &what.value) {
                    Some(note) if note.standing(self.now) == Standing::FromTheFuture => ignored.ahead += 1,
                    Some(note) => drop(notes.add(note)),
                    None => ignored.unreadable += 1,
                },
                Step::Authored(what) => {
                    self.open(&place, place.locator(), &what.value, &mut records, &mut ignored);
                }
                Step::Held(_) | Step::Output(_) | Step::Progress(_) => {}
            }
        };
        self.tell(records, &mut ignored).await;
        (ignored, notes, ended)
    }

    /// Opens a bundle that lay at a locator and adds its records; at once, so that no more than one is held in memory.
    ///
    /// What is dated too far ahead is left out before it can hold against anything: else a node whose clock was wrong once would be hidden by
    /// its own old record.
    pub(super) fn open(
        &self,
        place: &Place,
        at: &Locator,
        bundle: &[u8],
        records: &mut Newest,
        ignored: &mut Ignored,
    ) {
        let Ok((opened, forged)) = place.open(at, bundle) else {
            ignored.unreadable += 1;
            return;
        };
        ignored.forged += forged;
        for record in opened.iter() {
            if record.standing(self.now) == Standing::FromTheFuture {
                ignored.ahead += 1;
            } else {
                records.add(record.clone());
            }
        }
    }

    /// Hands on the records that hold now; a withdrawn one too, so that an older record from elsewhere is not believed.
    pub(super) async fn tell(&self, records: Newest, ignored: &mut Ignored) {
        let mut told = Vec::new();
        for record in records.iter() {
            match record.standing(self.now) {
                Standing::Live | Standing::Withdrawn => told.push(self.sane(record.clone(), ignored)),
                Standing::Expired => ignored.expired += 1,
                Standing::FromTheFuture => ignored.ahead += 1,
            }
        }
        if !told.is_empty() {
            // Nobody to tell is nothing to do.
            let _ = self.sender.send(Heard::Records { backend: self.name.to_string(), records: told }).await;
        }
    }

    /// Hands on the notes that hold now.
    async fn tell_notes(&self, notes: &Notes, ignored: &mut Ignored) {
        let mut told = Vec::new();
        for note in notes.iter() {
            let is_impossible =
                |note: &Note| note.endpoint.as_ref().is_some_and(|at| !is_sane(at, self.wide));
            match note.standing(self.now) {
                Standing::Live if is_impossible(note) => ignored.impossible += 1,
                Standing::Live | Standing::Withdrawn => told.push(note.clone()),
                Standing::Expired => ignored.expired += 1,
                Standing::FromTheFuture => ignored.ahead += 1,
            }
        }
        if !told.is_empty() {
            // Nobody to tell is nothing to do.
            let _ = self.sender.send(Heard::Notes { backend: self.name.to_string(), notes: told }).await;
        }
    }

    fn sane(&self, mut record: Record, ignored: &mut Ignored) -> Record {
        let before = record.endpoints.len();
        record.endpoints.retain(|endpoint| is_sane(endpoint, self.wide));
        ignored.impossible += before - record.endpoints.len();
        record
    }
}

/// This machine's clock.
pub(super) fn clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
#[path = "tests/listen.rs"]
mod tests;
