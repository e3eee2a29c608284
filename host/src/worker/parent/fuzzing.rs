use std::sync::Arc;

use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{Error, Result};

use super::call;
use super::read::take_all;
use super::shared::{Shared, lock};
use crate::worker::talk::Stream;

/// What a worker says, in pieces, while two calls and a backend wait for it.
pub(crate) fn hear(pieces: &[u8]) {
    thread_local! {
        static RUNTIME: Option<tokio::runtime::Runtime> =
            tokio::runtime::Builder::new_current_thread().enable_all().build().ok();
    }
    RUNTIME.with(|runtime| {
        let Some(runtime) = runtime else { return };
        runtime.block_on(async {
            let shared = Arc::new(Shared::of_nobody());
            let mut inboxes = [0, 1].map(|backend| call::start(&shared, backend, "lookup", b"a call"));
            lock(&shared.desks).insert(0, Arc::new(Nobody));
            let mut stream = Stream::default();
            for piece in pieces.chunks(61) {
                stream.room().extend_from_slice(piece);
                if take_all(&mut stream, &shared).is_err() {
                    return;
                }
            }
            for inbox in &mut inboxes {
                let _ = tokio::time::timeout(std::time::Duration::ZERO, inbox.next()).await;
            }
        });
    });
}

struct Nobody;

impl Services for Nobody {
    fn request(&self, service: &str, _body: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unsupported(format!("nobody has a service `{service}`")))
    }
}
