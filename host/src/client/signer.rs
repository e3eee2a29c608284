use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bitboot_plugin_api::{Scheme, SignRequest};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Spend;
use crate::amount::Amount;
use crate::error::{Error, Kind, Result};
use crate::files::Locked;
use crate::keys::{Entry, Grant, KeyKind, KeyRing, how};
use crate::loader::{Asker, Signer};
use crate::paths::Paths;
use crate::registry::Registry;
use crate::state::{Asked, Audit, Spending};

/// Signs for backends what the user allows. The host cannot read what it signs: what is spent is what the plugin says, and no more than the
/// user has agreed to. A plugin that is granted a key is trusted to say it truly.
pub(crate) struct HostSigner {
    registry: Arc<Registry>,
    ring: Arc<KeyRing>,
    spending: Spending,
    audit: Audit,
    /// What the user has agreed to and is not signed away yet, by backend.
    agreed: Mutex<HashMap<String, Agreement>>,
    /// How many lines of the audit log have told what was refused, by backend.
    refused: Mutex<HashMap<String, u32>>,
}

/// The most refusals of a backend that one process writes down: one that asks on and on must not fill the disk.
const MAX_REFUSED: u32 = 100;

/// What is left of an agreement.
struct Agreement {
    fee: Amount,
    signatures: u32,
    signed: bool,
}

/// What was agreed to for one backend, until it is dropped.
pub(crate) struct Agreed {
    signer: Arc<HostSigner>,
    backend: String,
    /// Other processes spend there afterwards.
    _turn: Locked,
}

impl HostSigner {
    pub(super) fn new(paths: &Paths, registry: Arc<Registry>, ring: Arc<KeyRing>) -> Self {
        let (spending, audit) = (Spending::new(paths), Audit::new(paths));
        Self { registry, ring, spending, audit, agreed: Mutex::default(), refused: Mutex::default() }
    }

    pub(super) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Lets a backend sign away at most a fee, by so many signatures, for as long as the result is kept. `None` while another announcement
    /// spends there, of this process or of another one of this user.
    pub(super) fn agree(self: &Arc<Self>, spend: &Spend) -> Result<Option<Agreed>> {
        let mut agreed = self.agreed();
        if agreed.contains_key(&spend.backend) {
            return Ok(None);
        }
        let Some(turn) = self.spending.turn(&spend.backend)? else { return Ok(None) };
        let agreement = Agreement { fee: spend.fee.clone(), signatures: spend.signatures, signed: false };
        agreed.insert(spend.backend.clone(), agreement);
        Ok(Some(Agreed { signer: Arc::clone(self), backend: spend.backend.clone(), _turn: turn }))
    }

    /// Whether this process spends there now.
    pub(super) fn is_spending(&self, backend: &str) -> bool {
        self.agreed().contains_key(backend)
    }

    /// Takes the key of a backend out of its store, while a person may still be asked for a passphrase.
    pub(crate) fn unlock(&self, backend: &str, kinds: &[KeyKind]) -> Result<()> {
        for kind in kinds {
            if let Ok((name, entry)) = self.key(backend, *kind) {
                self.ring.unlock(&name, &entry)?;
            }
        }
        Ok(())
    }

    /// The key that a backend uses: the one that its entry names, else the default one.
    pub(crate) fn key(&self, backend: &str, kind: KeyKind) -> Result<(String, Entry)> {
        let index = self.ring.index()?;
        let named =
            self.registry.backends.get(backend).and_then(|entry| entry.value.as_ref().ok()?.key.clone());
        let name = named.or_else(|| index.default_of(kind).map(Into::into)).ok_or_else(|| {
            let what = format!("there is no {} key for backend \"{backend}\"", kind.word());
            Error::new(Kind::Key, what).fix(format!("make one: bitboot key new NAME --kind {}", kind.word()))
        })?;
        let entry = index.entry(&name)?.clone();
        if entry.kind != kind {
            let what = format!("backend \"{backend}\" wants a {} key, and \"{name}\" is none", kind.word());
            return Err(Error::new(Kind::Key, what)
                .fix(format!("name another: bitboot backend set {backend} --key NAME")));
        }
        Ok((name, entry))
    }

    fn granted(&self, asker: &Asker, scheme: Scheme) -> Result<(String, Entry)> {
        let kind = KeyKind::of_scheme(scheme)
            .ok_or_else(|| Error::new(Kind::Other, "this host knows no such scheme of signing"))?;
        if !asker.kinds.iter().any(|asked| asked == kind.word()) {
            let what = format!(
                "plugin \"{}\" does not ask for {} keys in its manifest, or may not have any",
                asker.plugin,
                kind.word()
            );
            return Err(Error::new(Kind::Other, what));
        }
        let (name, entry) = self.key(&asker.backend, kind)?;
        let what = format!("backend \"{}\" may not use the key \"{name}\"", asker.backend);
        let refused = Error::new(Kind::NeedsHuman, what).fix(how(&name, &asker.backend));
        match entry.grants.get(&asker.backend) {
            Some(grant) if grant.plugin == asker.plugin => Ok((name, entry)),
            Some(_) => Err(refused
                .because(format!("it was not granted while plugin \"{}\" served the backend", asker.plugin))),
            None => Err(refused),
        }
    }

    fn try_sign(&self, asker: &Asker, what: &SignRequest, noted: &mut Asked<'_>) -> Result<Vec<u8>> {
        let (name, entry) = self.granted(asker, what.scheme)?;
        // One at a time: two requests must not spend the same agreement.
        let mut agreed = self.agreed();
        let grant = entry.grants.get(&asker.backend).cloned().unwrap_or_default();
        let agreement = agreed.get_mut(&asker.backend);
        may_sign(&asker.backend, agreement.as_deref(), &grant)?;
        let fee = fee(what, agreement.as_deref().map(|left| &left.fee), &asker.backend)?;
        noted.fee = Some(fee.to_string());
        may_spend(asker, &fee)?;
        grant.allows(&name, &asker.backend, &fee)?;
        // Before it is counted: a store that is locked spends nothing.
        let material = self.ring.unlock(&name, &entry)?;
        if let Some(per_day) = grant.per_day.filter(|_| !fee.is_nothing()) {
            self.spending.count(&name, &asker.backend, &fee, &per_day)?;
        }
        if let Some(left) = agreement {
            left.fee = left.fee.minus(&fee).unwrap_or_else(|| Amount::nothing(left.fee.unit()));
            left.signatures -= 1;
            left.signed = true;
        }
        self.audit.write(noted)?;
        material.sign(what.scheme, &what.payload)
    }

    /// Whether one more refusal is written down.
    fn is_noted(&self, backend: &str) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let count = refused.entry(backend.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count <= MAX_REFUSED
    }

    fn agreed(&self) -> MutexGuard<'_, HashMap<String, Agreement>> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one more signature may be given at all, whatever it is said to spend: the host does not read what it signs, and one that is said
/// to spend nothing could spend everything. A key that was granted without limits has nothing to spend, says the user.
fn may_sign(backend: &str, agreement: Option<&Agreement>, grant: &Grant) -> Result<()> {
    let what = match agreement {
        Some(Agreement { signatures: 0, .. }) => {
            format!("backend \"{backend}\" has signed as often as was agreed to, and wants to sign once more")
        }
        None if grant.per_transaction.is_some() => {
            format!("backend \"{backend}\" wants to sign, and nobody has agreed to anything now")
        }
        _ => return Ok(()),
    };
    Err(Error::new(Kind::NeedsHuman, what))
}

/// What the user has forbidden the whole plugin.
fn may_spend(asker: &Asker, fee: &Amount) -> Result<()> {
    if asker.spends || fee.is_nothing() {
        return Ok(());
    }
    let what = format!("plugin \"{}\" may not spend anything", asker.plugin);
    let fix = format!("let it: spending = true in [plugins.{}.grants] of the registry", asker.plugin);
    Err(Error::new(Kind::NeedsHuman, what).fix(fix))
}

/// What a request spends, if that was agreed to. One that does not tell spends all that was.
fn fee(what: &SignRequest, agreed: Option<&Amount>, backend: &str) -> Result<Amount> {
    let told = what.fee.as_deref().map(str::parse::<Amount>).transpose()?;
    match (told, agreed) {
        (Some(fee), _) if fee.is_nothing() => Ok(fee),
        (Some(fee), Some(left)) if fee.is_within(left) => Ok(fee),
        (None, Some(left)) => Ok(left.clone()),
        (Some(fee), Some(left)) => Err(Error::new(
            Kind::NeedsHuman,
            format!("backend \"{backend}\" wants to spend {fee}, and {left} is left of what was agreed to"),
        )),
        (_, None) => Err(Error::new(
            Kind::NeedsHuman,
            format!("backend \"{backend}\" wants to spend, and nobody has agreed to anything now"),
        )),
    }
}

impl Agreed {
    /// Whether anything was signed under it: then it may be out, whatever became of who wanted it.
    pub(super) fn has_signed(&self) -> bool {
        self.signer.agreed().get(&self.backend).is_some_and(|left| left.signed)
    }
}

impl Signer for HostSigner {
    fn sign(&self, asker: &Asker, what: &SignRequest) -> Result<Vec<u8>> {
        let kind = KeyKind::of_scheme(what.scheme);
        let key = kind.and_then(|kind| self.key(&asker.backend, kind).ok()).map(|(name, _)| name);
        let scheme = format!("{:?}", what.scheme);
        let mut noted = Asked {
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            plugin: &asker.plugin,
            backend: &asker.backend,
            key: key.as_deref(),
            scheme: &scheme,
            purpose: &what.purpose,
            fee: what.fee.clone(),
            digest: HEXLOWER.encode(&Sha256::digest(&what.payload)),
            refused: None,
        };
        let signed = self.try_sign(asker, what, &mut noted);
        if let Err(error) = &signed
            && self.is_noted(&asker.backend)
        {
            noted.refused = Some(error.to_string());
            self.audit.write(&noted)?;
        }
        signed
    }

    fn public_key(&self, asker: &Asker, scheme: Scheme) -> Result<Vec<u8>> {
        let (_, entry) = self.granted(asker, scheme)?;
        Ok(entry.public_for(scheme))
    }
}

impl Drop for Agreed {
    fn drop(&mut self) {
        self.signer.agreed().remove(&self.backend);
    }
}

#[cfg(test)]
#[path = "tests/signer.rs"]
mod tests;
