//! The host's side of the border: from a file to backends that can be called.

mod inspect;
mod library;
pub mod process;
mod reads;
mod refusal;

pub use inspect::{inspect, inspect_file, open};
pub use library::{Callee, Library, Running, Services};
pub use reads::Reads;
pub use refusal::{Gate, Refusal};
