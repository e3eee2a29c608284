use std::time::Duration;

use bitboot_plugin_api::{
    Action, Announcement, Backend, Caps, Cx, Endpoint, Error, ErrorKind, Found, Health, Host, Output, Peer,
    Query, Quote, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::memory::{self, Board};

/// A medium in memory that breaks one clause of the contract: what shows that the conformance suite sees it.
pub(crate) struct Careless {
    breaks: Breaks,
    at_once: Semaphore,
    lookups: std::sync::atomic::AtomicU32,
}

/// What is broken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CarelessConfig {
    breaks: Breaks,
}

/// The clauses, by their names in the suite.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Breaks {
    #[default]
    Nothing,
    UnknownActionIsUnsupported,
    CapsArePlausible,
    UnknownLocatorFindsNothing,
    AnnouncedPeerIsFound,
    ManyPeersAreFound,
    AnnouncingAgainDoesNotDuplicate,
    LimitDoesNoHarm,
    WithdrawnPeerIsGone,
    LocatorOfAnyLengthDoesNoHarm,
    WatchingTellsOfNewPeers,
    NothingToAnnounceIsRefused,
    ForeignAddressIsNotPublishedAsOurs,
    Ipv6IsCarriedOrRefused,
    DnsNameIsCarriedOrRefused,
    ValueIsCarriedOrRefused,
    OversizeValueIsRefused,
    QuoteIsGiven,
    HealthIsToldOrUnsupported,
    SavingWorks,
    StoppedCallEnds,
    CancelledCallLetsGo,
    SlowListenerLosesNothing,
    ParallelLookupsAllAnswer,
    CallsLeaveNothingBehind,
    ClosedBackendsLeaveNothingBehind,
}

impl Backend for Careless {
    const KIND: &'static str = "careless";
    type Config = CarelessConfig;

    async fn open(config: CarelessConfig, _host: Host) -> Result<Self> {
        let breaks = config.breaks;
        if breaks == Breaks::ClosedBackendsLeaveNothingBehind {
            std::mem::forget(std::fs::File::open("/dev/null")?);
        }
        Ok(Self { breaks, at_once: Semaphore::new(4), lookups: 0.into() })
    }

    fn caps(&self) -> Caps {
        let mut caps = memory::caps();
        caps.source_bound = self.breaks == Breaks::ForeignAddressIsNotPublishedAsOurs;
        if self.breaks == Breaks::CapsArePlausible {
            caps.reveals.clear();
        }
        caps
    }

    async fn announce(&self, mut what: Announcement, _cx: Cx) -> Result<Receipt> {
        let says_nothing =
            |what: &Announcement| what.endpoints.is_empty() && what.value.is_none() && what.port.is_none();
        let nothing = says_nothing(&what);
        match self.breaks {
            Breaks::NothingToAnnounceIsRefused if nothing => return Ok(Receipt::new(1, 1)),
            Breaks::AnnouncingAgainDoesNotDuplicate => again_with_another_port(&mut what),
            Breaks::Ipv6IsCarriedOrRefused => {
                what.endpoints.retain(|endpoint| endpoint.ip().is_none_or(|ip| ip.is_ipv4()));
            }
            Breaks::DnsNameIsCarriedOrRefused => what.endpoints.retain(|endpoint| endpoint.ip().is_some()),
            Breaks::ValueIsCarriedOrRefused => {
                what.value.iter_mut().flatten().take(1).for_each(|byte| *byte ^= 1);
            }
            Breaks::OversizeValueIsRefused => {
                what.value.as_mut().into_iter().for_each(|value| value.truncate(memory::MAX_VALUE as usize));
            }
            _ => {}
        }
        if !nothing && says_nothing(&what) {
            return Ok(Receipt::new(1, 1));
        }
        let receipt = memory::announce(&what)?;
        Ok(if self.breaks == Breaks::AnnouncedPeerIsFound { Receipt::new(0, 1) } else { receipt })
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        if self.breaks == Breaks::WithdrawnPeerIsGone {
            return Ok(Receipt::new(1, 1));
        }
        Ok(memory::withdraw(&what))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let Board { endpoints, values } = memory::board(&query.locator);
        let is_empty = endpoints.is_empty() && values.is_empty();
        match self.breaks {
            Breaks::UnknownLocatorFindsNothing if is_empty => found.peer(stranger()).await,
            Breaks::LimitDoesNoHarm if query.limit.is_some() => Ok(()),
            Breaks::LocatorOfAnyLengthDoesNoHarm if query.locator.as_bytes().len() != 20 => {
                panic!("a locator of 20 bytes was expected")
            }
            Breaks::ManyPeersAreFound => {
                let three = endpoints.into_iter().take(3).collect();
                memory::tell(Board { endpoints: three, values }, &found).await
            }
            Breaks::SlowListenerLosesNothing => {
                let impatient =
                    timeout(Duration::from_millis(1), memory::tell(Board { endpoints, values }, &found));
                impatient.await.unwrap_or(Ok(()))
            }
            _ => self.tell_and_leave_behind(Board { endpoints, values }, found).await,
        }
    }

    async fn watch(&self, _query: Query, _found: Found) -> Result<()> {
        if self.breaks == Breaks::WatchingTellsOfNewPeers {
            return Ok(());
        }
        Err(Error::unsupported("nothing is watched here"))
    }

    async fn quote(&self, _what: Announcement, _cx: Cx) -> Result<Quote> {
        let mut quote = Quote::free();
        quote.fee = (self.breaks == Breaks::QuoteIsGiven).then(|| "1 EUR".into());
        Ok(quote)
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        Ok(Health::new(self.breaks != Breaks::HealthIsToldOrUnsupported, "memory is there"))
    }

    async fn save(&self, _cx: Cx) -> Result<()> {
        if self.breaks == Breaks::SavingWorks {
            return Err(Error::new(ErrorKind::Other, "there is nothing to save"));
        }
        Ok(())
    }

    async fn action(&self, action: Action, _out: Output) -> Result<()> {
        if self.breaks == Breaks::UnknownActionIsUnsupported {
            return Ok(());
        }
        Err(Error::unsupported(format!("there is no action `{}`", action.name)))
    }
}

impl Careless {
    async fn tell_and_leave_behind(&self, board: Board, found: Found) -> Result<()> {
        let is_empty = board.endpoints.is_empty() && board.values.is_empty();
        let outcome = memory::tell(board, &found).await;
        match self.breaks {
            Breaks::StoppedCallEnds if outcome.is_err() => sleep(Duration::from_secs(3600)).await,
            Breaks::CancelledCallLetsGo if is_empty => {
                // What an author could keep is deaf after the call.
                let kept = bitboot_plugin_api::__border::keep(&found);
                tokio::spawn(async move {
                    sleep(Duration::from_secs(3600)).await;
                    drop(kept);
                });
            }
            Breaks::ParallelLookupsAllAnswer => {
                let _turn = self.at_once.try_acquire()?;
                sleep(Duration::from_millis(50)).await;
            }
            Breaks::CallsLeaveNothingBehind => {
                let number = self.lookups.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number % 4 == 3 {
                    std::thread::spawn(|| std::thread::sleep(Duration::from_secs(3600)));
                }
            }
            _ => {}
        }
        outcome
    }
}

fn stranger() -> Peer {
    Peer::new(Endpoint::new([198, 51, 100, 1].into(), 1).unwrap_or_else(|| unreachable!("1 is a port")))
}

fn again_with_another_port(what: &mut Announcement) {
    let known = memory::board(&what.locator).endpoints;
    let again = what.endpoints.iter().filter(|endpoint| known.contains(endpoint));
    let others = again
        .filter_map(|endpoint| Endpoint::new(endpoint.ip()?, endpoint.port().wrapping_add(1)))
        .collect::<Vec<_>>();
    what.endpoints.extend(others);
}
