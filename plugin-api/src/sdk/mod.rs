//! What runs an author's async code inside the library: runtime, panic guard, cancellation, deadlines, the host's services.

mod call;
mod cx;
mod export;
mod found;
mod host;
mod instance;
mod runtime;

pub use call::Call;
pub use cx::{Cx, Progress};
pub use export::Kinds;
pub use found::{Found, Output, keep, say};
pub use host::{CacheEntry, Host, Level, LogLine};

pub(crate) use call::CallHandle;
pub(crate) use instance::Instance;
