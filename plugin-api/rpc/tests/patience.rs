//! What a node may do to whom it is asked by: all of it ends soon, within its bounds, with an error that says what to do.

use std::time::{Duration, Instant};

use bitboot_plugin_api::{Error, ErrorKind};
use bitboot_rpc::testing::{Deed, Proxy, Reply, free_port};
use bitboot_rpc::{Endpoint, JsonRpc, Login, Patience, Request, Trouble, Words, read};
use serde_json::{Value, json};

const WORDS: Words = Words { node: "a node", silent: "is it running?", setting: "rpc=URL" };
const TRIES: usize = 3;

/// Longer than an answer takes on a busy machine, and what is waited for one that does not come.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(500);

fn endpoint(url: &str, timeout: Duration) -> Endpoint {
    Endpoint::new(url, Login::none(), Patience { timeout, retries: 2 }, WORDS)
}

/// A node that answers as a deed says, whatever is asked.
fn node(mut deed: impl FnMut(u64) -> Reply + Send + 'static) -> Proxy {
    let deed: Deed = Box::new(move |_, _, number| deed(number));
    Proxy::start(free_port(), deed)
}

fn said(answer: &Value) -> Reply {
    Reply::Status(200, answer.to_string().into_bytes())
}

async fn ask(proxy: &Proxy, timeout: Duration) -> Result<Value, Error> {
    let rpc = JsonRpc::new(endpoint(&proxy.url(), timeout)).warming_up_with(-28);
    read(rpc.ask("height", json!([])).await?)
}

#[tokio::test]
async fn whatever_a_node_does_ends_in_an_error_that_helps() {
    let lies: [(fn() -> Reply, ErrorKind); 8] = [
        (|| Reply::Close, ErrorKind::Unreachable),
        (|| Reply::Silence(Duration::from_secs(1)), ErrorKind::TimedOut),
        (|| Reply::Endless, ErrorKind::Integrity),
        (|| Reply::Status(200, b"{\"id\":0,".to_vec()), ErrorKind::Integrity),
        (|| Reply::Status(200, b"<html>".to_vec()), ErrorKind::Integrity),
        (|| said(&json!({ "id": 7, "result": 1 })), ErrorKind::Integrity),
        (|| Reply::Status(503, Vec::new()), ErrorKind::Unreachable),
        (|| Reply::Status(401, Vec::new()), ErrorKind::Config),
    ];
    for (number, (lie, kind)) in lies.into_iter().enumerate() {
        let proxy = node(move |_| lie());
        let started = Instant::now();
        let timeout = if kind == ErrorKind::TimedOut { SHORT } else { LONG };
        let error = ask(&proxy, timeout).await.unwrap_err();
        // Bytes without an end meet the bound or the time-out, whichever comes first.
        let either = number == 2 && error.kind == ErrorKind::TimedOut;
        assert!(error.kind == kind || either, "{number}: {error:?}");
        assert!(error.fix.is_some() && error.message.contains(&proxy.url()), "{number}: {error:?}");
        assert!(proxy.asked("") <= TRIES && started.elapsed() < Duration::from_secs(80), "{number}");
    }
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_is_refused_is_not() {
    let answer = json!({ "id": 0, "result": 5 });
    let early = json!({ "id": 0, "error": { "code": -28, "message": "loading" } });
    for first in [Reply::Close, Reply::Status(429, Vec::new()), said(&early)] {
        let (mut first, answer) = (Some(first), answer.clone());
        let proxy = node(move |_| first.take().unwrap_or_else(|| said(&answer)));
        assert_eq!((ask(&proxy, LONG).await.unwrap(), proxy.asked("height")), (json!(5), 2));
    }
    let proxy = node(move |_| said(&early));
    let error = ask(&proxy, LONG).await.unwrap_err();
    assert_eq!((error.kind, proxy.asked("")), (ErrorKind::Unreachable, TRIES));
    let refusal =
        json!({ "id": 0, "error": { "code": -5, "message": format!("no\u{1b}[2J{}", "x".repeat(5000)) } });
    let proxy = node(move |_| said(&refusal));
    let refused = JsonRpc::new(endpoint(&proxy.url(), LONG)).ask("height", json!([])).await.unwrap_err();
    assert!(matches!(&refused, Trouble::Refused(refusal) if refusal.code == -5));
    let why = Error::from(refused).why.unwrap();
    assert!(why.len() < 400 && !why.contains('\u{1b}') && proxy.asked("") == 1, "{why}");
}

#[tokio::test]
async fn answers_have_the_bound_of_their_question() {
    let proxy = node(|_| Reply::Status(200, vec![b' '; 1000]));
    let endpoint = endpoint(&proxy.url(), LONG);
    let answer = |limit| {
        let request = Request::get("/things", limit);
        let endpoint = endpoint.clone();
        async move { endpoint.ask(&request, |answer| Some(answer.body.len())).await }
    };
    assert_eq!(answer(1000).await.unwrap(), 1000);
    assert_eq!(answer(999).await.unwrap_err().kind, ErrorKind::Integrity);
    assert_eq!(proxy.asked("/things\n"), 2);
}

#[tokio::test]
async fn an_answer_to_another_question_is_told() {
    let proxy = node(|_| said(&json!({ "id": 0, "result": "x" })));
    let rpc = JsonRpc::new(endpoint(&proxy.url(), LONG));
    let answer = rpc.ask("height", json!([])).await.unwrap();
    assert_eq!(read::<u8>(answer).unwrap_err().kind, ErrorKind::Integrity);
}
