//! What tells an announcement from all else on Arweave: its tags.

use bitboot_plugin_api::Locator;

use crate::base64url::{Base64Url, encode};
use crate::transaction::{Tag, sha256};

/// What the locator decides, and by which readers ask: a hash, for the locator itself is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Topic(pub(crate) [u8; 32]);

/// The name of the tag that says which program wrote it.
pub(crate) const APP: &str = "App-Name";
/// Its value.
pub(crate) const OURS: &str = "bitboot";
/// The name of the tag with the topic.
pub(crate) const KEY: &str = "Bitboot-Key";
/// The form of what is written, for readers to come.
const VERSION: (&str, &str) = ("App-Version", "1");

impl Topic {
    pub(crate) fn of(locator: &Locator) -> Self {
        Self(sha256(&[b"bitboot/1 arweave", locator.as_bytes()].concat()))
    }

    /// The value of its tag.
    pub(crate) fn text(&self) -> String {
        encode(&self.0)
    }

    /// The tags of an announcement.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        let tag = |name: &str, value: &str| Tag {
            name: Base64Url(name.as_bytes().to_vec()),
            value: Base64Url(value.as_bytes().to_vec()),
        };
        vec![tag(APP, OURS), tag(VERSION.0, VERSION.1), tag(KEY, &self.text())]
    }

    /// Whether the writer of some tags meant this topic.
    pub(crate) fn is_of(&self, tags: &[Tag]) -> bool {
        let has = |name: &str, value: &str| {
            tags.iter().any(|tag| tag.name.0 == name.as_bytes() && tag.value.0 == value.as_bytes())
        };
        has(APP, OURS) && has(KEY, &self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_of_their_topic_only() {
        let [first, second] = [[1; 20], [2; 20]].map(|bytes| Topic::of(&Locator::new(&bytes).unwrap()));
        assert!(first.is_of(&first.tags()) && !second.is_of(&first.tags()));
        let mut tags = first.tags();
        tags.remove(0);
        assert!(!first.is_of(&tags), "another program's");
        assert_eq!(first.text().len(), 43);
    }
}
