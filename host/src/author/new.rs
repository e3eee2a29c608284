use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::template::Names;
use crate::error::{Error, Kind, Result};

/// A crate that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) plugin: String,
    /// Of the backend that it starts with.
    pub(crate) kind: String,
    /// An SPDX expression.
    pub(crate) license: String,
    /// Where; it must not be there, or be empty.
    pub(crate) folder: PathBuf,
    pub(crate) sources: Option<Sources>,
}

/// A name of a plugin or a kind that a crate of Rust can have too: `a-z`, `0-9` and `-`, with a letter first.
pub(crate) fn plugin_name(text: &str) -> Result<String, String> {
    const MOST: usize = 40;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=MOST).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--");
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 40 of a-z, 0-9 and single -, with a letter first".into())
    }
}

impl New {
    /// Writes the crate, whole or not at all.
    pub(crate) fn write(&self) -> Result<()> {
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let beside = folder.parent().unwrap_or(Path::new("/")).to_owned();
        if fs::read_dir(&folder).map_or_else(|_| folder.exists(), |mut there| there.next().is_some()) {
            let what = format!("{} is there already", folder.display());
            return Err(Error::new(Kind::Usage, what).fix("name another folder: --dir DIR"));
        }
        let make = |folder: &Path| {
            fs::create_dir_all(folder).map_err(|error| Error::file("make the folder", folder, &error))
        };
        make(&beside)?;
        let staged = tempfile::Builder::new().prefix(".new-plugin-").tempdir_in(&beside);
        let staged = staged.map_err(|error| Error::file("write in", &beside, &error))?;
        for (path, text) in self.files() {
            let path = staged.path().join(path);
            make(path.parent().unwrap_or(&beside))?;
            let text = if is_manifest(&path) && is_in_workspace(&beside) { text + APART } else { text };
            fs::write(&path, text).map_err(|error| Error::file("write", &path, &error))?;
        }
        open_to_others(staged.path());
        // An empty folder makes room; anything else that came meanwhile stays.
        let _ = fs::remove_dir(&folder);
        fs::rename(staged.path(), &folder).map_err(|error| Error::file("make the folder", &folder, &error))
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let Self { plugin, kind, license, .. } = self.clone();
        let mut files = Names { plugin, kind, license }.files();
        if let Some(sources) = &self.sources {
            files.push((".cargo/config.toml", sources.patch()));
        }
        files
    }
}

/// What keeps a crate out of a workspace around it.
const APART: &str = "\n# No part of the workspace around it; to make it one, take this out.\n[workspace]\n";

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "Cargo.toml")
}

/// Whether cargo would take a crate in this folder for a part of something.
fn is_in_workspace(folder: &Path) -> bool {
    folder.ancestors().any(|above| above.join("Cargo.toml").is_file())
}

/// A temporary folder is for its maker alone; a crate is a folder like any other.
fn open_to_others(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Where that is not possible it is still the author's.
        let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o755));
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// Where the crates that a plugin builds against are on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    api: PathBuf,
    conformance: PathBuf,
    /// Not every plugin needs it.
    rpc: Option<PathBuf>,
}

impl Sources {
    /// In a checkout of bitboot, or in a folder into which both packages were unpacked.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let folder = dunce::canonicalize(folder).map_err(|error| Error::file("read", folder, &error))?;
        let checkout = folder.join("plugin-api");
        let found = if has_crate(&checkout) {
            let (conformance, rpc) = (checkout.join("conformance"), checkout.join("rpc"));
            let rpc = Some(rpc).filter(|folder| has_crate(folder));
            has_crate(&conformance).then_some(Self { api: checkout, conformance, rpc })
        } else {
            unpacked(&folder, "bitboot-plugin-api")
                .zip(unpacked(&folder, "bitboot-conformance"))
                .map(|(api, conformance)| Self { api, conformance, rpc: unpacked(&folder, "bitboot-rpc") })
        };
        found.ok_or_else(|| {
            let what = format!("bitboot's crates are not in {}", folder.display());
            Error::new(Kind::Usage, what)
                .because("neither plugin-api/Cargo.toml nor bitboot-plugin-api-VERSION/Cargo.toml is there")
                .fix("name a checkout of bitboot, or a folder with both packages unpacked")
        })
    }

    /// Those that came with this program, or those of the checkout in which it was built.
    pub(crate) fn of_this_bitboot() -> Option<Self> {
        let program = std::env::current_exe().and_then(dunce::canonicalize).ok()?;
        let installed = program.ancestors().nth(2)?.join("share/bitboot/crates");
        let checkout = || program.ancestors().find(|folder| has_crate(&folder.join("plugin-api")));
        Self::in_folder(&installed).ok().or_else(|| Self::in_folder(checkout()?).ok())
    }

    /// Where the one lies that plugins are made of.
    pub(crate) fn api(&self) -> &Path {
        &self.api
    }

    fn patch(&self) -> String {
        let mut text = "# Where bitboot's crates are on this machine; not for others, so .gitignore names it.\n[patch.crates-io]\n".to_owned();
        for (name, path) in [("bitboot-plugin-api", &self.api), ("bitboot-conformance", &self.conformance)] {
            let _ = writeln!(text, "{name} = {{ path = {} }}", quoted(path));
        }
        if let Some(path) = &self.rpc {
            // Cargo warns of one that is not used.
            let _ = writeln!(text, "# To ask nodes over HTTP, with bitboot-rpc = \"0.1\" in Cargo.toml:");
            let _ = writeln!(text, "# bitboot-rpc = {{ path = {} }}", quoted(path));
        }
        text
    }
}

fn quoted(path: &Path) -> toml::Value {
    path.display().to_string().into()
}

fn has_crate(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
}

/// `NAME`, or else `NAME-VERSION`, the newest where there are several: an older one may be left from an older bitboot.
fn unpacked(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = folder.join(name);
    if has_crate(&plain) {
        return Some(plain);
    }
    let folders = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let version = |path: &Path| {
        let file = path.file_name()?.to_str()?;
        semver::Version::parse(file.strip_prefix(name)?.strip_prefix('-')?).ok()
    };
    let fitting = folders.filter(|path| has_crate(path)).filter_map(|path| Some((version(&path)?, path)));
    fitting.max_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_written_whole_and_over_nothing() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("deep/foo");
        let new = |folder: &Path, sources| New {
            plugin: "foo".into(),
            kind: "foo".into(),
            license: "MIT".into(),
            folder: folder.to_owned(),
            sources,
        };
        new(&folder, None).write().unwrap();
        let there = |path: &str| folder.join(path).is_file();
        assert!(
            ["Cargo.toml", "plugin.toml", "src/lib.rs", "tests/conformance.rs", ".gitignore", "LICENSE"]
                .iter()
                .all(|path| there(path))
        );
        assert!(!there(".cargo/config.toml"));
        let again = new(&folder, None).write().unwrap_err();
        assert_eq!(again.kind, Kind::Usage);
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let empty = place.path().join("empty");
        fs::create_dir(&empty).unwrap();
        new(&empty, Some(Sources::in_folder(checkout).unwrap())).write().unwrap();
        let patch = fs::read_to_string(empty.join(".cargo/config.toml")).unwrap();
        assert!(patch.contains("plugin-api/conformance\" }") || cfg!(windows), "{patch}");
        assert!(patch.contains("# bitboot-rpc = { path = \""), "{patch}");
        let manifest = |folder: &Path| fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(!manifest(&empty).contains("[workspace]"));
        new(&empty.join("inside"), None).write().unwrap();
        assert!(manifest(&empty.join("inside")).ends_with("[workspace]\n"));
        assert_eq!(Sources::in_folder(&empty).unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn the_newest_crates_are_taken() {
        let place = tempfile::tempdir().unwrap();
        let names = ["bitboot-plugin-api-1.9.0", "bitboot-plugin-api-1.10.0", "bitboot-conformance-0.1.0"];
        for name in names {
            fs::create_dir(place.path().join(name)).unwrap();
            fs::write(place.path().join(name).join("Cargo.toml"), "").unwrap();
        }
        let sources = Sources::in_folder(place.path()).unwrap();
        assert!(sources.api().ends_with("bitboot-plugin-api-1.10.0"));
        assert!(!sources.patch().contains("bitboot-rpc"));
    }

    #[test]
    fn names_are_those_of_crates() {
        for name in ["a", "my-lan", "x2"] {
            assert_eq!(plugin_name(name).unwrap(), name);
        }
        for name in ["", "A", "2x", "-a", "a-", "a--b", "a_b", "ä", "a b", "..", &"a".repeat(41)] {
            assert!(plugin_name(name).is_err(), "{name}");
        }
    }
}
