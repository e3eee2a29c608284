use std::collections::BTreeMap;

use bitboot_plugin_api::Author;

use super::identity::PublicKey;
use super::note::Note;
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

/// Of each author the newest note; adding is as with records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes(BTreeMap<Author, Note>);

impl Notes {
    /// Adds a note; whether it holds now, news or not.
    pub(crate) fn add(&mut self, note: Note) -> bool {
        match self.0.get(&note.author) {
            Some(known) if known.holds_against(&note) => false,
            _ => {
                self.0.insert(note.author.clone(), note);
                true
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.values()
    }
}

impl Extend<Note> for Notes {
    fn extend<I: IntoIterator<Item = Note>>(&mut self, notes: I) {
        for note in notes {
            self.add(note);
        }
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
