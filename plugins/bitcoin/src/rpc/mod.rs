//! JSON-RPC 2.0 to one node: credentials, time-outs, bounded answers, and trying again.

mod http;
mod login;

use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::BitcoinConfig;
use http::{Failure, Http};
use login::Login;

/// One node.
#[derive(Clone)]
pub(crate) struct Rpc {
    http: Arc<Http>,
    login: Arc<Login>,
    retries: u8,
}

/// What a node answers to a question that it does not like.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The node understood it and refuses.
    Refused(Refusal),
    /// Everything else, told as it will be shown.
    Failed(Error),
}

/// The node is still starting.
const WARMING_UP: i64 = -28;
/// The first pause before a question is asked again; it doubles.
const PAUSE: Duration = Duration::from_millis(150);
/// The largest answer to a question about one thing.
const SMALL: u64 = 4 << 20;
/// The largest answer with blocks or many transactions in it: a block of 4 MB is 8 MB in hexadecimal.
const LARGE: u64 = 40 << 20;

impl Rpc {
    pub(crate) fn new(url: &str, config: &BitcoinConfig, host: Host) -> Self {
        let http = Http::new(url, config.timeout());
        let login = Login::new(host, config.cookie.clone(), config.chain);
        Self { http: Arc::new(http), login: Arc::new(login), retries: config.retries.min(10) }
    }

    pub(crate) fn url(&self) -> &str {
        self.http.url()
    }

    /// Asks one question.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Trouble> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        let limit = if method == "getblock" || method == "getrawmempool" { LARGE } else { SMALL };
        self.patiently(&body, limit, |answer| one(answer, 0)).await?.map_err(Trouble::Refused)
    }

    /// Asks several questions of one method at once; an answer for each, in their order.
    pub(crate) async fn ask_all(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<Vec<Result<Value, Refusal>>> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let question = |(id, params): (usize, &Value)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let body: Value = params.iter().enumerate().map(question).collect();
        let outcome = self.patiently(&body, LARGE, |answer| many(answer, params.len())).await;
        outcome.map_err(Error::from)
    }

    /// Sends a body until there is an answer that can be read, a few times at most. The same bytes each time: what was carried out although
    /// its answer was lost is not carried out twice, for each transaction can be in a chain once.
    async fn patiently<T>(
        &self,
        body: &Value,
        limit: u64,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<T, Trouble>
    where
        T: Warming,
    {
        let body = body.to_string();
        let mut pause = PAUSE;
        for left in (0..=self.retries).rev() {
            let failure = match self.once(&body, limit).await {
                Ok(answer) => match read(answer) {
                    Some(answer) if left > 0 && answer.is_warming_up() => None,
                    Some(answer) => return Ok(answer),
                    None => Some(Failure::Unreadable),
                },
                Err(failure) => Some(failure),
            };
            if let Some(failure) = failure
                && (left == 0 || !failure.may_pass())
            {
                return Err(Trouble::Failed(self.told(&failure).await));
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause *= 2;
        }
        Err(Trouble::Failed(self.told(&Failure::Unreadable).await))
    }

    async fn once(&self, body: &str, limit: u64) -> Result<Value, Failure> {
        let answer = self.http.post(self.login.header().await, body.to_owned(), limit).await?;
        serde_json::from_slice(&answer).map_err(|_| Failure::Unreadable)
    }

    async fn told(&self, failure: &Failure) -> Error {
        let url = self.url();
        match failure {
            Failure::TimedOut => {
                Error::new(ErrorKind::TimedOut, format!("the node at {url} did not answer in time"))
                    .fix("is it busy? give it more time: bitboot backend set NAME timeout_s=60")
            }
            Failure::Silent(why) => Error::new(ErrorKind::Unreachable, format!("no node answers at {url}"))
                .because(why)
                .fix("is it running, with server=1? name it: bitboot backend set NAME rpc=http://HOST:PORT"),
            Failure::Login => {
                Error::new(ErrorKind::Config, format!("the node at {url} refuses the credentials"))
                    .because(self.login.source().await)
                    .fix(self.login.fix())
            }
            Failure::TooLong => Error::new(
                ErrorKind::Integrity,
                format!("the node at {url} answers with more than can be true"),
            )
            .fix("name another node: bitboot backend set NAME rpc=http://HOST:PORT"),
            Failure::Unreadable => Error::new(
                ErrorKind::Integrity,
                format!("what answers at {url} is no Bitcoin node, or its answer was cut"),
            )
            .fix("name another node: bitboot backend set NAME rpc=http://HOST:PORT"),
        }
    }
}

/// Answers that may say that the node is still starting.
trait Warming {
    fn is_warming_up(&self) -> bool;
}

impl Warming for Result<Value, Refusal> {
    fn is_warming_up(&self) -> bool {
        self.as_ref().is_err_and(|refusal| refusal.code == WARMING_UP)
    }
}

impl Warming for Vec<Result<Value, Refusal>> {
    fn is_warming_up(&self) -> bool {
        self.iter().any(Warming::is_warming_up)
    }
}

/// The answer to a question by its number.
fn one(mut answer: Value, id: usize) -> Option<Result<Value, Refusal>> {
    (answer.get("id")? == id).then_some(())?;
    if let Some(refusal) = answer.get_mut("error").filter(|error| !error.is_null()) {
        return serde_json::from_value(refusal.take()).ok().map(Err);
    }
    answer.get_mut("result").map(Value::take).map(Ok)
}

/// As many answers, which may come in any order.
fn many(answer: Value, count: usize) -> Option<Vec<Result<Value, Refusal>>> {
    let Value::Array(answers) = answer else {
        // A node that refuses the batch as a whole answers with one object.
        let refusal = one(answer, 0)?.err()?;
        return Some(vec![Err(refusal); count]);
    };
    let mut sorted: Vec<Option<Result<Value, Refusal>>> = vec![None; count];
    for answer in answers {
        let id = usize::try_from(answer.get("id")?.as_u64()?).ok()?;
        *sorted.get_mut(id)? = Some(one(answer, id)?);
    }
    sorted.into_iter().collect()
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) => error,
            Trouble::Refused(refusal) => Self::from(refusal),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = if refusal.code == WARMING_UP { ErrorKind::Unreachable } else { ErrorKind::Other };
        // What a node says may be long, or a lie: a line of it is enough.
        let said: String = refusal.message.chars().filter(|c| !c.is_control()).take(300).collect();
        Self::new(kind, "the node refuses").because(format!("{said} ({})", refusal.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_their_numbers_and_lies_are_none() {
        let answer = |id: usize, result: i64| json!({ "id": id, "result": result });
        let read = many(json!([answer(1, 11), answer(0, 10)]), 2).unwrap();
        assert_eq!(
            read.iter().map(|answer| answer.as_ref().unwrap().as_i64()).collect::<Vec<_>>(),
            [Some(10), Some(11)]
        );
        for lie in
            [json!([answer(0, 1)]), json!([answer(0, 1), answer(7, 1)]), json!(3), json!([1, 2]), json!({})]
        {
            assert!(many(lie.clone(), 2).is_none(), "{lie}");
        }
        assert!(one(json!({ "id": 1, "result": 1 }), 0).is_none());
        assert!(one(json!({ "id": 0, "error": { "code": -5, "message": "no" } }), 0).unwrap().is_err());
        assert!(one(json!({ "id": 0, "error": 7 }), 0).is_none());
    }
}
