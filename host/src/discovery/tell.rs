use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Announcement, Caps, Endpoint, ErrorKind, Receipt, Stores};
use tokio::sync::mpsc;

use super::listen::{Listener, clock};
use super::{Candidate, slots};
use crate::backend;
use crate::error::{Error, Kind, Result};
use crate::network::{Claim, Epoch, Identity, Metadata, Network, Place, Record};

/// What one backend answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) backend: String,
    pub(crate) outcome: Result<Receipt>,
    pub(crate) took: Duration,
}

/// What a backend is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Announce,
    Withdraw,
}

/// What a node says in a network.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) network: Network,
    pub(crate) identity: Arc<Identity>,
    /// What this announcement is about.
    pub(crate) port: Option<u16>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// What else the node announces there: a node has one record in a network.
    pub(crate) other_ports: Vec<u16>,
    pub(crate) other_endpoints: Vec<Endpoint>,
    pub(crate) metadata: Metadata,
    pub(crate) ttl: Duration,
}

/// Tells one backend; it never fails as a whole.
pub(crate) async fn tell(candidate: Candidate, deed: Deed, what: &Statement, timeout: Duration) -> Told {
    let (backend, started) = (candidate.backend.clone(), Instant::now());
    let outcome = async {
        let teller = Teller::open(candidate, what, timeout).await?;
        match deed {
            Deed::Announce => teller.announce().await,
            Deed::Withdraw => teller.withdraw().await,
        }
    };
    let outcome = outcome.await;
    Told { backend, outcome, took: started.elapsed() }
}

struct Teller<'a> {
    what: &'a Statement,
    medium: String,
    listener: Listener,
    caps: Caps,
}

impl<'a> Teller<'a> {
    async fn open(candidate: Candidate, what: &'a Statement, timeout: Duration) -> Result<Self> {
        let deadline = Instant::now() + timeout;
        let (name, medium) = (candidate.backend.clone(), candidate.medium.clone());
        let opened = candidate.open(timeout).await?;
        let caps = backend::caps(&*opened).await.map_err(|error| Error::of_backend(&name, error))?;
        // Nobody hears what a teller reads: it only merges.
        let (sender, _) = mpsc::channel(1);
        let listener = Listener::new(&name, opened, sender, deadline, clock(), &caps);
        Ok(Self { what, medium, listener, caps })
    }

    async fn announce(&self) -> Result<Receipt> {
        let place = self.place(Epoch::at(self.listener.now));
        let (address, record) = tokio::join!(self.address(&place), self.record(&place));
        match (address, record) {
            (Some(Ok(receipt)), Ok(_)) | (None, Ok(Some(receipt))) => Ok(receipt),
            // Readers of a secret network believe records only.
            (Some(Ok(receipt)), Err(error)) if self.what.network.secret().is_none() => {
                Ok(receipt.with_note(format!("without a signed record: {error}")))
            }
            (Some(Err(error)), Ok(Some(receipt))) if self.what.network.secret().is_some() => {
                Ok(receipt.with_note(format!("in a signed record only: {error}")))
            }
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (None, Ok(None)) => Err(Error::new(
                Kind::Config,
                format!("backend \"{}\" stores nothing that bitboot could announce", self.listener.name),
            )),
        }
    }

    /// Announces addresses on a medium that stores those.
    async fn address(&self, place: &Place) -> Option<Result<Receipt>> {
        if self.caps.stores != Stores::Endpoints {
            return None;
        }
        let mut what = self.announcement(place);
        what.port = self.what.port;
        what.endpoints.clone_from(&self.what.endpoints);
        let told = backend::announce(&*self.listener.backend, &what, self.listener.left()).await;
        Some(told.map_err(|error| self.listener.error(error)))
    }

    /// Announces a signed record on a medium that stores bytes; `None` where it stores none.
    async fn record(&self, place: &Place) -> Result<Option<Receipt>> {
        if !self.stores_values() && self.caps.register.is_none() {
            return Ok(None);
        }
        let record = self.sign(place, &self.claim().await?)?;
        if let Some(room) = self.caps.register {
            return slots::put(&self.listener, place, &record, room).await.map(Some);
        }
        let mut what = self.announcement(place);
        what.value = Some(
            place
                .seal(place.locator(), slots::nonce(), std::iter::once(&record), self.caps.max_value as usize)
                .0,
        );
        let told = backend::announce(&*self.listener.backend, &what, self.listener.left()).await;
        told.map(Some).map_err(|error| self.listener.error(error))
    }

    async fn withdraw(&self) -> Result<Receipt> {
        if !self.what.other_ports.is_empty() || !self.what.other_endpoints.is_empty() {
            return self.leave_the_others().await;
        }
        let mut receipt = Receipt::new(0, 0);
        let mut failure = None;
        for epoch in self.epochs() {
            let place = self.place(epoch);
            match self.withdraw_from(&place).await {
                Ok(stored) => {
                    receipt.stored += stored;
                    receipt.asked = receipt.asked.max(1).max(receipt.stored);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if receipt.stored == 0 => Err(error),
            _ => Ok(receipt),
        }
    }

    /// A node has one record in a network: what else it announces stays in it.
    async fn leave_the_others(&self) -> Result<Receipt> {
        let place = self.place(Epoch::at(self.listener.now));
        let what = &Statement { port: None, endpoints: Vec::new(), ..self.what.clone() };
        let rest = Teller {
            what,
            medium: self.medium.clone(),
            listener: self.listener.clone(),
            caps: self.caps.clone(),
        };
        rest.record(&place).await.map(Option::unwrap_or_default)
    }

    async fn withdraw_from(&self, place: &Place) -> Result<u32> {
        let left = self.listener.left();
        let of_backend = |error| self.listener.error(error);
        if let Some(room) = self.caps.register {
            let withdrawal = self.sign(place, &self.withdrawal())?;
            return slots::withdraw(&self.listener, place, &withdrawal, room).await;
        }
        let mut what = self.announcement(place);
        if self.caps.stores == Stores::Endpoints {
            what.port = self.what.port;
            what.endpoints.clone_from(&self.what.endpoints);
        }
        match backend::withdraw(&*self.listener.backend, &what, left).await {
            // A medium that only adds gets the withdrawal as one more record.
            Err(error) if error.kind == ErrorKind::Unsupported && self.stores_values() => {
                let withdrawal = self.sign(place, &self.withdrawal())?;
                what.value = Some(
                    place
                        .seal(
                            place.locator(),
                            slots::nonce(),
                            std::iter::once(&withdrawal),
                            self.caps.max_value as usize,
                        )
                        .0,
                );
                backend::announce(&*self.listener.backend, &what, self.listener.left())
                    .await
                    .map_err(of_backend)
                    .map(|receipt| receipt.stored)
            }
            told => told.map_err(of_backend).map(|receipt| receipt.stored),
        }
    }

    /// The present epoch, and those in which the announcement may lie since before.
    fn epochs(&self) -> Vec<Epoch> {
        match self.what.network.secret() {
            None => vec![Epoch::at(self.listener.now)],
            Some(_) => Epoch::window(self.listener.now),
        }
    }

    fn place(&self, epoch: Epoch) -> Place {
        Place::new(&self.what.network, &self.medium, epoch)
    }

    fn stores_values(&self) -> bool {
        self.caps.max_value > 0 && matches!(self.caps.stores, Stores::Values | Stores::Log)
    }

    fn announcement(&self, place: &Place) -> Announcement {
        let ttl_s = u32::try_from(self.what.ttl.as_secs()).unwrap_or(u32::MAX);
        let what = Announcement::new(place.locator().clone()).with_ttl_s(ttl_s);
        if self.stores_values() {
            what.with_writer(&slots::writer_of(place, &self.what.identity.public()))
        } else {
            what
        }
    }

    /// All that the node announces in the network, as this medium's others can use it.
    async fn claim(&self) -> Result<Claim> {
        let ports = self.what.port.iter().chain(&self.what.other_ports);
        let mut endpoints: Vec<Endpoint> = Vec::new();
        if ports.clone().next().is_some() {
            let here = backend::here(&*self.listener.backend, self.listener.left()).await;
            let here = here.map_err(|error| self.listener.error(error))?.ok_or_else(|| {
                let what = format!(
                    "backend \"{}\" does not know under which address others reach this machine",
                    self.listener.name
                );
                Error::new(Kind::Config, what).fix("say it: --peer HOST:PORT")
            })?;
            endpoints.extend(ports.filter_map(|port| Endpoint::new(here, *port)));
        }
        endpoints.extend(self.what.endpoints.iter().chain(&self.what.other_endpoints).cloned());
        let mut seen = std::collections::HashSet::new();
        endpoints.retain(|endpoint| seen.insert(endpoint.clone()));
        Ok(Claim {
            endpoints,
            metadata: self.what.metadata.clone(),
            lifetime: self.what.ttl,
            withdrawn: false,
        })
    }

    fn withdrawal(&self) -> Claim {
        Claim { withdrawn: true, lifetime: self.what.ttl, ..Claim::default() }
    }

    fn sign(&self, place: &Place, claim: &Claim) -> Result<Record> {
        let room = Record::MAX;
        Record::sign(&self.what.identity, place.binding(), claim, self.listener.now).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("the addresses and --meta do not fit into a record of {room} bytes"),
            )
            .fix("say less")
        })
    }
}
