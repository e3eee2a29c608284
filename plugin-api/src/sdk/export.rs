use super::instance::{Instance, Slot};
use super::{Host, Level};
use crate::ffi::inside::HostDoor;
use crate::{Backend, Error, Result};

/// The kinds of backend that a plugin has, by name: built by [`export_plugin!`](crate::export_plugin).
#[doc(hidden)]
#[derive(Default)]
pub struct Kinds(Vec<(&'static str, Maker)>);

type Maker = fn(Host) -> Result<Box<dyn Instance>>;

impl Kinds {
    /// With one more kind.
    #[must_use]
    pub fn with<B: Backend>(mut self) -> Self {
        self.0.push((B::KIND, Slot::<B>::boxed));
        self
    }

    pub(crate) fn create(&self, kind: &str, door: HostDoor) -> Result<Box<dyn Instance>> {
        let host = Host::new(door);
        let maker = self.0.iter().find(|(name, _)| *name == kind);
        let (_, maker) =
            maker.ok_or_else(|| Error::unsupported(format!("the plugin has no kind of backend `{kind}`")))?;
        log_panics(host.clone());
        maker(host)
    }
}

/// A panic belongs into the host's log, not in the middle of a table on the user's terminal.
fn log_panics(host: Host) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(move |panic| host.log(Level::Debug, format!("{panic}"))));
    });
}

/// Exports a plugin from a `cdylib` crate: its manifest and its kinds of backend.
///
/// ```text
/// bitboot_plugin_api::export_plugin! { manifest: "../plugin.toml", backends: [Local] }
/// ```
///
/// `manifest` is the path of `plugin.toml`, as `include_str!` takes it. Stop at one plugin a crate: the symbols are named for the border.
#[macro_export]
macro_rules! export_plugin {
    (manifest: $manifest:literal, backends: [$($backend:ty),+ $(,)?]) => {
        #[allow(unsafe_code, reason = "the border's symbols are found by their names")]
        const _: () = {
            use $crate::__border as border;

            const MANIFEST: &str = include_str!($manifest);

            #[unsafe(no_mangle)]
            pub static BITBOOT_PLUGIN_MAGIC: border::Magic = border::Magic::current();

            #[unsafe(no_mangle)]
            pub static BITBOOT_PLUGIN_ROOT: border::LibHeader =
                // SAFETY: `root` makes a `RootRef`.
                unsafe { border::LibHeader::from_constructor::<border::RootRef>(root, border::CheckTypeLayout::Yes) };

            // Read without running the library, see `inspect` of the host's side.
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,.bitboot"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".bitboot"))]
            static EMBEDDED: [u8; MANIFEST.len()] = *include_bytes!($manifest);

            extern "C" fn root() -> border::RootModuleResult {
                border::root(manifest, create)
            }

            extern "C" fn manifest() -> border::RStr<'static> {
                MANIFEST.into()
            }

            extern "C" fn create(
                kind: border::RStr<'_>,
                services: border::ServicesBox,
            ) -> border::RResult<border::CalleeBox, border::RVec<u8>> {
                border::create(&border::Kinds::default()$(.with::<$backend>())+, kind, services)
            }
        };
    };
}
