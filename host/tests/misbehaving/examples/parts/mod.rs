//! The parts of `export_plugin!`, one by one, so that each library can have one of them wrong.

/// Embeds a manifest where a host reads it without running the library.
macro_rules! manifest {
    ($file:literal) => {
        #[used]
        #[expect(unsafe_code, reason = "the section is found by its name")]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,.bitboot"))]
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".bitboot"))]
        static EMBEDDED: [u8; include_bytes!($file).len()] = *include_bytes!($file);
    };
}

/// Exports a magic.
macro_rules! magic {
    ($magic:expr) => {
        /// What a host reads first.
        #[expect(unsafe_code, reason = "the symbol is found by its name")]
        #[unsafe(no_mangle)]
        pub static BITBOOT_PLUGIN_MAGIC: bitboot_plugin_api::ffi::Magic = $magic;
    };
}

/// Exports a root that tells a manifest and makes no backend.
macro_rules! root {
    ($told:expr, $layout:ident) => {
        use bitboot_plugin_api::__border as border;

        /// What a host calls.
        #[expect(unsafe_code, reason = "the symbol is found by its name")]
        #[unsafe(no_mangle)]
        pub static BITBOOT_PLUGIN_ROOT: border::LibHeader =
            // SAFETY: `root` makes a `RootRef`.
            unsafe {
                border::LibHeader::from_constructor::<border::RootRef>(root, border::CheckTypeLayout::$layout)
            };

        extern "C" fn root() -> border::RootModuleResult {
            border::root(told, create)
        }

        extern "C" fn told() -> border::RStr<'static> {
            $told.into()
        }

        extern "C" fn create(
            kind: border::RStr<'_>,
            services: border::ServicesBox,
        ) -> border::RResult<border::CalleeBox, border::RVec<u8>> {
            border::create(&border::Kinds::default(), kind, services)
        }
    };
}
