//! Says another thing of itself when it runs than in its manifest.

#[macro_use]
mod parts;

manifest!("liar.toml");
magic!(bitboot_plugin_api::ffi::Magic::current());
root!("name = \"bank\"", Yes);
