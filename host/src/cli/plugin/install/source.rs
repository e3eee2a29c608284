use std::env::consts::DLL_SUFFIX;
use std::path::PathBuf;
use std::str::FromStr;

use crate::install::{Place, version};
use crate::registry::is_entry_name;

/// What somebody wants to have installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    /// A library that its author is working on.
    Library(PathBuf),
    /// A package somewhere.
    Package(Place),
    /// A plugin of an index.
    Named { index: Option<String>, name: String, version: Option<String> },
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = |text: &str| Place::parse(text).map_err(|error| format!("{error}"));
        if text.strip_suffix(".bbp").is_some() {
            return place(text).map(Self::Package);
        }
        // Whatever lies in the folder that somebody is in: what looks like a name is one, and a file has a folder before it or an ending.
        if let Some(named) = named(text) {
            return Ok(named);
        }
        if text.contains("://") && !text.ends_with(DLL_SUFFIX) {
            return Err("an address has to lead to a package, which ends in .bbp".into());
        }
        match place(text)? {
            Place::File(path) => Ok(Self::Library(path)),
            Place::Web(_) => Err("a bare library is taken from a file only".into()),
        }
    }
}

/// `NAME`, `NAME@VERSION`, and both with `INDEX/` before them.
fn named(text: &str) -> Option<Source> {
    let (index, rest) = text.split_once('/').map_or((None, text), |(index, rest)| (Some(index), rest));
    let (name, wanted) = rest.split_once('@').map_or((rest, None), |(name, wanted)| (name, Some(wanted)));
    let plain = is_entry_name(name)
        && index.is_none_or(is_entry_name)
        && wanted.is_none_or(|wanted| version(wanted).is_ok());
    plain.then(|| Source::Named {
        index: index.map(Into::into),
        name: name.into(),
        version: wanted.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_by_its_form() {
        let read = |text: &str| text.parse::<Source>();
        let named = |index: Option<&str>, version: Option<&str>| Source::Named {
            index: index.map(Into::into),
            name: "demo".into(),
            version: version.map(Into::into),
        };
        assert_eq!(read("demo").unwrap(), named(None, None));
        // A folder that is there.
        assert!(matches!(read("src").unwrap(), Source::Named { .. }));
        assert!(matches!(read("./src").unwrap(), Source::Library(_)));
        assert_eq!(read("main/demo@1.2.0-rc.1").unwrap(), named(Some("main"), Some("1.2.0-rc.1")));
        assert!(matches!(read("./demo.bbp").unwrap(), Source::Package(Place::File(_))));
        assert!(matches!(read("https://example.org/demo.bbp").unwrap(), Source::Package(Place::Web(_))));
        assert!(matches!(read("./libdemo.so").unwrap(), Source::Library(_)));
        assert!(matches!(read("libdemo.so").unwrap(), Source::Library(_)));
        for bad in
            ["https://example.org/demo", "https://example.org/libdemo.so", "http://example.org/demo.bbp", ""]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
