#![expect(unsafe_code, reason = "loading foreign code: every step states what it relies on")]

use std::path::Path;
use std::sync::Arc;

use abi_stable::library::{AbiHeader, AbiHeaderRef};
use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, RResult, RSlice, RStr, RVec};

use super::{Gate, Refusal, inspect};
use crate::ffi::types::{self, CalleeBox, RootRef, RunningBox, Services_TO, Sink_TO};
use crate::ffi::{Flow, Kind, Magic};
use crate::{Error, message};

/// What a host does for its plugins. Called from the plugin's threads, so it must be quick or be called for something slow.
pub trait Services: Send + Sync + 'static {
    /// Answers a request by name: `log`, `cache_get`, `cache_put`. An unknown one is an [`ErrorKind::Unsupported`](crate::ErrorKind).
    ///
    /// # Errors
    /// What the plugin is to be told.
    fn request(&self, service: &str, body: &[u8]) -> crate::Result<Vec<u8>>;
}

/// An opened plugin library. It is never unloaded: its threads may still run.
#[derive(Clone, Copy)]
pub struct Library(RootRef);

impl Library {
    /// Opens a library, gate by gate; nothing of it runs before the gates that can be passed without running it.
    ///
    /// # Errors
    /// A [`Refusal`] that names the gate.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let embedded = inspect(path)?;
        Self::load(path, &embedded)
    }

    /// Loads a library whose manifest was read before, by [`inspect`], without running anything of it: the gates from the system's loader on.
    ///
    /// # Errors
    /// A [`Refusal`] that names the gate.
    pub fn load(path: &Path, embedded: &str) -> Result<Self, Refusal> {
        let library = Box::leak(Box::new(by_the_system(path)?));
        // SAFETY: the symbol is only read as bytes of a `Magic`, whose first 16 bytes never change and whose tag is checked first.
        let magic = unsafe { library.get::<*const Magic>(b"BITBOOT_PLUGIN_MAGIC\0") }.map_err(|_| {
            Refusal::new(Gate::Magic, "it is no bitboot plugin: it has no BITBOOT_PLUGIN_MAGIC")
        })?;
        // SAFETY: as above; statics of a library that is never unloaded live for ever.
        if let Some(refusal) = unsafe { &**magic }.refusal() {
            return Err(Refusal::new(Gate::Magic, refusal));
        }
        let opened = Self(root(library)?);
        if opened.manifest() != embedded {
            return Err(Refusal::new(
                Gate::Truth,
                "it says another thing of itself when it runs than in its manifest",
            ));
        }
        Ok(opened)
    }

    /// The plugin's `plugin.toml`, as the running library tells it.
    #[must_use]
    pub fn manifest(&self) -> &'static str {
        self.0.manifest()().as_str()
    }

    /// A backend of a kind, not yet opened.
    ///
    /// # Errors
    /// What the plugin answers, such as a kind that it does not have.
    pub fn create(&self, kind: &str, services: Arc<dyn Services>) -> crate::Result<Callee> {
        match self.0.create()(RStr::from_str(kind), Services_TO::from_value(Desk(services), TD_Opaque)) {
            ROk(callee) => Ok(Callee(callee)),
            RErr(error) => Err(message::decode(&error).unwrap_or_else(|unreadable| unreadable)),
        }
    }
}

fn by_the_system(path: &Path) -> Result<libloading::Library, Refusal> {
    // SAFETY: loading runs the library's constructors. The user has registered this file as a plugin; it was looked at before.
    let loaded = unsafe {
        #[cfg(unix)]
        {
            use libloading::os::unix;
            unix::Library::open(Some(path), unix::RTLD_NOW | unix::RTLD_LOCAL).map(libloading::Library::from)
        }
        #[cfg(not(unix))]
        libloading::Library::new(path)
    };
    loaded.map_err(|error| {
        // libloading's own text has no detail: that is in the source.
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Refusal::new(Gate::Load, format!("the system cannot load it ({cause})"))
    })
}

fn root(library: &'static libloading::Library) -> Result<RootRef, Refusal> {
    // SAFETY: the magic said that the plugin was exported by this crate's macro, which exports this symbol as a `LibHeader`; its first
    // part, an `AbiHeader`, is checked by `upgrade` before the rest is believed.
    let header = unsafe { library.get::<*const AbiHeader>(b"BITBOOT_PLUGIN_ROOT\0") }
        .map_err(|_| Refusal::new(Gate::Layout, "it is no bitboot plugin: it has no BITBOOT_PLUGIN_ROOT"))?;
    // SAFETY: `AbiHeaderRef` is a transparent reference to an `AbiHeader`, and the static lives for ever.
    let header = unsafe { std::mem::transmute::<*const AbiHeader, AbiHeaderRef>(*header) };
    let mismatch = |error: abi_stable::library::LibraryError| {
        Refusal::new(
            Gate::Layout,
            "its types are laid out for another version of the plugin API: it has to be rebuilt",
        )
        .with_detail(error.to_string())
    };
    let header = header.upgrade().map_err(mismatch)?;
    if header.layout().is_none() {
        // A library may leave its layout out, and abi_stable would then believe it.
        return Err(Refusal::new(
            Gate::Layout,
            "it hides the layout of its types, so it cannot be trusted to fit",
        ));
    }
    header.init_root_module::<RootRef>().map_err(mismatch)
}

struct Desk(Arc<dyn Services>);

impl types::Services for Desk {
    fn request(&self, service: RStr<'_>, body: RSlice<'_, u8>) -> RResult<RVec<u8>, RVec<u8>> {
        match self.0.request(service.as_str(), body.as_slice()) {
            Ok(answer) => ROk(answer.into()),
            Err(error) => RErr(message::encode::<Error>(&error).into()),
        }
    }
}

/// A backend behind the border.
pub struct Callee(CalleeBox);

impl Callee {
    /// Starts a call, an encoded [`Call`](crate::Call). `listen` is called with each event on the plugin's threads and must not block;
    /// events of unknown kinds are skipped. After `Done` or `Failed` nothing more comes.
    pub fn call(
        &self,
        call: Vec<u8>,
        listen: impl Fn(Kind, &[u8]) -> Flow + Send + Sync + 'static,
    ) -> Running {
        Running(self.0.call(call.into(), Sink_TO::from_value(Ear(listen), TD_Opaque)))
    }
}

struct Ear<F>(F);

impl<F: Fn(Kind, &[u8]) -> Flow + Send + Sync + 'static> types::Sink for Ear<F> {
    fn event(&self, kind: u8, body: RSlice<'_, u8>) -> u8 {
        let flow = match Kind::from_number(kind) {
            None => Flow::GoOn,
            Some(_) if body.len() > message::MAX => Flow::Stop,
            Some(kind) => (self.0)(kind, body.as_slice()),
        };
        flow as u8
    }
}

/// A call under way; dropping it cancels the call.
pub struct Running(RunningBox);

impl Running {
    /// Whether the plugin still works on it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }
}
