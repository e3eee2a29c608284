//! From signed bytes to a transaction that is in the chain: the same bytes, again and again, until they are or cannot be any more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::{Error, ErrorKind, Host, Level, Result, message};
use bitboot_rpc::{Refusal, Trouble};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::time::{Instant, sleep, timeout_at};

use crate::node::{Node, State, each};
use crate::standing::{Standing, Takers, are_past, highest};
use crate::wire::{Signature, Transaction};

/// Hands transactions over, one at a time.
pub(crate) struct Delivery {
    nodes: Vec<Node>,
    host: Host,
}

/// A signed transaction, and until when it can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub(crate) id: Signature,
    bytes: Vec<u8>,
    /// The number of the last block in which it can be.
    last: u64,
    /// When it was signed, in seconds since 1970.
    signed: u64,
}

/// What became of a transaction.
enum End {
    /// So many nodes took it or know it.
    Confirmed(u32),
    /// It is in the chain and did nothing.
    Failed(String),
    /// No node took it, each for a reason of its own.
    Refused(Refusal),
    /// It is not in the chain and cannot come into it any more.
    Expired,
    /// Nobody knows yet; the last trouble.
    Open(Option<Error>),
}

/// The pause between two looks at what became of it, and between two times that it is handed over.
const LOOK: Duration = Duration::from_millis(400);
const AGAIN: Duration = Duration::from_secs(2);
/// So long before its deadline a call tells that it does not know.
const MARGIN: Duration = Duration::from_secs(1);
/// So many blocks long nodes know a blockhash.
const LIFE: u64 = 150;
/// No blockhash lives longer, whatever nodes say: some 150 blocks, of less than a second each.
const LONGEST: u64 = 600;
/// The name in the host's cache under which a transaction lies that is on its way.
const PENDING: &str = "pending";
const VERSION: u8 = 1;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Kept(u8, ByteBuf, u64, u64);

impl Delivery {
    pub(crate) fn new(nodes: Vec<Node>, host: Host) -> Self {
        Self { nodes, host }
    }

    /// Sends a transaction and waits until it is confirmed; how many nodes know of it.
    pub(crate) async fn deliver(&self, mut parcel: Parcel, deadline: Instant) -> Result<u32> {
        // The word of one node, by which it could be over at once.
        let end = deadline.checked_sub(MARGIN).unwrap_or(deadline);
        let height = timeout_at(end, highest(&self.nodes)).await.unwrap_or_default();
        parcel.last = parcel.last.max(height.saturating_add(LIFE));
        // Before it is out: whoever comes after a crash must know of it.
        self.host.cache_put(PENDING, &parcel.to_bytes()).await?;
        let end = self.push(&parcel, Sent::default(), deadline).await;
        let id = parcel.id;
        if !matches!(end, End::Open(_)) {
            self.forget().await;
        }
        match end {
            End::Confirmed(nodes) => Ok(nodes),
            End::Failed(why) => {
                let error = Error::new(ErrorKind::Refused, format!("the transaction {id} failed"));
                Err(error.because(why).fix("its fee is spent: see to the reason before you announce again"))
            }
            End::Refused(refusal) => Err(refused(&refusal)),
            End::Expired => Err(Error::new(
                ErrorKind::TimedOut,
                "the chain did not take the announcement in time",
            )
            .because("nothing was spent, and the transaction cannot be taken any more")
            .fix(
                "announce again; on a busy chain with a higher fee: bitboot backend set NAME priority=100000",
            )),
            End::Open(trouble) => {
                let error = trouble.unwrap_or_else(|| {
                    Error::new(ErrorKind::TimedOut, "the announcement is not confirmed yet")
                });
                Err(error.fix(format!(
                    "announce again in a minute: the transaction {id} is asked for first, and nothing else is signed before its time is over"
                )))
            }
        }
    }

    /// Sees what was on its way before to its end: two of one announcement must never be on their way together.
    pub(crate) async fn settle(&self, deadline: Instant) -> Result<()> {
        let Some(parcel) = self.host.cache_get(PENDING).await?.and_then(|bytes| Parcel::of_bytes(&bytes))
        else {
            return Ok(());
        };
        let id = parcel.id;
        let became = match self.push(&parcel, Sent::before(), deadline).await {
            End::Confirmed(_) => "is confirmed",
            End::Failed(_) => "failed",
            End::Refused(_) | End::Expired => "was not taken",
            End::Open(trouble) => {
                let what = format!("an earlier announcement is still on its way, as transaction {id}");
                let why =
                    trouble.map_or_else(|| "its time is not over".into(), |trouble| trouble.to_string());
                return Err(Error::new(ErrorKind::Conflict, what)
                    .because(why)
                    .fix("try again in a minute; where a node does not answer, in ten"));
            }
        };
        self.forget().await;
        self.host.log(Level::Info, format!("the earlier transaction {id} {became}"));
        Ok(())
    }

    async fn forget(&self) {
        // One that stays is looked at once more, and found to be at its end.
        let _ = self.host.cache_put(PENDING, &[]).await;
    }

    /// Until its end is known, or the time is over: also where no node answers in that time.
    async fn push(&self, parcel: &Parcel, mut sent: Sent, deadline: Instant) -> End {
        let deadline = deadline.checked_sub(MARGIN).unwrap_or(deadline);
        let mut open = None;
        match timeout_at(deadline, self.to_its_end(parcel, &mut sent, &mut open)).await {
            Ok(end) => end,
            Err(_) => End::Open(open.or(sent.trouble)),
        }
    }

    async fn to_its_end(&self, parcel: &Parcel, sent: &mut Sent, open: &mut Option<Error>) -> End {
        let mut again = Instant::now();
        loop {
            if Instant::now() >= again {
                self.send(parcel, sent).await;
                again = Instant::now() + AGAIN;
            }
            let mut standing = Standing::of(&self.nodes, parcel.id).await;
            if standing.is_nowhere(parcel.is_old()) && self.is_over(parcel).await {
                // It may have come in between both questions.
                standing = Standing::of(&self.nodes, parcel.id).await;
                if standing.is_nowhere(parcel.is_old()) {
                    return End::Expired;
                }
            }
            if let Some(why) = standing.failed(&sent.takers, parcel.is_old()) {
                return End::Failed(why.to_owned());
            }
            match standing.best {
                Some(State::Confirmed) => return End::Confirmed(sent.taken.max(1)),
                Some(State::Unknown) => {
                    if let Some(refusal) = sent.refusal.take_if(|_| sent.taken == 0 && !sent.unsure) {
                        return End::Refused(refusal);
                    }
                }
                Some(State::Seen | State::Failed(_)) | None => {}
            }
            *open = standing.failure.or(open.take());
            sleep(LOOK).await;
        }
    }

    async fn send(&self, parcel: &Parcel, sent: &mut Sent) {
        let bytes = parcel.bytes.clone();
        let outcomes = each(&self.nodes, |node| {
            let bytes = bytes.clone();
            async move { node.send(&bytes).await }
        });
        let mut taken = 0;
        for (number, outcome) in outcomes.await.into_iter().enumerate() {
            match outcome {
                Some(Ok(())) => {
                    taken += 1;
                    sent.takers.numbers.insert(number);
                }
                // It may be behind the node that told the block.
                Some(Err(Trouble::Refused(refusal))) if refusal.message.contains("Blockhash not found") => {
                    sent.unsure = true;
                }
                Some(Err(Trouble::Refused(refusal))) => sent.refusal = Some(refusal),
                None => sent.unsure = true,
                // The answer was lost, perhaps not the question.
                Some(Err(Trouble::Failed(error))) => {
                    sent.unsure = true;
                    sent.trouble = Some(error);
                }
            }
        }
        sent.taken = sent.taken.max(taken);
    }

    /// Whether the chain is past the last block that could have it.
    async fn is_over(&self, parcel: &Parcel) -> bool {
        parcel.is_old() || are_past(&self.nodes, parcel.last).await
    }
}

/// How handing over went so far.
#[derive(Default)]
struct Sent {
    /// The most nodes that took it at once.
    taken: u32,
    takers: Takers,
    /// Some may have taken it.
    unsure: bool,
    refusal: Option<Refusal>,
    trouble: Option<Error>,
}

impl Sent {
    /// Of one that was handed over by an earlier call, nobody remembers to whom.
    fn before() -> Self {
        let takers = Takers { may_be_more: true, ..Takers::default() };
        Self { unsure: true, takers, ..Self::default() }
    }
}

impl Parcel {
    /// `None` for a transaction without a signature.
    pub(crate) fn new(transaction: &Transaction, last: u64) -> Option<Self> {
        Some(Self { id: transaction.id()?, bytes: transaction.to_bytes(), last, signed: now() })
    }

    /// Whether no node can take it any more, by the clock here.
    fn is_old(&self) -> bool {
        now().abs_diff(self.signed) > LONGEST
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        message::encode(&Kept(VERSION, ByteBuf::from(self.bytes.clone()), self.last, self.signed))
    }

    /// What was kept, if this version wrote it.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let Kept(version, bytes, last, signed) = message::decode(bytes).ok()?;
        let transaction = Transaction::of_bytes(&bytes).filter(|_| version == VERSION)?;
        Some(Self { id: transaction.id()?, bytes: bytes.into_vec(), last, signed })
    }
}

/// The reasons of a node that a user can do something about.
fn refused(refusal: &Refusal) -> Error {
    let lacks =
        ["insufficient", "no record of a prior credit"].iter().any(|word| refusal.message.contains(word));
    if lacks {
        return Error::new(ErrorKind::Funds, "the wallet does not hold enough")
            .because(refusal.to_string())
            .fix("see it with: bitboot backend run NAME wallet");
    }
    Error::new(ErrorKind::Refused, "the node refuses the transaction")
        .because(refusal.to_string())
        .fix("nothing was spent: see what it costs now with --dry-run, and announce again")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
