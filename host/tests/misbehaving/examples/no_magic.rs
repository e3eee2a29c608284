//! Has a manifest and nothing else.

#[macro_use]
#[expect(unused_macros, reason = "what is not used is what is missing")]
mod parts;

manifest!("no_magic.toml");
