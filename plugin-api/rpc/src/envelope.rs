//! What stands around the answers of JSON-RPC 2.0. The answers themselves are left as they are.

use std::fmt;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json_rpc::{Refusal, Unread};

#[derive(Deserialize)]
struct Envelope<'a> {
    id: usize,
    error: Option<Refusal>,
    #[serde(borrow, default, deserialize_with = "also_null")]
    result: Option<&'a RawValue>,
}

/// `null` is an answer, too; only a missing one is none.
fn also_null<'de, D: Deserializer<'de>>(result: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(result).map(Some)
}

impl Envelope<'_> {
    fn open(self) -> Option<Result<Unread, Refusal>> {
        match (self.error, self.result) {
            (Some(refusal), _) => Some(Err(refusal.cut())),
            (None, result) => result.map(|result| Ok(Unread(result.to_owned()))),
        }
    }
}

/// The answer to a question by its number.
pub(crate) fn one(body: &[u8], id: usize) -> Option<Result<Unread, Refusal>> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    (envelope.id == id).then_some(())?;
    envelope.open()
}

/// As many answers, which may come in any order.
pub(crate) fn many(body: &[u8], count: usize) -> Option<Vec<Result<Unread, Refusal>>> {
    if body.trim_ascii_start().first() != Some(&b'[') {
        // A node that refuses the batch as a whole answers with one object.
        let refusal = one(body, 0)?.err()?;
        return Some(vec![Err(refusal); count]);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let sorted = Batch(vec![None; count]).deserialize(&mut json).ok()?;
    json.end().ok()?;
    sorted.into_iter().collect()
}

/// A place for the answer to each question, by its number.
type Places = Vec<Option<Result<Unread, Refusal>>>;

/// Fills the places as the answers come in; no more are read than there are.
struct Batch(Places);

impl<'de> DeserializeSeed<'de> for Batch {
    type Value = Places;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Batch {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer for each question")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut answers: A) -> Result<Self::Value, A::Error> {
        while let Some(envelope) = answers.next_element::<Envelope<'_>>()? {
            let place = self.0.get_mut(envelope.id).filter(|place| place.is_none());
            let place =
                place.ok_or_else(|| serde::de::Error::custom("an answer to nothing that was asked"))?;
            *place = envelope.open();
        }
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::read;

    fn both(body: &str) -> Option<Vec<Result<Unread, Refusal>>> {
        many(body.as_bytes(), 2)
    }

    #[test]
    fn answers_are_read_by_their_numbers_and_lies_are_none() {
        let answers = both(r#" [{"id":1,"result":11},{"jsonrpc":"2.0","result":null,"error":null,"id":0}]"#);
        let answers: Vec<_> = answers.unwrap().into_iter().map(Result::unwrap).collect();
        assert!(answers[0].is_null() && !answers[1].is_null());
        assert_eq!(read::<i64>(answers[1].clone()).unwrap(), 11);
        for lie in [
            r#"[{"id":0,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":7,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":0,"result":1},{"id":1,"result":1}]"#,
            r#"[{"id":0,"result":1},{"id":1}]"#,
            r#"[{"id":0,"result":1},{"id":1,"result":1}] x"#,
            r#"[{"id":0,"result":1},{"id":1,"result":1}"#,
            r#"{"id":0,"result":1}"#,
            "[1,2]",
            "3",
            "{}",
            "",
        ] {
            assert!(both(lie).is_none(), "{lie}");
        }
    }

    #[test]
    fn a_refusal_is_for_its_question_or_for_all() {
        let refusal = json!({ "id": 0, "error": { "code": -5, "message": "no" } }).to_string();
        assert_eq!(one(refusal.as_bytes(), 0).unwrap().unwrap_err().code, -5);
        assert!(one(refusal.as_bytes(), 1).is_none());
        assert!(both(&refusal).unwrap().iter().all(Result::is_err));
        let long = json!({ "id": 0, "error": { "code": 1, "message": "no".repeat(1 << 20) } }).to_string();
        let refused = many(long.as_bytes(), 100).unwrap();
        assert!(refused.iter().all(|answer| answer.as_ref().is_err_and(|said| said.message.len() == 1000)));
        for lie in [json!({ "id": 0, "error": 7 }), json!({ "id": 0 }), json!({ "id": null, "result": 1 })] {
            assert!(one(lie.to_string().as_bytes(), 0).is_none(), "{lie}");
        }
    }

    #[test]
    fn what_nobody_asked_for_is_not_read() {
        // As a tree of values this takes some 600 MB.
        let flood = format!(r#"[{}{{"":0}}]"#, r#"{"":0},"#.repeat(1 << 20));
        assert!(both(&flood).is_none());
        let answer = one(format!(r#"{{"id":0,"result":{flood}}}"#).as_bytes(), 0).unwrap().unwrap();
        assert!(read::<Vec<String>>(answer).is_err());
    }
}
