use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};

use crate::gather::Pulse;
use crate::http::{Answer, Failure, Http, Request};
use crate::login::Login;
use crate::url::shown;

/// One node. Copies share its connections.
#[derive(Clone)]
pub struct Endpoint {
    http: Arc<Http>,
    shown: Arc<str>,
    login: Arc<Login>,
    patience: Patience,
    words: Words,
    pulse: Pulse,
}

/// How long a node is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one answer.
    pub timeout: Duration,
    /// How often a question is asked again, at most ten times.
    pub retries: u8,
}

impl Patience {
    /// As settings have it: seconds for one answer, at least one, and how often it is asked again.
    #[must_use]
    pub fn of_settings(timeout_s: u16, retries: u8) -> Self {
        Self { timeout: Duration::from_secs(timeout_s.max(1).into()), retries }
    }
}

/// How users call what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// With its article, such as `a Bitcoin node`.
    pub node: &'static str,
    /// What to look at first where nobody answers, such as `is it running, with server=1?`.
    pub silent: &'static str,
    /// How the setting is changed, such as `rpc=http://HOST:PORT`.
    pub setting: &'static str,
}

/// The first pause before a question is asked again; it doubles.
const PAUSE: Duration = Duration::from_millis(150);
const MOST_RETRIES: u8 = 10;

impl Endpoint {
    /// A node at an address that was [checked](crate::check).
    #[must_use]
    pub fn new(url: &str, login: Login, patience: Patience, words: Words) -> Self {
        let (http, shown) = (Http::new(url, patience.timeout), shown(url.trim_end_matches('/')));
        let (http, login) = (Arc::new(http), Arc::new(login));
        Self { http, shown: shown.into(), login, patience, words, pulse: Pulse::default() }
    }

    /// Its address, without credentials.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// When it answered last what could be read, for lookups that wait for it.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Sends a request until there is an answer that can be read, a few times at most. The same bytes each time: what was carried out although
    /// its answer was lost has to be something that cannot be carried out twice, such as a signed transaction. `read` says `None` to what is no
    /// answer, and [`Reading::Later`] to a node that is still starting.
    ///
    /// # Errors
    /// Where nobody answers, not in time, or refuses the credentials; [`ErrorKind::Integrity`] for answers that are too long or unreadable.
    pub async fn ask<T>(&self, request: &Request, read: impl Fn(Answer) -> Option<T>) -> Result<T> {
        self.ask_until(request, |answer| read(answer).map(Reading::Now)).await
    }

    /// The same, for nodes that may say that they are still starting.
    pub(crate) async fn ask_until<T>(
        &self,
        request: &Request,
        read: impl Fn(Answer) -> Option<Reading<T>>,
    ) -> Result<T> {
        let mut pause = PAUSE;
        for left in (0..=self.patience.retries.min(MOST_RETRIES)).rev() {
            let failure = match self.once(request).await {
                Ok(answer) => match read(answer) {
                    Some(Reading::Now(answer)) => {
                        self.pulse.beat();
                        return Ok(answer);
                    }
                    Some(Reading::Later) => Failure::Silent("it is still starting".into()),
                    None => Failure::Unreadable,
                },
                Err(failure) => failure,
            };
            if left == 0 || !failure.may_pass() {
                return Err(self.told(&failure).await);
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause *= 2;
        }
        Err(self.told(&Failure::Unreadable).await)
    }

    async fn once(&self, request: &Request) -> Result<Answer, Failure> {
        self.http.send(request.clone(), self.login.pass(self.http.url()).await).await
    }

    async fn told(&self, failure: &Failure) -> Error {
        let url = self.url();
        let Words { node, silent, setting } = self.words;
        let another = format!("name another node: bitboot backend set NAME {setting}");
        match failure {
            Failure::TimedOut => {
                Error::new(ErrorKind::TimedOut, format!("the node at {url} did not answer in time"))
                    .fix("is it busy? give it more time: bitboot backend set NAME timeout_s=60")
            }
            Failure::Silent(why) => Error::new(ErrorKind::Unreachable, format!("no node answers at {url}"))
                .because(why)
                .fix(format!("{silent} name it: bitboot backend set NAME {setting}")),
            Failure::Login => Error::new(ErrorKind::Config, format!("the node at {url} {REFUSED}"))
                .because(self.login.source(self.http.url()).await)
                .fix(self.login.fix()),
            Failure::TooLong => Error::new(
                ErrorKind::Integrity,
                format!("the node at {url} answers with more than can be true"),
            )
            .fix(another),
            Failure::Unreadable => Error::new(
                ErrorKind::Integrity,
                format!("what answers at {url} is not {node}, or its answer was cut"),
            )
            .fix(another),
        }
    }
}

/// How a message ends about a node that wants other credentials, or none of ours: nothing is wrong with its chain.
const REFUSED: &str = "refuses the credentials";

/// Whether a check has failed for the credentials.
pub(crate) fn is_login(error: &Error) -> bool {
    error.kind == ErrorKind::Config && error.message.ends_with(REFUSED)
}

/// What an answer is worth.
pub(crate) enum Reading<T> {
    Now(T),
    /// Ask again.
    Later,
}
