//! One lookup of one node, as [`bitboot_rpc::gather`] reads it.

use std::sync::Arc;

use bitboot_plugin_api::{Author, Authored, Result};
use bitboot_rpc::Reader;
use tokio::time::Instant;

use crate::message::Place;
use crate::scan::Scan;

pub(crate) struct Look {
    pub(crate) scan: Arc<Scan>,
    pub(crate) place: Place,
}

/// Where it tells what it finds.
pub(crate) type Ear = bitboot_rpc::Ear<Look>;

/// Who wrote what, in whichever block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) author: [u8; 33],
    pub(crate) value: Vec<u8>,
}

impl Reader for Look {
    type Find = Told;
    type End = ();

    async fn read(&self, ear: &Ear) -> Result<()> {
        self.scan.look(&self.place, ear).await
    }

    fn answered(&self) -> Option<Instant> {
        self.scan.answered()
    }
}

impl Told {
    pub(crate) fn authored(self) -> Option<Authored> {
        Some(Authored::new(self.value, Author::new(&self.author)?))
    }
}
