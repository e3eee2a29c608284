use std::fmt;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Reading};
use crate::envelope::{many, one};
use crate::gather::Pulse;
use crate::http::{Answer, Request};

/// A node that speaks JSON-RPC 2.0.
#[derive(Clone)]
pub struct JsonRpc {
    endpoint: Endpoint,
    warming_up: Option<i64>,
}

/// What a node answers to a question that it does not like.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The number of the kind of refusal; what it means depends on the node.
    pub code: i64,
    /// In the node's words: the first 1000 letters.
    pub message: String,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum Trouble {
    /// The node understood it and refuses.
    Refused(Refusal),
    /// Everything else, told as it will be shown.
    Failed(Error),
}

/// The largest answer, unless a question is asked with [another limit](JsonRpc::ask_large).
const SMALL: u64 = 4 << 20;
/// The most of a node's words that is shown.
const LINE: usize = 300;
/// The most of them that is kept: of a batch that is refused as a whole each question gets a copy.
const MOST_SAID: usize = 1000;

impl JsonRpc {
    /// Over requests to one node.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, warming_up: None }
    }

    /// With the code of the refusal that says that the node is still starting: it is asked again.
    #[must_use]
    pub fn warming_up_with(mut self, code: i64) -> Self {
        self.warming_up = Some(code);
        self
    }

    /// The node's address, without credentials.
    #[must_use]
    pub fn url(&self) -> &str {
        self.endpoint.url()
    }

    /// When it answered last, for lookups that wait for it.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        self.endpoint.pulse()
    }

    /// Asks one question; the answer has at most 4 MiB.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn ask(&self, method: &str, params: Value) -> Result<Unread, Trouble> {
        self.ask_large(method, params, SMALL).await
    }

    /// The same with an answer of at most so many bytes.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn ask_large(&self, method: &str, params: Value, limit: u64) -> Result<Unread, Trouble> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        let request = Request::post("", body.to_string(), limit);
        let read = |answer: Answer| {
            let answer = one(&answer.body, 0)?;
            Some(if self.is_warming_up(&answer) { Reading::Later } else { Reading::Now(answer) })
        };
        let asked = self.endpoint.ask_until(&request, read).await;
        asked.map_err(Trouble::Failed)?.map_err(Trouble::Refused)
    }

    /// Asks several questions of one method at once; an answer for each, in their order, all of them together of at most so many bytes.
    ///
    /// # Errors
    /// Where the node does not answer; what it refuses stands in its place.
    pub async fn ask_all(
        &self,
        method: &str,
        params: &[Value],
        limit: u64,
    ) -> Result<Vec<Result<Unread, Refusal>>> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let question = |(id, params): (usize, &Value)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let body: Value = params.iter().enumerate().map(question).collect();
        let read = |answer: Answer| {
            let answers = many(&answer.body, params.len())?;
            let is_early = answers.iter().any(|answer| self.is_warming_up(answer));
            Some(if is_early { Reading::Later } else { Reading::Now(answers) })
        };
        let request = Request::post("", body.to_string(), limit);
        self.endpoint.ask_until(&request, read).await
    }

    fn is_warming_up(&self, answer: &Result<Unread, Refusal>) -> bool {
        answer.as_ref().is_err_and(|refusal| Some(refusal.code) == self.warming_up)
    }
}

/// A node's answer as it stands in its JSON. It is read as what was asked for and as nothing more general: in a [`Value`] eight hostile bytes
/// take more than six hundred.
#[derive(Debug, Clone)]
pub struct Unread(pub(crate) Box<RawValue>);

impl Unread {
    /// JSON as an answer; `None` for what is none.
    #[must_use]
    pub fn of(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// Whether it is `null`, with which many nodes say that there is none.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.get() == "null"
    }
}

/// An answer as what was asked for.
///
/// # Errors
/// [`ErrorKind::Integrity`] for anything else.
pub fn read<T: DeserializeOwned>(answer: Unread) -> Result<T> {
    let Unread(answer) = answer;
    serde_json::from_str(answer.get()).map_err(|error| {
        let why: String = error.to_string().chars().take(LINE).collect();
        Error::new(ErrorKind::Integrity, "the node's answer is not what was asked for")
            .because(why)
            .fix("is it the right kind of node? see it with: bitboot backend ping NAME")
    })
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) => error,
            Trouble::Refused(refusal) => Self::from(refusal),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(ErrorKind::Other, "the node refuses")
            .because(refusal.to_string())
            .fix("see how the node is: bitboot backend ping NAME")
    }
}

impl Refusal {
    pub(crate) fn cut(self) -> Self {
        Self { message: self.message.chars().take(MOST_SAID).collect(), ..self }
    }
}

/// One line of what the node said: it may be long, or a lie.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: String = self.message.chars().filter(|c| !c.is_control()).take(LINE).collect();
        write!(f, "{said} ({})", self.code)
    }
}
