//! The host's side of the border: from a file to backends that can be called.

mod inspect;
mod library;
mod refusal;

pub use inspect::inspect;
pub use library::{Callee, Library, Running, Services};
pub use refusal::{Gate, Refusal};
