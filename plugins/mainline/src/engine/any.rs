use std::net::SocketAddr;
use std::pin::Pin;

use bitboot_plugin_api::Result;
use futures_lite::Stream;

use super::crate_engine::MainlineCrate;
use super::own_engine::OwnEngine;
use super::{Answers, Engine, Facts, InfoHash, Item, Seed, Setup, Untaken};
use crate::config::EngineName;

/// The engine that the configuration names.
pub(crate) enum AnyEngine {
    Own(OwnEngine),
    Crate(Box<MainlineCrate>),
}

type Boxed<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// The same call on either engine.
macro_rules! either {
    ($engine:expr, $inner:ident => $call:expr) => {
        match $engine {
            AnyEngine::Own($inner) => $call,
            AnyEngine::Crate($inner) => $call,
        }
    };
}

impl Engine for AnyEngine {
    async fn start(setup: Setup) -> Result<Self> {
        Ok(match setup.which {
            EngineName::Own => Self::Own(OwnEngine::start(setup).await?),
            EngineName::Crate => Self::Crate(Box::new(MainlineCrate::start(setup).await?)),
        })
    }

    async fn announce(&self, hash: InfoHash, ports: &[Vec<u16>; 2]) -> Result<u32, Untaken> {
        either!(self, engine => engine.announce(hash, ports).await)
    }

    fn lookup(&self, hash: InfoHash) -> impl Stream<Item = Vec<SocketAddr>> + Send + Unpin + 'static {
        let found: Boxed<Vec<SocketAddr>> = either!(self, engine => Box::pin(engine.lookup(hash)));
        found
    }

    async fn items(
        &self,
        seed: &Seed,
    ) -> (impl Stream<Item = Item> + Send + Unpin + 'static, impl Future<Output = u32> + Send + 'static) {
        let both: (Boxed<Item>, Pin<Box<dyn Future<Output = u32> + Send>>) = either!(self, engine => {
            let (items, answered) = engine.items(seed).await;
            (Box::pin(items), Box::pin(answered))
        });
        both
    }

    fn refusal(&self) -> Option<std::io::Error> {
        either!(self, engine => engine.refusal())
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<u32, Untaken> {
        either!(self, engine => engine.put(seed, item, cas).await)
    }

    fn heals(&self) -> bool {
        either!(self, engine => engine.heals())
    }

    async fn keep(&self) -> Option<Vec<u8>> {
        either!(self, engine => engine.keep().await)
    }

    async fn entered(&self) {
        either!(self, engine => engine.entered().await);
    }

    async fn facts(&self) -> [Facts; 2] {
        either!(self, engine => engine.facts().await)
    }

    async fn ask_around(&self, enough: impl FnOnce(usize) -> usize + Send) -> Answers {
        either!(self, engine => engine.ask_around(enough).await)
    }
}
