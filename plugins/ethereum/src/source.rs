use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use bitboot_plugin_api::{Host, Result};
use bitboot_rpc::{Ear, Reader};
use tokio::time::Instant;

use crate::config::{EthereumConfig, Mode};
use crate::node::Node;
use crate::scan::{Find, Scan};
use crate::slots;

/// What one node has, read in the way that the backend is set to.
pub(crate) struct Source {
    node: Node,
    contract: Address,
    mode: Mode,
    scan: Scan,
}

/// One lookup of it.
pub(crate) struct Look {
    pub(crate) source: Arc<Source>,
    pub(crate) key: B256,
}

impl Reader for Look {
    type Find = (Address, Bytes);
    type End = ();

    async fn read(&self, ear: &Ear<Self>) -> Result<()> {
        ear.tell(self.source.values(self.key).await?).await;
        Ok(())
    }

    async fn known(&self) -> Vec<(Address, Bytes)> {
        values_of(self.source.scan.known(self.key).await)
    }

    fn answered(&self) -> Option<Instant> {
        self.source.node.answered()
    }
}

impl Source {
    pub(crate) fn new(
        number: usize,
        node: &Node,
        contract: Address,
        config: &EthereumConfig,
        host: &Host,
    ) -> Self {
        let scan = Scan::new(number, node.clone(), contract, config, host.clone());
        Self { node: node.clone(), contract, mode: config.mode, scan }
    }

    /// Keeps what has been read, for the next time.
    pub(crate) async fn keep(&self) {
        self.scan.save().await;
    }

    /// Who wrote what under a key, as the node says it.
    async fn values(&self, key: B256) -> Result<Vec<(Address, Bytes)>> {
        match self.mode {
            Mode::Event => Ok(values_of(self.scan.find(key).await?)),
            Mode::Storage => slots::read(&self.node, self.contract, key).await,
        }
    }
}

fn values_of(finds: Vec<Find>) -> Vec<(Address, Bytes)> {
    finds.into_iter().map(|find| (find.writer, find.value)).collect()
}
