use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot_plugin_api::Receipt;
use tokio::task::JoinSet;

use super::others::{others_at, with_others};
use super::{Agreed, AnnounceOptions, Bitboot, HostSigner, Spend, statement};
use crate::daemon::{Jitter, Schedule};
use crate::discovery::{Deed, Statement, Told, tell};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::registry::Selection;
use crate::state::{Alive, Announced, Journal, Key};

/// How often a kept announcement looks whether `bitboot withdraw` took it back.
const GLANCE: Duration = Duration::from_secs(1);
/// A secret network moves every hour, and clocks differ: however long a medium keeps it, a record is written anew this often.
const SECRET_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What one backend answered to an announcement.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The backend's name.
    pub backend: String,
    /// Its receipt, or what failed.
    pub outcome: Result<Receipt>,
    /// How long it took.
    pub took: Duration,
}

/// An announcement that is kept alive for as long as [`Announcing::next`] is called. Dropping it ends that; what was announced then expires.
pub struct Announcing {
    bitboot: Bitboot,
    what: Statement,
    options: AnnounceOptions,
    journal: Journal,
    key: Key,
    /// Its owner's life; none where it is announced once.
    alive: Option<Alive>,
    backends: Vec<String>,
    schedule: Schedule<String>,
    running: JoinSet<Told>,
    /// What other processes of this home announced there when a backend was told last.
    others: BTreeMap<String, Vec<Key>>,
}

impl Announcing {
    pub(super) fn start(
        bitboot: Bitboot,
        network: Network,
        options: AnnounceOptions,
        selection: &Selection,
    ) -> Result<Self> {
        if options.port.is_none() && options.endpoints.is_empty() {
            return Err(Error::new(Kind::Usage, "there is nothing to announce")
                .fix("name a port of this machine, --port N, or an endpoint, --peer HOST:PORT"));
        }
        let key = Key {
            network: network.name().to_owned(),
            port: options.port,
            endpoints: options.endpoints.clone(),
        };
        let backends: Vec<_> = selection.choices.iter().map(|choice| choice.backend.clone()).collect();
        let what = statement(&bitboot, network, &key, options.metadata.clone(), options.ttl)?;
        let journal = bitboot.journal();
        let announced =
            Announced::new(key.clone(), options.ttl, options.metadata.clone(), backends.iter().cloned());
        let alive = journal.begin(announced, !options.once)?;
        let schedule = Schedule::new(backends.iter().cloned(), Instant::now());
        let (running, others) = (JoinSet::new(), BTreeMap::new());
        Ok(Self { bitboot, what, options, journal, key, alive, backends, schedule, running, others })
    }

    /// The backends that are told.
    #[must_use]
    pub fn backends(&self) -> &[String] {
        &self.backends
    }

    /// The next answer of a backend. Safe to be cancelled. `None` when each has answered and it was to be done once, or when it was
    /// withdrawn by somebody else.
    pub async fn next(&mut self) -> Option<Answer> {
        loop {
            if !self.start_due() {
                return None;
            }
            let next_due = self.schedule.next().map(tokio::time::Instant::from_std);
            let pause = next_due
                .map_or(GLANCE, |due| due.saturating_duration_since(tokio::time::Instant::now()).min(GLANCE));
            tokio::select! {
                Some(told) = self.running.join_next() => match told {
                    Ok(told) if self.is_overtaken(&told) => self.tell(&told.backend, Deed::Announce),
                    Ok(told) => return Some(self.note(told)),
                    // A task of ours that panicked is a fault of ours; the others still count.
                    Err(_) => {}
                },
                () = tokio::time::sleep(pause) => {}
            }
            if self.options.once && self.running.is_empty() {
                return None;
            }
        }
    }

    /// Takes the announcement back, where the medium can, and where no other process announces the same.
    pub async fn withdraw(mut self) -> Withdrawing {
        self.running.shutdown().await;
        let owner = self.alive.as_ref().map(Alive::owner);
        // A journal that cannot be written must not keep what is over.
        let over = self.journal.end(&self.key, owner, &self.backends);
        for backend in over.unwrap_or_else(|_| self.backends.clone()) {
            self.tell(&backend, Deed::Withdraw);
        }
        Withdrawing(self)
    }

    /// Starts what is due; `false` when there is nothing left to do.
    fn start_due(&mut self) -> bool {
        // A journal that cannot be read stops no announcement.
        if self
            .alive
            .as_ref()
            .is_some_and(|alive| !self.journal.keeps(&self.key, alive.owner()).unwrap_or(true))
        {
            return false;
        }
        for backend in self.schedule.take_due(Instant::now()) {
            self.tell(&backend, Deed::Announce);
        }
        !(self.options.once && self.running.is_empty())
    }

    fn tell(&mut self, backend: &str, deed: Deed) {
        let Ok(choice) = self.bitboot.registry().choice(backend.to_owned()) else { return };
        let (candidate, timeout) = (self.bitboot.candidate(choice), self.options.timeout);
        let others = others_at(&self.journal, &self.key, backend);
        let mut what = with_others(self.what.clone(), &others);
        self.others.insert(backend.to_owned(), others.into_iter().map(|other| other.key).collect());
        if let Some((.., error)) = self
            .options
            .refused
            .iter()
            .find(|(network, name, _)| *network == self.key.network && name == backend)
        {
            let told = Told::not_at_all(backend.to_owned(), error.clone());
            self.running.spawn(std::future::ready(told));
            return;
        }
        let spend = self.spend(backend).filter(|_| deed == Deed::Announce).cloned();
        let signer = Arc::clone(self.bitboot.signer());
        self.running.spawn(async move {
            // Held while it is told: afterwards nothing more is signed away.
            let agreed = match agreement(&signer, spend, timeout).await {
                Ok(agreed) => agreed,
                Err(error) => return Told::not_at_all(candidate.backend, error),
            };
            what.agreed = agreed.is_some();
            let mut told = tell(candidate, deed, &what, timeout).await;
            told.unknown = agreed.is_some_and(|agreed| agreed.has_signed() || told.is_late());
            told
        });
    }

    /// What was agreed to for a backend. It is spent once: nothing that costs money is renewed, or tried again, by itself.
    fn spend(&self, backend: &str) -> Option<&Spend> {
        let is_ours = |spend: &&Spend| spend.purpose.network() == Some(self.key.network.as_str());
        self.options.spend.iter().filter(is_ours).find(|spend| spend.backend == backend)
    }

    /// Whether another process came or went while a backend was told: a node has one record in a network, and what was said in ours may
    /// have replaced what the other one said.
    fn is_overtaken(&self, told: &Told) -> bool {
        let (before, now) =
            (self.others.get(&told.backend), others_at(&self.journal, &self.key, &told.backend));
        told.outcome.is_ok()
            && self.spend(&told.backend).is_none()
            && before.is_some_and(|before| {
                before.len() != now.len() || now.iter().any(|other| !before.contains(&other.key))
            })
    }

    fn note(&mut self, told: Told) -> Answer {
        let renewed = !self.options.once && self.spend(&told.backend).is_none();
        let (at, jitter) = (Instant::now(), Jitter(fastrand::f64()));
        if renewed {
            match &told.outcome {
                Ok(receipt) => self.schedule.succeeded(&told.backend, self.lifetime(receipt), at, jitter),
                Err(_) => self.schedule.failed(&told.backend, at, jitter),
            }
        }
        // The announcement itself is out: a full disk must not make it look failed.
        let _ = self.journal.note(&self.key, &told.backend, |placement| match &told.outcome {
            Ok(receipt) => placement.answered(receipt),
            Err(error) => placement.failed(error, told.unknown),
        });
        told.into()
    }

    fn lifetime(&self, receipt: &Receipt) -> Duration {
        let told = receipt.expires_in_s.map(|seconds| Duration::from_secs(seconds.into()));
        let secret = self.what.network.secret().map(|_| SECRET_LIFETIME);
        [told, secret].into_iter().flatten().fold(self.options.ttl, Duration::min)
    }
}

/// An announcement that is being taken back, until [`Withdrawing::next`] has told all. What was not told yet when it is dropped expires by itself,
/// or is taken back by `bitboot withdraw`.
pub struct Withdrawing(Announcing);

impl Withdrawing {
    /// The next answer of a backend. Safe to be cancelled. `None` when each that was told has answered.
    pub async fn next(&mut self) -> Option<Answer> {
        let Self(announcing) = self;
        loop {
            // A task of ours that panicked is a fault of ours; the others still count.
            let Ok(told) = announcing.running.join_next().await? else { continue };
            if announcing.is_overtaken(&told) {
                announcing.tell(&told.backend, Deed::Withdraw);
                continue;
            }
            // What is taken back is so, on a full disk too.
            let _ = note_withdrawal(&announcing.journal, std::iter::once(&announcing.key), &told);
            return Some(told.into());
        }
    }
}

/// Notes what came of taking announcements back.
pub(crate) fn note_withdrawal<'a>(
    journal: &Journal,
    keys: impl IntoIterator<Item = &'a Key>,
    told: &Told,
) -> Result<()> {
    keys.into_iter().try_for_each(|key| match &told.outcome {
        Ok(_) if told.stays => journal.note(key, &told.backend, |placement| placement.failed(&costs(), true)),
        Ok(_) => journal.forget(key, &told.backend),
        Err(error) => journal.note(key, &told.backend, |placement| placement.failed(error, true)),
    })
}

fn costs() -> Error {
    Error::new(Kind::NeedsHuman, "it is not taken back, for that costs money, and nobody has agreed to it")
}

/// Two announcements on one backend spend one after the other, whichever commands of this user's they are of. Those of this process end in their
/// time; one that was stopped holds its turn for ever, and is waited for no longer than a backend is. `None` where nothing is spent.
pub(crate) async fn agreement(
    signer: &Arc<HostSigner>,
    spend: Option<Spend>,
    patience: Duration,
) -> Result<Option<Agreed>> {
    let Some(spend) = spend else { return Ok(None) };
    let mut since = Instant::now();
    loop {
        if let Some(agreed) = signer.agree(&spend)? {
            return Ok(Some(agreed));
        }
        if signer.is_spending(&spend.backend) {
            since = Instant::now();
        } else if since.elapsed() >= patience {
            let what = format!("another bitboot is spending on backend \"{}\"", spend.backend);
            return Err(Error::new(Kind::Unreachable, what)
                .because(format!("it has not ended within {}", humantime::format_duration(patience)))
                .fix(
                    "wait for it with --timeout, or end it if it was stopped; nothing was spent by this one",
                ));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl From<Told> for Answer {
    fn from(told: Told) -> Self {
        Self { backend: told.backend, outcome: told.outcome, took: told.took }
    }
}
