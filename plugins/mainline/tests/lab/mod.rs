//! A private DHT on loopback, run by the plugin's own action.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part of this")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::time::{Duration, Instant};

use bitboot_conformance::{Driver, Said, Stream, library};
use bitboot_plugin_api::{Announcement, Receipt};
use serde_json::{Value, json};

pub(crate) struct Lab {
    /// The DHT runs for as long as this is held.
    _running: Stream,
    /// What the action has told.
    pub(crate) told: Value,
}

impl Lab {
    pub(crate) async fn start(nodes: u16) -> Self {
        Self::of(json!({ "nodes": nodes })).await
    }

    pub(crate) async fn of(spec: Value) -> Self {
        let driver = open(json!({})).await;
        let mut running = driver.action("testnet", spec, Duration::from_secs(600));
        let Some(Said::Output(told)) = running.next().await else { panic!("the testnet says nothing") };
        Self { _running: running, told }
    }

    /// The hosts to start from.
    pub(crate) fn hosts(&self) -> Vec<String> {
        serde_json::from_value(self.told["bootstrap"].clone()).unwrap()
    }

    pub(crate) fn config(&self) -> Value {
        json!({ "bootstrap": self.told["bootstrap"], "bind": "127.0.0.1" })
    }
}

/// Announces until so many nodes have it. On a busy machine some answer too late to be counted, and are told again.
pub(crate) async fn announced(backend: &Driver, what: &Announcement, least: u32) -> Receipt {
    let start = Instant::now();
    loop {
        let receipt = backend.announce(what).await.unwrap();
        assert!(receipt.asked >= receipt.stored, "{receipt:?}");
        if receipt.stored >= least {
            return receipt;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "not at {least} nodes: {receipt:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// A backend of its own, with a node of its own.
pub(crate) async fn open(config: Value) -> Driver {
    Driver::open(&library("bitboot_mainline"), "mainline", config).await.unwrap()
}
