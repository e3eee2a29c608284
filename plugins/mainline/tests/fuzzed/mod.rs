//! What must hold whatever bytes come. `fuzz/` feeds it for as long as one likes, `tests/fuzz.rs` with its corpus and with chance.
#![allow(
    dead_code,
    unused_imports,
    reason = "each fuzz target is a program of its own and uses a part of this"
)]

mod items;
mod kept;
mod messages;
mod people;
mod play;
mod tape;
mod witness;

pub(crate) use items::item;
pub(crate) use kept::warm;
pub(crate) use messages::krpc;
pub(crate) use play::core;
