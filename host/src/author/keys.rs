use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_conformance::Signer;
use bitboot_plugin_api::{Error, ErrorKind, Result, Scheme, SignRequest};

use crate::keys::{KeyKind, Material};

/// Keys that nobody has ever used, one of each kind that is asked for, and gone with the process: a plugin on trial never gets near the
/// user's own.
#[derive(Debug, Default)]
pub(super) struct Throwaway(Mutex<BTreeMap<KeyKind, Arc<Material>>>);

impl Throwaway {
    fn key(&self, scheme: Scheme) -> Result<Arc<Material>> {
        let kind = KeyKind::of_scheme(scheme)
            .ok_or_else(|| Error::unsupported("this bitboot does not know how to sign like that"))?;
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(&kind) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(Material::generate(kind, |_| {}).map_err(refused)?);
        keys.insert(kind, Arc::clone(&key));
        Ok(key)
    }
}

impl Signer for Throwaway {
    fn sign(&self, what: &SignRequest) -> Result<Vec<u8>> {
        self.key(what.scheme)?.sign(what.scheme, &what.payload).map_err(refused)
    }

    fn public_key(&self, scheme: Scheme) -> Result<Vec<u8>> {
        Ok(Material::public_for(&self.key(scheme)?.public(), scheme))
    }
}

fn refused(error: crate::Error) -> Error {
    let mut told = Error::new(ErrorKind::Key, error.what);
    (told.why, told.fix) = (error.why, error.fix);
    told
}
