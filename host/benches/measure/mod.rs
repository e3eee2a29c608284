//! What the benchmarks share: many rounds of two things in turn, and a table that sets one against the other.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each benchmark is a program of its own and uses a part of this"
)]

mod plugin;
mod series;
mod sheet;
mod table;

pub use plugin::{NoServices, Plugin};
pub use series::Series;
pub use sheet::{Sheet, note};
pub use table::{Limit, Table};

/// `cargo bench` says `--bench`. Without it, as under `cargo test --benches`, each thing is done once, to see that it still can be.
pub fn is_smoke() -> bool {
    let said = |word: &str| std::env::args().any(|arg| arg == word);
    !said("--bench") || said("--test")
}

/// How many rounds: all of them, or one where nothing is measured.
pub fn rounds(all: u32) -> u32 {
    if is_smoke() { 1 } else { all }
}
