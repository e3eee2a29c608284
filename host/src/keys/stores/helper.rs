use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::deadline::within;
use super::{Store, confidential};
use crate::error::{Error, Kind, Result};

/// The longest answer of a helper in bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// How long a helper that has answered may take to end.
const GOODBYE: Duration = Duration::from_secs(1);

/// A program of the user's that keeps secrets. It is started for each call, reads one line of JSON on stdin and writes one on stdout:
///
/// `{"v":1,"op":"get","key":"NAME"}` answered by `{"secret":"..."}` or `{}`, `{"v":1,"op":"put","key":"NAME","secret":"..."}` and
/// `{"v":1,"op":"delete","key":"NAME"}` by `{}`, `{"v":1,"op":"status"}` by `{"status":"..."}`. A failure is `{"error":"..."}`. A secret is a
/// text of letters, digits, `:`, `-` and `_`, to be given back as it is.
pub(super) struct Helper {
    words: Vec<String>,
    patience: Duration,
}

#[derive(Serialize)]
struct Request<'a> {
    v: u8,
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

/// Its secret is overwritten when it is dropped.
#[derive(Default, Deserialize)]
struct Answer {
    secret: Option<String>,
    status: Option<String>,
    error: Option<String>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Helper {
    pub(super) fn new(words: Vec<String>, patience: Duration) -> Self {
        Self { words, patience }
    }

    fn ask(&self, op: &'static str, key: Option<&str>, secret: Option<&SecretString>) -> Result<Answer> {
        let request = Request { v: 1, op, key, secret: secret.map(ExposeSecret::expose_secret) };
        let mut line = Zeroizing::new(Vec::with_capacity(2048));
        serde_json::to_writer(&mut *line, &request)
            .map_err(|error| Error::new(Kind::Key, "the key helper cannot be asked").because(error))?;
        line.push(b'\n');
        let mut child = self.start()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let answer = within(self.patience, move || {
            // A helper that reads nothing is judged by what it answers.
            let _ = stdin.map(|mut stdin| stdin.write_all(&line));
            let mut answer = Zeroizing::new(String::with_capacity(4096));
            let read = stdout.map(|stdout| BufReader::new(stdout.take(MAX_ANSWER)).read_line(&mut answer));
            read.transpose().map(|_| answer)
        });
        end(&mut child, answer.is_some());
        let late = || {
            Error::new(
                Kind::Key,
                format!("the key helper did not answer within {} s", self.patience.as_secs()),
            )
        };
        let text = answer.ok_or_else(late)?.map_err(|error| told(&self.words[0]).because(error))?;
        // What it said is not repeated: there may be a secret in it.
        let answer: Answer = serde_json::from_str(text.trim())
            .map_err(|_| told(&self.words[0]).because("it answered something else than one JSON object"))?;
        match &answer.error {
            Some(why) => Err(Error::new(Kind::Key, "the key helper refuses").because(why)),
            None => Ok(answer),
        }
    }

    fn start(&self) -> Result<Child> {
        let (program, words) = self.words.split_first().ok_or_else(|| {
            Error::new(Kind::Key, "no key helper is set")
                .fix("name a program: bitboot key stores --helper 'PROGRAM WORDS'")
        })?;
        let mut command = Command::new(program);
        // Its stderr could carry a secret into a log of ours.
        confidential().for_each(|variable| {
            command.env_remove(variable);
        });
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map_err(|error| told(program).because(error))
    }
}

fn told(program: &str) -> Error {
    Error::new(Kind::Key, format!("the key helper {program} failed"))
        .fix("try it by hand: it reads {\"v\":1,\"op\":\"status\"} on stdin")
}

/// A helper that has answered ends by itself; one that is late, or stays, is ended.
fn end(child: &mut Child, has_answered: bool) {
    let until = Instant::now() + if has_answered { GOODBYE } else { Duration::ZERO };
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    // It may have ended meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

impl Store for Helper {
    fn status(&self) -> Result<String> {
        let mut answer = self.ask("status", None, None)?;
        Ok(answer.status.take().unwrap_or_else(|| "it answers".into()))
    }

    fn get(&self, item: &str) -> Result<Option<SecretString>> {
        Ok(self.ask("get", Some(item), None)?.secret.as_deref().map(SecretString::from))
    }

    fn put(&self, item: &str, secret: &SecretString) -> Result<()> {
        self.ask("put", Some(item), Some(secret)).map(drop)
    }

    fn delete(&self, item: &str) -> Result<bool> {
        self.ask("delete", Some(item), None).map(|_| true)
    }
}
