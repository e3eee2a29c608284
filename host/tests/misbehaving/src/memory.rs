use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::{
    Announcement, Caps, Endpoint, Error, ErrorKind, Found, Locator, Peer, Query, Receipt, Result, Stores,
};

/// What is announced, shared by every backend of this library.
#[derive(Debug, Default, Clone)]
pub(crate) struct Board {
    pub(crate) endpoints: BTreeSet<Endpoint>,
    pub(crate) values: BTreeSet<Vec<u8>>,
}

/// The largest value in bytes.
pub(crate) const MAX_VALUE: u32 = 1000;

static BOARDS: LazyLock<Mutex<HashMap<Locator, Board>>> = LazyLock::new(Mutex::default);

fn boards() -> MutexGuard<'static, HashMap<Locator, Board>> {
    BOARDS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn caps() -> Caps {
    let mut caps = Caps::new(Stores::Values, 0);
    caps.max_value = MAX_VALUE;
    caps.withdraws = true;
    caps.reveals = "nobody learns anything".into();
    caps
}

pub(crate) fn announce(what: &Announcement) -> Result<Receipt> {
    if what.value.as_ref().is_some_and(|value| value.len() > MAX_VALUE as usize) {
        return Err(Error::new(ErrorKind::Refused, "the value is too large"));
    }
    let endpoints = endpoints(what);
    if endpoints.is_empty() && what.value.is_none() {
        return Err(Error::new(ErrorKind::Refused, "there is nothing to announce"));
    }
    let mut boards = boards();
    let board = boards.entry(what.locator.clone()).or_default();
    board.endpoints.extend(endpoints);
    board.values.extend(what.value.clone());
    Ok(Receipt::new(1, 1))
}

pub(crate) fn withdraw(what: &Announcement) -> Receipt {
    let (mut boards, endpoints) = (boards(), endpoints(what));
    let board = boards.entry(what.locator.clone()).or_default();
    board.endpoints.retain(|endpoint| !endpoints.contains(endpoint));
    board.values.retain(|value| Some(value) != what.value.as_ref());
    Receipt::new(1, 1)
}

pub(crate) fn board(locator: &Locator) -> Board {
    boards().get(locator).cloned().unwrap_or_default()
}

pub(crate) async fn lookup(query: &Query, found: &Found) -> Result<()> {
    tell(board(&query.locator), found).await
}

pub(crate) async fn tell(board: Board, found: &Found) -> Result<()> {
    for endpoint in board.endpoints {
        found.peer(Peer::new(endpoint)).await?;
    }
    for value in board.values {
        found.value(&value).await?;
    }
    Ok(())
}

fn endpoints(what: &Announcement) -> Vec<Endpoint> {
    let here = what.port.and_then(|port| Endpoint::new([127, 0, 0, 1].into(), port));
    here.into_iter().chain(what.endpoints.iter().cloned()).collect()
}
