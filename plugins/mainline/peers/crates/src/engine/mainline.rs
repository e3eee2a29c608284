//! The crate `mainline`: a thread of its own, which looks for commands every 50 ms.

use std::net::SocketAddrV4;

use futures_util::{Stream, StreamExt};
use mainline::async_dht::AsyncDht;
use mainline::errors::PutQueryError;
use mainline::{Dht, Id, MutableItem, SigningKey};

use crate::args::Setup;
use crate::client::{Client, Hash, Item, Seed};

pub(crate) struct Mainline(AsyncDht);

impl Client for Mainline {
    fn start(setup: &Setup) -> Result<Self, String> {
        let mut builder = Dht::builder();
        builder.bootstrap(&setup.bootstrap).bind_address(setup.host).port(setup.port);
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
        let hash = Id::from(hash);
        match announce(self.0.clone(), hash, port).await? {
            // It asks for items (BEP 44), so among nodes that have none it gets no token; those of a search for peers it keeps.
            Err(PutQueryError::NoClosestNodes) => {
                self.0.get_peers(hash).for_each(|_| std::future::ready(())).await;
                announce(self.0.clone(), hash, port).await?.map_err(|error| error.to_string())
            }
            done => done.map_err(|error| error.to_string()),
        }
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<Hash, String> {
        let item = MutableItem::new(SigningKey::from_bytes(seed), &item.value, item.seq, None);
        let outcome = self.0.put_mutable(item, cas).await.map_err(|error| error.to_string())?;
        Ok(outcome.target.into())
    }

    async fn items(&self, seed: &Seed) -> Result<impl Stream<Item = Item> + Unpin, String> {
        let key = SigningKey::from_bytes(seed).verifying_key();
        let items = self.0.get_mutable(key.as_bytes(), None, None);
        Ok(items.map(|item| Item { seq: item.seq(), value: item.value().to_vec() }))
    }
}

/// In a task of its own, because it panics when nodes answer with an error that belongs to items, such as 301.
async fn announce(dht: AsyncDht, hash: Id, port: u16) -> Result<Result<(), PutQueryError>, String> {
    let done = tokio::spawn(async move { dht.announce_peer(hash, Some(port)).await.map(drop) });
    done.await.map_err(|error| error.to_string())
}
