use std::collections::BTreeMap;

use super::identity::PublicKey;
use super::record::Record;

/// Of each signer the newest record. Adding is commutative, associative and idempotent, so it does not matter who merges what when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Newest(BTreeMap<PublicKey, Record>);

impl Newest {
    /// Adds a record; whether it was news.
    pub(crate) fn add(&mut self, record: Record) -> bool {
        let holds = self.0.get(&record.signer).is_none_or(|known| record.holds_against(known));
        if holds {
            self.0.insert(record.signer, record);
        }
        holds
    }

    pub(crate) fn get(&self, signer: &PublicKey) -> Option<&Record> {
        self.0.get(signer)
    }

    pub(crate) fn remove(&mut self, signer: &PublicKey) {
        self.0.remove(signer);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Record) -> bool) {
        self.0.retain(|_, record| keep(record));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.values()
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Extend<Record> for Newest {
    fn extend<I: IntoIterator<Item = Record>>(&mut self, records: I) {
        for record in records {
            self.add(record);
        }
    }
}

impl FromIterator<Record> for Newest {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut newest = Self::default();
        newest.extend(records);
        newest
    }
}
