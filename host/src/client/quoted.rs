use std::fmt;
use std::time::Duration;

use bitboot_plugin_api::{Action, Quote};
use tokio::task::JoinSet;

use super::others::{others_at, with_others};
use super::{AnnounceOptions, Bitboot, kinds_of, statement};
use crate::amount::Amount;
use crate::backend::{self, Backend};
use crate::discovery::{Deed, Statement, quote};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::state::Key;

/// What something would cost on one backend.
#[derive(Debug)]
#[non_exhaustive]
pub struct Quoted {
    /// What it is.
    pub purpose: Purpose,
    /// The backend's name.
    pub backend: String,
    /// What it tells; `None` where it is free.
    pub quote: Result<Option<Quote>>,
    /// Its entry says that real money may be spent there.
    mainnet: bool,
}

/// What is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Announcing in a network, or taking that back; its name.
    Network(String),
    /// What only one kind of backend can do; the action's name.
    Action(String),
}

/// A fee that somebody has agreed to, for one announcement or one action on one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    pub(super) purpose: Purpose,
    pub(super) backend: String,
    pub(super) fee: Amount,
    /// So often may it be signed for.
    pub(super) signatures: u32,
}

/// More signatures than anything one does needs; a quote of more is no bound.
const MOST_SIGNATURES: u32 = 64;

impl Bitboot {
    /// What announcing would cost, on every backend whose plugin can spend; those that cannot are not asked.
    ///
    /// # Errors
    /// As [`Bitboot::announce`].
    pub async fn quote(&self, network: &Network, options: &AnnounceOptions) -> Result<Vec<Quoted>> {
        let selection = self.registry().select(network.name(), &options.via)?;
        let key = Key {
            network: network.name().to_owned(),
            port: options.port,
            endpoints: options.endpoints.clone(),
        };
        let mut asked = JoinSet::new();
        let mut what = None;
        for choice in selection.choices.into_iter().filter(|choice| !kinds_of(&self.paths, choice).is_empty())
        {
            if what.is_none() {
                what = Some(statement(
                    self,
                    self.resolve(network)?,
                    &key,
                    options.metadata.clone(),
                    options.ttl,
                )?);
            }
            let Some(what) = what.clone() else { continue };
            let what = with_others(what, &others_at(&self.journal(), &key, &choice.backend));
            let (purpose, backend) = (Purpose::Network(network.name().to_owned()), choice.backend.clone());
            let mainnet = choice.entries.as_ref().is_ok_and(|(entry, _)| entry.mainnet);
            let (candidate, timeout): (_, Duration) = (self.candidate(choice), options.timeout);
            asked.spawn(async move {
                Quoted {
                    purpose,
                    backend,
                    quote: quote(candidate, Deed::Announce, &what, timeout).await,
                    mainnet,
                }
            });
        }
        let mut quoted = asked.join_all().await;
        quoted.sort_by(|a, b| a.backend.cmp(&b.backend));
        Ok(quoted)
    }
}

impl Bitboot {
    /// What taking an announcement back would cost, on each of some backends that costs something.
    pub(crate) async fn quote_withdrawal(
        &self,
        network: &Network,
        what: &Statement,
        backends: impl IntoIterator<Item = String>,
        timeout: Duration,
    ) -> Vec<Quoted> {
        let mut quoted = Vec::new();
        for backend in backends {
            // A backend that was removed meanwhile cannot be told.
            let Ok(choice) = self.registry().choice(backend.clone()) else { continue };
            if kinds_of(&self.paths, &choice).is_empty() {
                continue;
            }
            let mainnet = choice.entries.as_ref().is_ok_and(|(entry, _)| entry.mainnet);
            let quote = quote(self.candidate(choice), Deed::Withdraw, what, timeout).await;
            let purpose = Purpose::Network(network.name().to_owned());
            quoted.push(Quoted { purpose, backend, quote, mainnet });
        }
        quoted
    }

    /// What an action of an opened backend would cost; `None` where its plugin cannot spend, and is not asked.
    pub(crate) async fn quote_action(
        &self,
        backend: &str,
        opened: &dyn Backend,
        action: &Action,
        timeout: Duration,
    ) -> Option<Quoted> {
        // A plugin with its default settings is no backend that a key could be granted to.
        let choice = self.registry().choice(backend.to_owned()).ok()?;
        if kinds_of(&self.paths, &choice).is_empty() {
            return None;
        }
        let mainnet = choice.entries.as_ref().is_ok_and(|(entry, _)| entry.mainnet);
        let quote = backend::quote_action(opened, action, timeout).await;
        let quote = quote.map_err(|error| Error::of_backend(backend, error));
        Some(Quoted {
            purpose: Purpose::Action(action.name.clone()),
            backend: backend.to_owned(),
            quote,
            mainnet,
        })
    }
}

impl Purpose {
    /// The network's name, if it is about one.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        match self {
            Self::Network(name) => Some(name),
            Self::Action(_) => None,
        }
    }

    /// The action's name, if it is one.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        match self {
            Self::Network(_) => None,
            Self::Action(name) => Some(name),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "announcing \"{name}\""),
            Self::Action(name) => write!(f, "the action \"{name}\""),
        }
    }
}

impl Spend {
    /// The backend that may spend it.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// The fee that was agreed to.
    #[must_use]
    pub fn fee(&self) -> &Amount {
        &self.fee
    }
}

impl Quoted {
    /// The fee; `None` where it is free.
    ///
    /// # Errors
    /// When the backend could not tell, and when nobody could agree to what it tells: no fee, one that is no amount, or more signatures than 64.
    pub fn fee(&self) -> Result<Option<Amount>> {
        let Some(quote) = self.quote.as_ref().map_err(Clone::clone)? else { return Ok(None) };
        let backend = &self.backend;
        let bad = |what: String| Error::new(Kind::Plugin, what).fix("use another one, with --via");
        let Some(fee) = quote.fee.as_deref() else {
            return Err(bad(format!("backend \"{backend}\" costs money and does not say how much")));
        };
        let fee = fee.parse::<Amount>().map_err(|error| {
            bad(format!("backend \"{backend}\" does not say clearly what it costs")).because(error)
        })?;
        let signatures = signatures(quote);
        if signatures > MOST_SIGNATURES {
            let what = format!("backend \"{backend}\" wants {signatures} signatures for {}", self.purpose);
            return Err(bad(what).because(format!("{MOST_SIGNATURES} are the most that are given")));
        }
        Ok(Some(fee))
    }

    /// Agrees to the fee, if it is at most a limit. `None` where there is nothing to agree to.
    ///
    /// # Errors
    /// As [`Quoted::fee`]; above every limit of its unit; and where real money would be spent that the backend's entry does not allow.
    pub fn agree(&self, limits: &[Amount]) -> Result<Option<Spend>> {
        let (Some(fee), Ok(Some(quote))) = (self.fee()?, &self.quote) else { return Ok(None) };
        let (backend, signatures) = (&self.backend, signatures(quote));
        if !quote.test_network && !self.mainnet {
            let what =
                format!("backend \"{backend}\" would spend real money, and its entry does not allow that");
            return Err(Error::new(Kind::RealMoney, what)
                .fix(format!("if you mean it: bitboot backend set {backend} --mainnet true")));
        }
        if !limits.iter().any(|limit| fee.is_within(limit)) {
            let what = format!("backend \"{backend}\" would cost {fee}, which is over the limit");
            return Err(Error::new(Kind::OverLimit, what).fix(format!("allow it: --max-fee '{fee}'")));
        }
        Ok(Some(Spend { purpose: self.purpose.clone(), backend: backend.clone(), fee, signatures }))
    }
}

/// One that does not say how many wants one.
fn signatures(quote: &Quote) -> u32 {
    quote.signatures.unwrap_or(1)
}
