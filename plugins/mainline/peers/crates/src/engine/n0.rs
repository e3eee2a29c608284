//! The crate `n0-mainline`: a tokio task.

use std::net::SocketAddrV4;

use futures_util::{Stream, StreamExt};
use n0_mainline::{Dht, Id, MutableItem, SigningKey};

use crate::args::Setup;
use crate::client::{Client, Hash, Item, Seed};

pub(crate) struct N0(Dht);

impl Client for N0 {
    fn start(setup: &Setup) -> Result<Self, String> {
        let mut builder = Dht::builder();
        builder.bootstrap(&setup.bootstrap).port(setup.port);
        if setup.node {
            builder.server_mode();
        }
        builder.build().map(Self).map_err(|error| error.to_string())
    }

    async fn bootstrapped(&self) -> bool {
        self.0.bootstrapped().await.unwrap_or(false)
    }

    async fn address(&self) -> Result<SocketAddrV4, String> {
        self.0.info().await.map(|info| info.local_addr()).map_err(|error| error.to_string())
    }

    async fn peers(&self, hash: Hash) -> Result<impl Stream<Item = Vec<SocketAddrV4>> + Unpin, String> {
        self.0.get_peers(Id::from(hash)).await.map_err(|error| error.to_string())
    }

    async fn announce(&self, hash: Hash, port: u16) -> Result<(), String> {
        let dht = self.0.clone();
        // As with `mainline`, an error that belongs to items panics.
        let done = tokio::spawn(async move { dht.announce_peer(Id::from(hash), Some(port)).await });
        done.await.map_err(|error| error.to_string())?.map(drop).map_err(|error| error.to_string())
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<Hash, String> {
        let item = MutableItem::new(&SigningKey::from_bytes(seed), &item.value, item.seq, None);
        let target = self.0.put_mutable(item, cas).await.map_err(|error| error.to_string())?;
        Ok(target.into())
    }

    async fn items(&self, seed: &Seed) -> Result<impl Stream<Item = Item> + Unpin, String> {
        let key = SigningKey::from_bytes(seed).verifying_key();
        let items =
            self.0.get_mutable(key.as_bytes(), None, None).await.map_err(|error| error.to_string())?;
        Ok(items.map(|item| Item { seq: item.seq(), value: item.value().to_vec() }))
    }
}
