//! A plugin in a process of its own: the same program started again as `bitboot __worker`, which opens the same library and speaks the
//! same frames over pipes. What the plugin does to its process it does not do to ours.

mod child;
mod parent;
mod program;
mod sandbox;
mod talk;

#[cfg(fuzzing)]
pub(crate) use parent::hear;
pub use parent::{Death, Events, NotStarted, Remote, Witness, Worker};
pub(crate) use parent::{exit_code, last_words};
pub use program::run_worker;
pub(crate) use program::scrub;
pub(crate) use sandbox::confine;
pub use sandbox::{Confine, InForce, Rule, State};
