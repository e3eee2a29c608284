//! The plugin's side of the border.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::library::RootModuleError;
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait};
use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, RSlice};

use super::types::{Callee, Callee_TO, Root, Running, Running_TO, RunningBox, SinkBox};
use super::{Flow, Kind};
use crate::sdk::{CallHandle, Instance, Kinds};
use crate::{Error, ErrorKind, message};

pub use super::types::{CalleeBox, RootRef, ServicesBox};
pub use abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
pub use abi_stable::std_types::{RResult, RStr, RVec};

/// The host's services, as the SDK calls them.
pub(crate) struct HostDoor(ServicesBox);

impl HostDoor {
    pub(crate) fn request(&self, service: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
        let answer: RResult<RVec<u8>, RVec<u8>> =
            self.0.request(RStr::from_str(service), RSlice::from_slice(body));
        match answer {
            ROk(answer) => Ok(answer.into_vec()),
            RErr(error) => Err(message::decode(error.as_slice()).unwrap_or_else(|unreadable| unreadable)),
        }
    }
}

/// The host's ear for one call.
pub(crate) struct Listener(SinkBox);

impl Listener {
    pub(crate) fn event(&self, kind: Kind, body: &[u8]) -> Flow {
        Flow::from_number(self.say(kind as u8, body))
    }

    pub(crate) fn say(&self, kind: u8, body: &[u8]) -> u8 {
        self.0.event(kind, RSlice::from_slice(body))
    }
}

/// The functions that `export_plugin!` hands over, to become the exported root.
pub(crate) type Manifest = extern "C" fn() -> RStr<'static>;
/// See [`Manifest`].
pub(crate) type Create = extern "C" fn(RStr<'_>, ServicesBox) -> RResult<CalleeBox, RVec<u8>>;

/// Makes the exported root.
pub fn root(manifest: Manifest, create: Create) -> RootModuleResult {
    let root = Root { manifest, create, extension: no_extension }.leak_into_prefix().to_prefix_ref();
    // SAFETY: the host casts it back to the `RootRef` whose layout it has compared before.
    #[expect(unsafe_code, reason = "the exported root has no type; its layout is checked by the host")]
    ROk::<_, RootModuleError>(unsafe { root.cast() })
}

extern "C" fn no_extension(_id: RStr<'_>) -> *const c_void {
    std::ptr::null()
}

/// Makes a backend of a kind for the host.
#[must_use]
pub fn create(kinds: &Kinds, kind: RStr<'_>, services: ServicesBox) -> RResult<CalleeBox, RVec<u8>> {
    let made = catch_unwind(AssertUnwindSafe(|| kinds.create(kind.as_str(), HostDoor(services))));
    match made {
        Ok(Ok(instance)) => ROk(Callee_TO::from_value(Door(Some(instance)), TD_Opaque)),
        Ok(Err(error)) => RErr(message::encode(&error).into()),
        Err(_) => {
            RErr(message::encode(&Error::new(ErrorKind::Panicked, "the plugin panicked in `create`")).into())
        }
    }
}

struct Door(Option<Box<dyn Instance>>);

impl Callee for Door {
    fn call(&self, call: RVec<u8>, sink: SinkBox) -> RunningBox {
        let listener = Listener(sink);
        let handle = catch_unwind(AssertUnwindSafe(|| {
            self.0.as_ref().map(|instance| instance.start(call.into_vec(), listener))
        }));
        Running_TO::from_value(Handle(handle.ok().flatten()), TD_Opaque)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // An author's `Drop` may panic or block: neither may reach the host's thread.
        if let Some(instance) = self.0.take() {
            let _ = catch_unwind(AssertUnwindSafe(|| instance.retire()));
        }
    }
}

struct Handle(Option<CallHandle>);

impl Running for Handle {
    fn is_running(&self) -> bool {
        self.0.as_ref().is_some_and(CallHandle::is_running)
    }
}
