use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    /// Where more endpoints are, one a line, in a file for each locator.
    more: Option<PathBuf>,
    exhausted: AtomicBool,
    lookups: AtomicU32,
}

/// What is broken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CarelessConfig {
    breaks: Breaks,
    /// Where more endpoints are, one a line, in a file for each locator.
    more: Option<PathBuf>,
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
    QuoteCoversTheCost,
    HealthIsToldOrUnsupported,
    SavingWorks,
    StoppedCallEnds,
    CancelledCallLetsGo,
    SlowListenerLosesNothing,
    ParallelLookupsAllAnswer,
    OddValuesCauseNoPanic,
    FloodOfCallsIsSurvived,
    NoiseOfStrangersIsPassedOver,
    StandardOutputIsLeftAlone,
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
        let at_once = Semaphore::new(if breaks == Breaks::FloodOfCallsIsSurvived { 100 } else { 4 });
        Ok(Self { breaks, at_once, more: config.more, exhausted: false.into(), lookups: 0.into() })
    }

    fn caps(&self) -> Caps {
        let mut caps = memory::caps();
        caps.source_bound = self.breaks == Breaks::ForeignAddressIsNotPublishedAsOurs;
        caps.paid = self.breaks == Breaks::QuoteCoversTheCost;
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
            Breaks::OddValuesCauseNoPanic => {
                let _ = what.ttl_s.checked_add(1).expect("nobody lives that long");
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
        Ok(match self.breaks {
            Breaks::AnnouncedPeerIsFound => Receipt::new(0, 1),
            Breaks::QuoteCoversTheCost => receipt.with_fee("2 EUR"),
            _ => receipt,
        })
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        if self.breaks == Breaks::WithdrawnPeerIsGone {
            return Ok(Receipt::new(1, 1));
        }
        Ok(memory::withdraw(&what))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let Board { mut endpoints, values } = memory::board(&query.locator);
        endpoints.extend(self.more(&query)?);
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
            _ => self.tell_and_leave_behind(Board { endpoints, values }, &found).await,
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
        quote.fee =
            matches!(self.breaks, Breaks::QuoteIsGiven | Breaks::QuoteCoversTheCost).then(|| "1 EUR".into());
        quote.test_network = self.breaks == Breaks::QuoteCoversTheCost;
        quote.readers = "nobody".into();
        Ok(quote)
    }

    #[expect(clippy::print_stdout, reason = "that is how it misbehaves")]
    async fn health(&self, _cx: Cx) -> Result<Health> {
        if self.breaks == Breaks::StandardOutputIsLeftAlone {
            println!("all is well");
        }
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
    /// What strangers left; one who is careless believes that it was left well.
    fn more(&self, query: &Query) -> Result<Vec<Endpoint>> {
        let Some(folder) = &self.more else { return Ok(Vec::new()) };
        let bytes = std::fs::read(folder.join(query.locator.to_hex())).unwrap_or_default();
        if self.breaks == Breaks::NoiseOfStrangersIsPassedOver {
            return Ok(std::str::from_utf8(&bytes)?.lines().map(str::parse).collect::<Result<_, _>>()?);
        }
        Ok(String::from_utf8_lossy(&bytes).lines().filter_map(|line| line.parse().ok()).collect())
    }

    async fn tell_and_leave_behind(&self, board: Board, found: &Found) -> Result<()> {
        let is_empty = board.endpoints.is_empty() && board.values.is_empty();
        let outcome = memory::tell(board, found).await;
        match self.breaks {
            Breaks::StoppedCallEnds if outcome.is_err() => sleep(Duration::from_secs(3600)).await,
            Breaks::CancelledCallLetsGo if is_empty => {
                let clings = Clings;
                sleep(Duration::from_millis(20)).await;
                std::mem::forget(clings);
            }
            // Who asks for too much at once gets nothing any more.
            Breaks::FloodOfCallsIsSurvived => {
                let turn = self.at_once.try_acquire();
                self.exhausted.fetch_or(turn.is_err(), Ordering::Relaxed);
                sleep(Duration::from_millis(20)).await;
                if self.exhausted.load(Ordering::Relaxed) {
                    return Err(Error::new(ErrorKind::Other, "it is all too much"));
                }
            }
            Breaks::ParallelLookupsAllAnswer => {
                let _turn = self.at_once.try_acquire()?;
                sleep(Duration::from_millis(50)).await;
            }
            Breaks::CallsLeaveNothingBehind => {
                let number = self.lookups.fetch_add(1, Ordering::Relaxed);
                if number % 4 == 3 {
                    std::thread::spawn(|| std::thread::sleep(Duration::from_secs(3600)));
                }
            }
            _ => {}
        }
        outcome
    }
}

/// What is dropped with a call that is cancelled, and takes its time for it.
struct Clings;

impl Drop for Clings {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_secs(2));
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
