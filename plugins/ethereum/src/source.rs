use alloy_primitives::{Address, B256, Bytes};
use bitboot_plugin_api::{Host, Result};

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
    pub(crate) async fn values(&self, key: B256) -> Result<Vec<(Address, Bytes)>> {
        match self.mode {
            Mode::Event => Ok(values_of(self.scan.find(key).await?)),
            Mode::Storage => slots::read(&self.node, self.contract, key).await,
        }
    }

    /// What was read so far of a node that was not read to the end.
    pub(crate) async fn known(&self, key: B256) -> Vec<(Address, Bytes)> {
        values_of(self.scan.known(key).await)
    }
}

fn values_of(finds: Vec<Find>) -> Vec<(Address, Bytes)> {
    finds.into_iter().map(|find| (find.writer, find.value)).collect()
}
