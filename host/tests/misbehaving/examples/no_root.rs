//! Has a manifest and a magic, and nothing behind them.

#[macro_use]
#[expect(unused_macros, reason = "what is not used is what is missing")]
mod parts;

manifest!("no_root.toml");
magic!(bitboot_plugin_api::ffi::Magic::current());
