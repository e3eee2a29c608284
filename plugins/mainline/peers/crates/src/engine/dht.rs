//! The crate `dht`: a thread of its own, which polls its socket, the more seldom the longer nothing came.

use std::net::SocketAddrV4;

use dht::async_dht::AsyncDht;
use dht::{Dht, Id, MutableItem, SigningKey};
use futures_util::{Stream, StreamExt};

use crate::args::Setup;
use crate::client::{Client, Hash, Item, Seed};

pub(crate) struct DhtCrate(AsyncDht);

impl Client for DhtCrate {
    fn start(setup: &Setup) -> Result<Self, String> {
        let mut builder = Dht::builder();
        builder.bootstrap(&setup.bootstrap).port(setup.port);
        if setup.node {
            builder.server_mode();
        }
        builder.build().map(|dht| Self(dht.as_async())).map_err(|error| error.to_string())
    }

    async fn bootstrapped(&self) -> bool {
        self.0.bootstrapped().await
    }

    async fn address(&self) -> Result<SocketAddrV4, String> {
        Ok(self.0.info().await.local_addr())
    }

    async fn peers(&self, hash: Hash) -> Result<impl Stream<Item = Vec<SocketAddrV4>> + Unpin, String> {
        Ok(self.0.get_peers(Id::from(hash)))
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
        let items = self.0.get_mutable(key.as_bytes(), None, None);
        Ok(items.map(|item| Item { seq: item.seq(), value: item.value().to_vec() }))
    }
}
