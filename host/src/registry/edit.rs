use toml_edit::{DocumentMut, Item, Table};

use super::Registry;
use super::read::syntax;
use crate::error::{Error, Kind, Result};
use crate::files::Locked;
use crate::paths::Paths;

/// A change of the user's registry: what was written by hand stays as it is, comments included, and nobody else writes meanwhile.
pub(crate) struct Edit {
    file: Locked,
    document: DocumentMut,
}

/// The tables of a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Section {
    Plugins,
    Backends,
    Networks,
}

impl Section {
    fn key(self) -> &'static str {
        match self {
            Self::Plugins => "plugins",
            Self::Backends => "backends",
            Self::Networks => "networks",
        }
    }
}

impl Edit {
    /// Waits for the right to change the user's registry and reads it.
    pub(crate) fn begin(paths: &Paths) -> Result<Self> {
        let path = paths.registry();
        let file = Locked::new(path.clone())?;
        let text = file.read()?.unwrap_or_default();
        // The reader's error is the better one: it knows the place.
        toml::from_str::<toml::Table>(&text)
            .map_err(|error| syntax(&path.display().to_string(), &text, &error))?;
        let document = text
            .parse()
            .map_err(|error| Error::new(Kind::Config, "the registry cannot be read").because(error))?;
        Ok(Self { file, document })
    }

    /// The table `[SECTION.NAME]`, made where there is none.
    pub(crate) fn entry(&mut self, section: Section, name: &str) -> Result<&mut Table> {
        let sections = self.document.entry(section.key()).or_insert_with(|| {
            let mut table = Table::new();
            // Prints `[backends.lab]` without a `[backends]` above it.
            table.set_implicit(true);
            Item::Table(table)
        });
        let no_table = |what: &str| {
            Error::new(Kind::Config, format!("\"{what}\" in the registry is no [table]"))
                .fix("write it as a [table] of its own")
        };
        let sections = sections.as_table_mut().ok_or_else(|| no_table(section.key()))?;
        sections
            .entry(name)
            .or_insert_with(|| Item::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| no_table(name))
    }

    /// Removes `[SECTION.NAME]`; whether it was there.
    pub(crate) fn remove(&mut self, section: Section, name: &str) -> bool {
        let sections = self.document.get_mut(section.key()).and_then(Item::as_table_like_mut);
        sections.is_some_and(|entries| entries.remove(name).is_some())
    }

    /// The registry as it will be when the change is written.
    pub(crate) fn preview(&self) -> Result<Registry> {
        Registry::over_shipped(&self.document.to_string(), "the changed registry")
    }

    /// Switches an entry on or off, in one change; the word for its new state.
    pub(crate) fn switch(paths: &Paths, section: Section, name: &str, on: bool) -> Result<&'static str> {
        let mut edit = Self::begin(paths)?;
        edit.entry(section, name)?.insert("enabled", on.into());
        edit.commit()?;
        Ok(if on { "enabled" } else { "disabled" })
    }

    /// Writes the change.
    pub(crate) fn commit(self) -> Result<()> {
        self.file.replace(self.document.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn comments_survive() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::inside(home.path());
        std::fs::create_dir_all(&paths.config).unwrap();
        let mine = "# mine\n[backends.a] # here\nplugin = \"local\" # and here\n";
        std::fs::write(paths.registry(), mine).unwrap();
        let mut edit = Edit::begin(&paths).unwrap();
        edit.entry(Section::Backends, "b").unwrap().insert("plugin", "local".into());
        edit.commit().unwrap();
        let text = std::fs::read_to_string(paths.registry()).unwrap();
        assert_eq!(text, format!("{mine}\n[backends.b]\nplugin = \"local\"\n"));
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::inside(home.path());
        thread::scope(|scope| {
            for number in 0..16 {
                let paths = &paths;
                scope.spawn(move || {
                    let mut edit = Edit::begin(paths).unwrap();
                    edit.entry(Section::Networks, &format!("n{number}")).unwrap();
                    edit.commit().unwrap();
                });
            }
        });
        assert_eq!(Registry::read(&paths).unwrap().networks.len(), 16);
    }
}
