//! Hides the layout of its types, which `abi_stable` would believe to fit.

#[macro_use]
mod parts;

manifest!("no_layout.toml");
magic!(bitboot_plugin_api::ffi::Magic::current());
root!(include_str!("no_layout.toml"), No);
