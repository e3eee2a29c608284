//! Speaks an API that is not yet written.

#[macro_use]
mod parts;

manifest!("other_major.toml");
magic!(bitboot_plugin_api::ffi::Magic::of_api(9, 0));
root!(include_str!("other_major.toml"), Yes);
