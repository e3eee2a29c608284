//! What must hold whatever a gateway answers.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use bitboot_rpc::Answer;

use super::list::{CURSOR, MOST, page};
use super::{
    ANCHOR, Info, MOST_BLOCKS, Standing, anchor, data, json, refused, standing, text, there, winston,
};
use crate::base64url::encode;
use crate::spend::told;
use crate::transaction::Transaction;

/// The status and the body of an answer to each question that there is. The first byte is the status, of those that mean something.
pub fn answers(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = [200, 202, 208, 400, 404, 410, 500][usize::from(*first) % 7];
    let answer = Answer { status, body: body.to_vec() };
    if let Some(page) = page(&answer) {
        assert!(page.entries.len() <= MOST.into());
        assert!(page.entries.iter().all(|entry| entry.height.is_none_or(|height| height < MOST_BLOCKS)));
        assert!(page.next.is_none_or(|cursor| cursor.len() <= CURSOR));
    }
    let height = json::<Info>(&answer).map(|info| info.height);
    assert!(height.is_none_or(|height| status == 200 && height < MOST_BLOCKS));
    if let Some(Standing::Confirmed(height)) = standing(&answer) {
        assert!(status == 200 && height < MOST_BLOCKS);
    }
    if let Some(read) = json::<Transaction>(&answer) {
        assert!(status == 200 && read.id().len() <= body.len());
    }
    if let Some(anchor) = anchor(&answer) {
        assert!((1..=ANCHOR).contains(&anchor.len()));
    }
    assert_eq!(there(&answer).is_none(), matches!(status, 202 | 404));
    if let Some(data) = data(&answer) {
        assert_eq!(Some(encode(&data).as_str()), text(&answer));
    }
    if let Some(winston) = text(&answer).and_then(winston) {
        let amount = told(winston);
        let number = amount.trim_end_matches(" AR").replace('.', "");
        assert_eq!(number.parse(), Ok(winston));
    }
    let line = refused(status, text(&answer).unwrap_or_default()).to_string();
    assert!(line.chars().count() < 400 && !line.chars().any(char::is_control));
}
