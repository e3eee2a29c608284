use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::http;

use crate::url::is_here;

/// How requests are sent to one address. Connections are kept for the next one.
pub(crate) struct Http {
    agent: Agent,
    url: String,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is appended to the node's address, such as `/graphql`; empty for the address itself.
    pub(crate) path: String,
    /// JSON, for a POST; without it the request is a GET.
    pub(crate) body: Option<String>,
    pub(crate) limit: u64,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP (RFC 9110).
    pub status: u16,
    /// At most as many bytes as the request allows.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
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

impl Request {
    /// Asks for what lies at a path, for at most so many bytes.
    #[must_use]
    pub fn get(path: impl Into<String>, limit: u64) -> Self {
        Self { path: path.into(), body: None, limit }
    }

    /// Sends JSON to a path, and takes an answer of at most so many bytes.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<String>, limit: u64) -> Self {
        Self { path: path.into(), body: Some(body.into()), limit }
    }
}

impl Http {
    pub(crate) fn new(url: &str, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            // Nodes tell refusals with the status 400 or 500 and a body.
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent("bitboot");
        let config = if is_here(url) { config.proxy(None) } else { config };
        Self { agent: config.build().into(), url: url.trim_end_matches('/').to_owned() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, with credentials for the header `authorization` or for their place in the address.
    pub(crate) async fn send(&self, request: Request, login: Pass) -> Result<Answer, Failure> {
        let (agent, url) = (self.agent.clone(), login.put_into(&self.url) + &request.path);
        // The client blocks; its time-out ends it when nobody waits any more.
        let sent = tokio::task::spawn_blocking(move || send(&agent, &url, login.header.as_deref(), request));
        sent.await.unwrap_or_else(|_| Err(Failure::Silent("the plugin is being closed".into())))
    }
}

/// Credentials on their way.
#[derive(Default)]
pub(crate) struct Pass {
    pub(crate) header: Option<String>,
    pub(crate) key: Option<String>,
}

impl Pass {
    fn put_into(&self, url: &str) -> String {
        self.key.as_ref().map_or_else(|| url.to_owned(), |key| url.replace(crate::url::KEY, key))
    }
}

fn send(agent: &Agent, url: &str, login: Option<&str>, request: Request) -> Result<Answer, Failure> {
    let method = if request.body.is_some() { http::Method::POST } else { http::Method::GET };
    let mut head = http::Request::builder().method(method).uri(url);
    if request.body.is_some() {
        head = head.header("content-type", "application/json");
    }
    if let Some(login) = login {
        head = head.header("authorization", login);
    }
    let outcome = match request.body {
        Some(body) => agent.run(head.body(body).map_err(|_| Failure::bad_address())?),
        None => agent.run(head.body(()).map_err(|_| Failure::bad_address())?),
    };
    let mut response = outcome.map_err(Failure::from)?;
    let status = response.status().as_u16();
    match status {
        401 | 403 => return Err(Failure::Login),
        429 | 502..=504 => return Err(Failure::Silent("it has too much to do".into())),
        _ => {}
    }
    let body = response.body_mut().with_config().limit(request.limit).read_to_vec().map_err(Failure::from)?;
    Ok(Answer { status, body })
}

impl Failure {
    /// Whether asking again can help.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self, Self::Login | Self::TooLong)
    }

    /// Without the address, which may hold credentials.
    fn bad_address() -> Self {
        Self::Silent("its address is none".into())
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
            ureq::Error::BadUri(_) => Self::bad_address(),
            other => Self::Silent(other.to_string()),
        }
    }
}
