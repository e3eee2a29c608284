//! The frozen types of API 1. Nothing may be added to them: growth goes through messages and `extension`.
#![expect(unsafe_code, reason = "abi_stable's derives write the unsafe code that checks layouts")]
#![allow(
    non_local_definitions,
    clippy::pedantic,
    unreachable_pub,
    missing_docs,
    unused_qualifications,
    reason = "written by abi_stable's macros, which predate these lints"
)]

use std::ffi::c_void;

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_trait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RResult, RSlice, RStr, RVec};

/// Takes the events of one call: a kind (see `Kind`) and its body; answers with a `Flow`.
#[sabi_trait]
pub trait Sink: Send + Sync + 'static {
    fn event(&self, kind: u8, body: RSlice<'_, u8>) -> u8;
}

/// A call under way. Dropping it cancels the call.
#[sabi_trait]
pub trait Running: Send + Sync + 'static {
    fn is_running(&self) -> bool;
}

/// A backend of any kind: takes a `Call` and starts it.
#[sabi_trait]
pub trait Callee: Send + Sync + 'static {
    fn call(&self, call: RVec<u8>, sink: SinkBox) -> RunningBox;
}

/// What the host does for a plugin: takes a request by name and answers at once.
#[sabi_trait]
pub trait Services: Send + Sync + 'static {
    fn request(&self, service: RStr<'_>, body: RSlice<'_, u8>) -> RResult<RVec<u8>, RVec<u8>>;
}

pub type SinkBox = Sink_TO<RBox<()>>;
pub type RunningBox = Running_TO<RBox<()>>;
pub type CalleeBox = Callee_TO<RBox<()>>;
pub type ServicesBox = Services_TO<RBox<()>>;

/// What a plugin library exports: three functions for all of API 1.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef)))]
pub struct Root {
    /// The plugin's `plugin.toml`.
    pub manifest: extern "C" fn() -> RStr<'static>,
    /// A backend of a kind, not yet opened, or an encoded `Error`.
    pub create: extern "C" fn(RStr<'_>, ServicesBox) -> RResult<CalleeBox, RVec<u8>>,
    /// A pointer that an extension's own documentation explains, or null where it is not known.
    #[sabi(last_prefix_field)]
    pub extension: extern "C" fn(RStr<'_>) -> *const c_void,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}
    const BASE_NAME: &'static str = "bitboot_plugin";
    const NAME: &'static str = "bitboot_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
