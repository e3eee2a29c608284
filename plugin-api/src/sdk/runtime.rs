use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::{Error, ErrorKind, Result};

/// The library's one runtime. Each shared library has its own copy of tokio's statics, so the host's runtime cannot be seen from here.
pub(super) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread().worker_threads(2).thread_name("bitboot-plugin").enable_all().build().ok()
    };
    RUNTIME.get_or_init(start).as_ref().ok_or_else(|| {
        Error::new(ErrorKind::Other, "the plugin could not start its threads")
            .fix("is the system out of threads?")
    })
}
