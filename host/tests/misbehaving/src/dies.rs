use bitboot_plugin_api::{Announcement, Backend, Caps, Cx, Error, Found, Host, Query, Receipt, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Ends the whole process in `lookup`. Never to be called in the process of a test.
pub(crate) struct Dies(How);

/// How the process ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiesConfig {
    by: How,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    Abort,
    Exit,
    Segfault,
    StackOverflow,
    /// Takes memory until there is none.
    Memory,
}

impl Backend for Dies {
    const KIND: &'static str = "dies";
    type Config = DiesConfig;

    async fn open(config: DiesConfig, _host: Host) -> Result<Self> {
        Ok(Self(config.by))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only dies"))
    }

    async fn lookup(&self, _query: Query, _found: Found) -> Result<()> {
        match self.0 {
            How::Abort => std::process::abort(),
            How::Exit => exit(),
            How::Segfault => segfault(),
            How::StackOverflow => {
                std::hint::black_box(deeper(0));
            }
            How::Memory => take_all_memory(),
        }
        Ok(())
    }
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "that is how it misbehaves")]
fn exit() {
    std::process::exit(0);
}

#[expect(unsafe_code, reason = "that is how it misbehaves")]
fn segfault() {
    // SAFETY: there is none.
    unsafe { std::ptr::dangling_mut::<u64>().write_volatile(1) }
}

#[expect(unconditional_recursion, reason = "that is how it misbehaves")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box([depth; 100]);
    deeper(depth + 1) + 1
}

fn take_all_memory() {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&taken);
    }
}
