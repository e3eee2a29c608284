use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use ureq::Agent;

/// How a body is sent to one address. Connections are kept for the next question.
pub(super) struct Http {
    agent: Agent,
    url: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    TimedOut,
    /// Nobody is there, or the connection broke: the cause.
    Silent(String),
    /// The credentials are missing or wrong.
    Login,
    TooLong,
    Unreadable,
}

/// A node on this machine accepts at once, others within this time.
const CONNECT: Duration = Duration::from_secs(5);

impl Http {
    pub(super) fn new(url: &str, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            // Nodes tell refusals with the status 500 and a body.
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent("bitboot");
        let config = if is_here(url) { config.proxy(None) } else { config };
        Self { agent: config.build().into(), url: url.to_owned() }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a body and takes an answer of at most so many bytes.
    pub(super) async fn post(
        &self,
        login: Option<String>,
        body: String,
        limit: u64,
    ) -> Result<Vec<u8>, Failure> {
        let (agent, url) = (self.agent.clone(), self.url.clone());
        // The client blocks; its time-out ends it when nobody waits any more.
        let sent = tokio::task::spawn_blocking(move || send(&agent, &url, login.as_deref(), &body, limit));
        sent.await.unwrap_or_else(|_| Err(Failure::Silent("the plugin is being closed".into())))
    }
}

/// Whether the node is on this machine.
fn is_here(url: &str) -> bool {
    let rest = url.split("://").nth(1).unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host == "localhost"
        || rest.starts_with("[::1]")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn send(agent: &Agent, url: &str, login: Option<&str>, body: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut request = agent.post(url).header("content-type", "application/json");
    if let Some(login) = login {
        request = request.header("authorization", login);
    }
    let mut response = request.send(body).map_err(Failure::from)?;
    if matches!(response.status().as_u16(), 401 | 403) {
        return Err(Failure::Login);
    }
    if response.status().as_u16() == 503 {
        return Err(Failure::Silent("it has too much to do".into()));
    }
    response.body_mut().with_config().limit(limit).read_to_vec().map_err(Failure::from)
}

impl Failure {
    /// Whether asking again can help.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self, Self::Login | Self::TooLong)
    }
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::TimedOut,
            ureq::Error::BodyExceedsLimit(_) => Self::TooLong,
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Self::TimedOut,
            ureq::Error::Io(error) => Self::Silent(error.to_string()),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => Self::Unreadable,
            other => Self::Silent(other.to_string()),
        }
    }
}
