use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitboot_plugin_api::ffi::outside::{Library, Services, inspect};
use bitboot_plugin_api::{Error, Result};
use serde_json::Value;

use crate::backend;
use crate::foreign::Foreign;

/// A plugin's library and what a backend of it is opened with.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub library: PathBuf,
    pub kind: String,
    pub config: Value,
}

impl Plugin {
    pub fn new(library: &Path, kind: &str, config: Value) -> Self {
        Self { library: library.into(), kind: kind.into(), config }
    }

    /// From the file to a backend that can be asked, step by step as the host's loader does it.
    pub async fn open(&self) -> Result<Foreign> {
        let (path, kind) = (self.library.clone(), self.kind.clone());
        let created = tokio::task::spawn_blocking(move || -> Result<Foreign> {
            let library = Library::open(&path)?;
            // Read once more for the kinds that it names.
            inspect(&path)?;
            Foreign::new(library, &kind, Arc::new(NoServices))
        });
        let foreign = created.await??;
        backend::open(&foreign, &self.config).await?;
        Ok(foreign)
    }
}

/// A host that does nothing for its plugins.
pub struct NoServices;

impl Services for NoServices {
    fn request(&self, service: &str, _body: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unsupported(format!("a benchmark has no service `{service}`")))
    }
}
