use std::time::Duration;

use bitboot_plugin_api::Quote;
use tokio::task::JoinSet;

use super::{AnnounceOptions, Bitboot, kinds_of, statement};
use crate::amount::Amount;
use crate::discovery::{Deed, Statement, quote};
use crate::error::{Error, Kind, Result};
use crate::network::Network;
use crate::state::Key;

/// What announcing would cost on one backend.
#[derive(Debug)]
#[non_exhaustive]
pub struct Quoted {
    /// The network's name.
    pub network: String,
    /// The backend's name.
    pub backend: String,
    /// What it tells; `None` where it is free.
    pub quote: Result<Option<Quote>>,
    /// Its entry says that real money may be spent there.
    mainnet: bool,
}

/// A fee that somebody has agreed to, for one announcement on one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    pub(super) network: String,
    pub(super) backend: String,
    pub(super) fee: Amount,
    /// So often may it be signed for.
    pub(super) signatures: u32,
}

/// More signatures than any one announcement needs; a quote of more is no bound.
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
            let (network, backend) = (network.name().to_owned(), choice.backend.clone());
            let mainnet = choice.entries.as_ref().is_ok_and(|(entry, _)| entry.mainnet);
            let (candidate, timeout): (_, Duration) = (self.candidate(choice), options.timeout);
            asked.spawn(async move {
                Quoted {
                    network,
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
            quoted.push(Quoted { network: network.name().to_owned(), backend, quote, mainnet });
        }
        quoted
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
    /// The fee; `None` where it is free or was not told.
    #[must_use]
    pub fn fee(&self) -> Option<Result<Amount>> {
        self.quote.as_ref().ok()?.as_ref()?.fee.as_deref().map(str::parse)
    }

    /// Agrees to the fee, if it is at most a limit. `None` where there is nothing to agree to.
    ///
    /// # Errors
    /// Above every limit of its unit; and where real money would be spent that the backend's entry does not allow.
    pub fn agree(&self, limits: &[Amount]) -> Result<Option<Spend>> {
        let Ok(Some(quote)) = &self.quote else { return Ok(None) };
        let backend = &self.backend;
        let fee = self.fee().unwrap_or_else(|| {
            let error = Error::new(
                Kind::Plugin,
                format!("backend \"{backend}\" costs money and does not say how much"),
            );
            Err(error.fix("announce on another one with --via"))
        })?;
        let signatures = quote.signatures.unwrap_or(1);
        if signatures > MOST_SIGNATURES {
            let what = format!("backend \"{backend}\" wants {signatures} signatures for one announcement");
            return Err(Error::new(Kind::Plugin, what)
                .because(format!("{MOST_SIGNATURES} are the most that are given"))
                .fix("announce on another one with --via"));
        }
        if !quote.test_network && !self.mainnet {
            let what =
                format!("backend \"{backend}\" would spend real money, and its entry does not allow that");
            return Err(Error::new(Kind::NeedsHuman, what)
                .fix(format!("if you mean it: bitboot backend set {backend} --mainnet true")));
        }
        if !limits.iter().any(|limit| fee.is_within(limit)) {
            let what = format!("backend \"{backend}\" would cost {fee}, which is over the limit");
            return Err(Error::new(Kind::NeedsHuman, what).fix(format!("allow it: --max-fee '{fee}'")));
        }
        Ok(Some(Spend { network: self.network.clone(), backend: backend.clone(), fee, signatures }))
    }
}
