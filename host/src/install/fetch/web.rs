use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::Opened;
use crate::error::{Error, Kind, Result};

/// How long a connection, and the first word of an answer, may take.
const FIRST_WORD: Duration = Duration::from_secs(20);
/// How long a whole file may take.
const WHOLE: Duration = Duration::from_secs(20 * 60);

/// What speaks HTTP; made when it is first needed.
#[derive(Default)]
pub(super) struct Web(OnceLock<Agent>);

impl Web {
    /// A file's bytes, and how many there are if the server says so; `None` where there is none.
    pub(super) fn open(&self, url: &str) -> Result<Option<Opened>> {
        // What a proxy or a redirection makes of an https: address stays https:.
        let secure = url.starts_with("https:");
        let request = self
            .0
            .get_or_init(agent)
            .get(url)
            .config()
            .https_only(secure)
            .max_redirects(if secure { 5 } else { 0 })
            .build();
        match request.call() {
            Ok(answer) => {
                let body = answer.into_body();
                let size = body.content_length();
                Ok(Some((Box::new(body.into_reader()), size)))
            }
            Err(ureq::Error::StatusCode(404 | 410)) => Ok(None),
            Err(error) => Err(Error::new(Kind::Unreachable, format!("{url} cannot be fetched"))
                .because(error)
                .fix("see whether the address is right and this machine is online")),
        }
    }
}

fn agent() -> Agent {
    let tls = TlsConfig::builder()
        // What this system trusts, and not a list from the day on which bitboot was built.
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("bitboot/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(FIRST_WORD))
        .timeout_recv_response(Some(FIRST_WORD))
        .timeout_global(Some(WHOLE));
    config.build().into()
}
