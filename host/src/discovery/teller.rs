//! How one backend is told: by addresses where its medium stores those, by signed records where it stores bytes.

use std::time::{Duration, Instant};

use bitboot_plugin_api::{Announcement, Caps, Endpoint, ErrorKind, Quote, Receipt, Stores};
use tokio::sync::mpsc;

use super::listen::{Listener, clock};
use super::{Candidate, Deed, Statement, slots};
use crate::backend;
use crate::error::{Error, Kind, Result};
use crate::network::{Claim, Epoch, Metadata, Note, Place, Record};

/// One backend that is told something.
pub(super) struct Teller<'a> {
    what: &'a Statement,
    medium: String,
    listener: Listener,
    caps: Caps,
}

impl<'a> Teller<'a> {
    pub(super) async fn open(candidate: Candidate, what: &'a Statement, timeout: Duration) -> Result<Self> {
        let deadline = Instant::now() + timeout;
        let (name, medium) = (candidate.backend.clone(), candidate.medium.clone());
        let opened = candidate.open(timeout).await?;
        let caps = backend::caps(&*opened).await.map_err(|error| Error::of_backend(&name, error))?;
        // Nobody hears what a teller reads: it only merges.
        let (sender, _) = mpsc::channel(1);
        let listener = Listener::new(&name, opened, sender, deadline, clock(), &caps);
        Ok(Self { what, medium, listener, caps })
    }

    /// What it would cost; `None` where it is free. Of media that cost something, those are known that keep many values.
    pub(super) async fn quote(&self, deed: Deed) -> Result<Option<Quote>> {
        if !self.caps.paid {
            return Ok(None);
        }
        if !self.stores_values() || self.caps.register.is_some() {
            let what = format!(
                "backend \"{}\" costs money in a way that this bitboot cannot tell before",
                self.listener.name
            );
            return Err(Error::new(Kind::Config, what).fix("announce on another one with --via"));
        }
        let place = self.place(Epoch::written(self.caps.paid, self.listener.now));
        let claim = match deed {
            Deed::Announce => self.claim().await?,
            Deed::Withdraw => self.withdrawal(),
        };
        let what = self.announcement(&place).with_value(self.value(&place, &claim).await?.0);
        let quoted = backend::quote(&*self.listener.backend, &what, self.listener.left()).await;
        quoted.map(Some).map_err(|error| self.listener.error(error))
    }

    /// Whether nothing that is told costs money, or somebody has agreed to that.
    pub(super) fn may_spend(&self) -> bool {
        !self.caps.paid || self.what.agreed
    }

    pub(super) async fn announce(&self) -> Result<Receipt> {
        if !self.may_spend() {
            let what = format!("backend \"{}\" costs money, and nobody has agreed to it", self.listener.name);
            return Err(Error::new(Kind::NeedsHuman, what).fix(
                "see what it costs: bitboot announce NETWORK ... --dry-run; and announce it by itself",
            ));
        }
        let place = self.place(Epoch::written(self.caps.paid, self.listener.now));
        let is_secret = self.what.network.secret().is_some();
        let claim = self.claim().await;
        if self.caps.stores != Stores::Endpoints {
            return match claim {
                // An open network does not need a signature: the plugin may know the address that the host does not.
                Err(_) if !is_secret && self.stores_values() => self.address(&place).await,
                claim => self.record(&place, claim).await?.ok_or_else(|| {
                    let what = format!(
                        "backend \"{}\" stores nothing that bitboot could announce",
                        self.listener.name
                    );
                    Error::new(Kind::Config, what).fix("announce on another one with --via")
                }),
            };
        }
        let (address, record) = if is_secret || self.what.endpoints.is_empty() {
            tokio::join!(self.address(&place), self.record(&place, claim))
        } else {
            // What the medium refuses as an address must not be announced by a record either.
            let address = self.address(&place).await;
            let record = if address.is_ok() { self.record(&place, claim).await } else { Ok(None) };
            (address, record)
        };
        match (address, record) {
            (Ok(receipt), Ok(_)) => Ok(receipt),
            // Readers of a secret network believe records only.
            (Ok(receipt), Err(error)) if !is_secret => {
                Ok(receipt.with_note(format!("without a signed record: {error}")))
            }
            (Err(error), Ok(Some(receipt))) if is_secret => {
                Ok(receipt.with_note(format!("in a signed record only: {error}")))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// Announces addresses, unsigned.
    async fn address(&self, place: &Place) -> Result<Receipt> {
        let mut what = self.announcement(place);
        what.port = self.what.port;
        what.endpoints.clone_from(&self.what.endpoints);
        let told = backend::announce(&*self.listener.backend, &what, self.listener.left()).await;
        told.map_err(|error| self.listener.error(error))
    }

    /// Announces a signed record on a medium that stores bytes; `None` where it stores none.
    async fn record(&self, place: &Place, claim: Result<Claim>) -> Result<Option<Receipt>> {
        if !self.stores_values() && self.caps.register.is_none() {
            return Ok(None);
        }
        let claim = claim?;
        if let Some(room) = self.caps.register {
            let record = self.sign(place, &claim)?;
            return slots::put(&self.listener, place, &record, room).await.map(Some);
        }
        self.publish(place, &claim).await.map(Some)
    }

    /// Announces one claim, on a medium that keeps many values.
    async fn publish(&self, place: &Place, claim: &Claim) -> Result<Receipt> {
        let (value, left_out) = self.value(place, claim).await?;
        let what = self.announcement(place).with_value(value);
        let told = backend::announce(&*self.listener.backend, &what, self.listener.left()).await;
        let mut receipt = told.map_err(|error| self.listener.error(error))?;
        // The medium may keep it for ever; the record itself says until when it holds.
        receipt.expires_in_s.get_or_insert(what.ttl_s);
        Ok(left_out.into_iter().fold(receipt, Receipt::with_note))
    }

    /// What a medium that keeps many values is told for a claim: a bundle of one record, or a note where that has no room; also what of it
    /// has to be left out.
    async fn value(&self, place: &Place, claim: &Claim) -> Result<(Vec<u8>, Option<&'static str>)> {
        if !self.listener.notes {
            let (record, room) = (self.sign(place, claim)?, self.caps.max_value as usize);
            let bundle = place.seal(place.locator(), slots::nonce(), std::iter::once(&record), room).0;
            return Ok((bundle, None));
        }
        let author = backend::author(&*self.listener.backend, self.listener.left()).await;
        let author = author.map_err(|error| self.listener.error(error))?.ok_or_else(|| {
            let what = format!("backend \"{}\" does not say by which key it writes", self.listener.name);
            Error::new(Kind::Plugin, what)
        })?;
        let note = Note::of_claim(claim, author, self.listener.now).ok_or_else(|| {
            let what =
                format!("backend \"{}\" has room for one IPv4 or IPv6 address only", self.listener.name);
            Error::new(Kind::Usage, what).fix("name one: --peer IP:PORT")
        })?;
        let is_less = claim.endpoints.len() > 1 || !claim.metadata.is_empty();
        Ok((
            place.seal_note(&note),
            is_less.then_some("only the first IP address has room there, nothing else"),
        ))
    }

    pub(super) async fn withdraw(&self) -> Result<Receipt> {
        if !self.may_spend() {
            return Ok(Receipt::new(0, 0).with_note(
                "taking it back costs money, with --yes and --max-fee; else it stays until it expires",
            ));
        }
        if !self.what.other_ports.is_empty() || !self.what.other_endpoints.is_empty() {
            return self.leave_the_others().await;
        }
        let mut receipt = Receipt::new(0, 0);
        let mut failure = None;
        let mut epochs = Epoch::all_of(&self.what.network, self.caps.paid, self.listener.now);
        // Readers look into all of them at once: what costs money is said once.
        epochs.truncate(if self.caps.paid { 1 } else { epochs.len() });
        for epoch in epochs {
            let place = self.place(epoch);
            match self.withdraw_from(&place).await {
                Ok(told) => {
                    receipt.stored += told.stored;
                    receipt.asked = receipt.asked.max(1).max(receipt.stored);
                    receipt.fee = told.fee.or(receipt.fee);
                    receipt.notes.extend(told.notes);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if receipt.stored == 0 => Err(error),
            _ if self.caps.stores == Stores::Endpoints && !self.caps.withdraws => {
                Ok(receipt.with_note("addresses are not taken back here; they expire"))
            }
            _ => Ok(receipt),
        }
    }

    /// A node has one record in a network: what else it announces stays in it.
    async fn leave_the_others(&self) -> Result<Receipt> {
        let place = self.place(Epoch::written(self.caps.paid, self.listener.now));
        let what =
            &Statement { port: None, endpoints: Vec::new(), metadata: Metadata::new(), ..self.what.clone() };
        let rest = Teller {
            what,
            medium: self.medium.clone(),
            listener: self.listener.clone(),
            caps: self.caps.clone(),
        };
        let claim = rest.claim().await;
        rest.record(&place, claim).await.map(Option::unwrap_or_default)
    }

    async fn withdraw_from(&self, place: &Place) -> Result<Receipt> {
        if let Some(room) = self.caps.register {
            let withdrawal = self.sign(place, &self.withdrawal())?;
            let stored = slots::withdraw(&self.listener, place, &withdrawal, room).await?;
            return Ok(Receipt::new(stored, stored));
        }
        let mut what = self.announcement(place);
        if self.caps.stores == Stores::Endpoints {
            what.port = self.what.port;
            what.endpoints.clone_from(&self.what.endpoints);
        }
        match backend::withdraw(&*self.listener.backend, &what, self.listener.left()).await {
            // A medium that only adds gets the withdrawal as one more record.
            Err(error) if error.kind == ErrorKind::Unsupported && self.stores_values() => {
                self.publish(place, &self.withdrawal()).await
            }
            // It has been told all that it can be told.
            Err(error) if error.kind == ErrorKind::Unsupported => Ok(Receipt::new(0, 0)),
            told => told.map_err(|error| self.listener.error(error)),
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
            what.with_writer(&place.pseudonym(&self.what.identity.public()))
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
            metadata: self
                .what
                .other_metadata
                .clone()
                .into_iter()
                .chain(self.what.metadata.clone())
                .collect(),
            lifetime: self.what.ttl,
            withdrawn: false,
        })
    }

    fn withdrawal(&self) -> Claim {
        Claim { withdrawn: true, lifetime: self.what.ttl, ..Claim::default() }
    }

    fn sign(&self, place: &Place, claim: &Claim) -> Result<Record> {
        let room = self.caps.register.unwrap_or(self.caps.max_value) as usize;
        let record = Record::sign(&self.what.identity, place.binding(), claim, self.listener.now);
        record.filter(|record| record.fits(room)).ok_or_else(|| {
            let most = Record::MAX.min(room);
            let what = format!("the addresses and --meta do not fit into a record of {most} bytes");
            Error::new(Kind::Usage, what).fix("say less")
        })
    }
}
