//! The plain-C handshake that a host reads before it trusts any Rust type of a library.

/// The API major version that this crate speaks. A plugin of another major is refused.
pub const API_MAJOR: u32 = 1;

const TAG: [u8; 8] = *b"BITBOOT\0";

/// What a plugin exports as the static `BITBOOT_PLUGIN_MAGIC`. Its first 16 bytes never change, whatever the API's version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Magic {
    tag: [u8; 8],
    api_major: u32,
    api_minor: u32,
    abi_stable: [u8; 16],
    rustc: [u8; 32],
}

impl Magic {
    /// The magic of a plugin that is built against this crate.
    #[must_use]
    pub const fn current() -> Self {
        Self::of_api(API_MAJOR, 0)
    }

    /// The magic of a plugin of any API version: what a test's misfit exports.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_api(api_major: u32, api_minor: u32) -> Self {
        Self {
            tag: TAG,
            api_major,
            api_minor,
            abi_stable: text(b"0.11"),
            rustc: text(env!("BITBOOT_RUSTC").as_bytes()),
        }
    }

    /// Compares with what this crate is, in one sentence.
    #[cfg(feature = "host")]
    pub(super) fn refusal(&self) -> Option<String> {
        let ours = Self::current();
        if self.tag != TAG {
            return Some("its magic is not that of a bitboot plugin".into());
        }
        if self.api_major != API_MAJOR {
            return Some(format!("it speaks plugin API {}, this bitboot speaks {API_MAJOR}", self.api_major));
        }
        if self.abi_stable != ours.abi_stable {
            return Some(format!(
                "it was built with abi_stable {} (rustc {}), this bitboot with {}",
                shown(&self.abi_stable),
                shown(&self.rustc),
                shown(&ours.abi_stable)
            ));
        }
        None
    }
}

const fn text<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut to = [0; N];
    let mut at = 0;
    while at < from.len() && at < N {
        to[at] = from[at];
        at += 1;
    }
    to
}

#[cfg(feature = "host")]
fn shown(text: &[u8]) -> String {
    text.iter().take_while(|byte| byte.is_ascii_graphic()).map(|&byte| char::from(byte)).collect()
}
