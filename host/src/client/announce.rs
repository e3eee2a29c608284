use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot_plugin_api::Receipt;
use tokio::task::JoinSet;

use super::{Agreed, AnnounceOptions, Bitboot, HostSigner, Spend, statement};
use crate::daemon::{Jitter, Schedule};
use crate::discovery::{Deed, Statement, Told, tell};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::registry::Selection;
use crate::state::{Announced, Journal, Key, Owner, Placement, now};

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
        journal.begin(Announced {
            key: key.clone(),
            ttl_s: u32::try_from(options.ttl.as_secs()).unwrap_or(u32::MAX),
            metadata: options.metadata.clone(),
            owners: if options.once { Vec::new() } else { vec![Owner::this()] },
            since: now(),
            backends: backends.iter().map(|backend| (backend.clone(), Placement::default())).collect(),
        })?;
        let schedule = Schedule::new(backends.iter().cloned(), Instant::now());
        let (running, others) = (JoinSet::new(), BTreeMap::new());
        Ok(Self { bitboot, what, options, journal, key, backends, schedule, running, others })
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

    /// Takes the announcement back, where the medium can; the answers of the backends.
    pub async fn withdraw(mut self) -> Vec<Answer> {
        self.running.shutdown().await;
        // Another process may announce the same; a journal that cannot be written must not keep what is over.
        if !self.journal.end(&self.key, &Owner::this()).unwrap_or(true) {
            return Vec::new();
        }
        for backend in std::mem::take(&mut self.backends) {
            self.tell(&backend, Deed::Withdraw);
        }
        let mut answers = Vec::new();
        while let Some(told) = self.running.join_next().await {
            match told {
                Ok(told) if self.is_overtaken(&told) => self.tell(&told.backend, Deed::Withdraw),
                told => answers.extend(told.ok().map(Answer::from)),
            }
        }
        answers
    }

    /// Starts what is due; `false` when there is nothing left to do.
    fn start_due(&mut self) -> bool {
        // A journal that cannot be read stops no announcement.
        if !self.options.once && !self.journal.has(&self.key).unwrap_or(true) {
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
        let mut what = self.what.clone();
        let others = self.others_at(backend);
        for other in &others {
            what.other_ports.extend(other.key.port);
            what.other_endpoints.extend(other.key.endpoints.iter().cloned());
            what.other_metadata.extend(other.metadata.clone());
        }
        self.others.insert(backend.to_owned(), others.into_iter().map(|other| other.key).collect());
        if let Some((.., error)) = self
            .options
            .refused
            .iter()
            .find(|(network, name, _)| *network == self.key.network && name == backend)
        {
            let (backend, outcome) = (backend.to_owned(), Err(error.clone()));
            self.running.spawn(std::future::ready(Told { backend, outcome, took: Duration::ZERO }));
            return;
        }
        let spend = self.spend(backend).filter(|_| deed == Deed::Announce).cloned();
        let signer = Arc::clone(self.bitboot.signer());
        self.running.spawn(async move {
            // Held while it is told: afterwards nothing more is signed away.
            let agreed = match spend {
                Some(spend) => Some(agreement(&signer, spend).await),
                None => None,
            };
            what.agreed = agreed.is_some();
            tell(candidate, deed, &what, timeout).await
        });
    }

    /// What was agreed to for a backend. It is spent once: nothing that costs money is renewed, or tried again, by itself.
    fn spend(&self, backend: &str) -> Option<&Spend> {
        self.options.spend.iter().find(|spend| spend.network == self.key.network && spend.backend == backend)
    }

    /// What other processes of this home announce there, as the journal has it at this moment.
    fn others_at(&self, backend: &str) -> Vec<Announced> {
        let mut all = self.journal.read().unwrap_or_default();
        let ours = &self.key;
        all.retain(|other| {
            other.key.network == ours.network && other.key != *ours && other.is_live_on(backend)
        });
        all
    }

    /// Whether another process came or went while a backend was told: a node has one record in a network, and what was said in ours may
    /// have replaced what the other one said.
    fn is_overtaken(&self, told: &Told) -> bool {
        let (before, now) = (self.others.get(&told.backend), self.others_at(&told.backend));
        told.outcome.is_ok()
            && self.spend(&told.backend).is_none()
            && before.is_some_and(|before| {
                before.len() != now.len() || now.iter().any(|other| !before.contains(&other.key))
            })
    }

    fn note(&mut self, told: Told) -> Answer {
        let renewed = !self.options.once && self.spend(&told.backend).is_none();
        let (at, jitter) = (Instant::now(), Jitter(fastrand::f64()));
        let placement = match &told.outcome {
            Ok(receipt) => {
                if renewed {
                    self.schedule.succeeded(&told.backend, self.lifetime(receipt), at, jitter);
                }
                let expires = receipt.expires_in_s.map(|seconds| now() + u64::from(seconds));
                Placement { stored: receipt.stored, asked: receipt.asked, expires, error: None }
            }
            Err(error) => {
                if renewed {
                    self.schedule.failed(&told.backend, at, jitter);
                }
                Placement { error: Some(error.to_string()), ..Placement::default() }
            }
        };
        // The announcement itself is out: a full disk must not make it look failed.
        let _ = self.journal.note(&self.key, &told.backend, placement);
        told.into()
    }

    fn lifetime(&self, receipt: &Receipt) -> Duration {
        let told = receipt.expires_in_s.map(|seconds| Duration::from_secs(seconds.into()));
        let secret = self.what.network.secret().map(|_| SECRET_LIFETIME);
        [told, secret].into_iter().flatten().fold(self.options.ttl, Duration::min)
    }
}

/// Two announcements of one command on one backend spend one after the other.
pub(crate) async fn agreement(signer: &Arc<HostSigner>, spend: Spend) -> Agreed {
    loop {
        if let Some(agreed) = signer.agree(&spend) {
            return agreed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl From<Told> for Answer {
    fn from(told: Told) -> Self {
        Self { backend: told.backend, outcome: told.outcome, took: told.took }
    }
}
