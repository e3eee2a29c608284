use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// Where a file or a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    /// `https:`, or `http:` to this machine; without a slash at the end.
    Web(String),
}

impl Place {
    /// Reads `https://…`, `file://…` or a path.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str, fix: &str| {
            Err(Error::new(Kind::Usage, format!("\"{text}\" cannot be used as a source"))
                .because(why)
                .fix(fix))
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            return refuse("it is empty or has control characters", "give a path or an https:// address");
        }
        if let Some(path) = text.strip_prefix("file://") {
            let path = percent_decoded(path).filter(|path| Path::new(path).is_absolute());
            return match path {
                Some(path) => Ok(Self::File(path.into())),
                None => {
                    refuse("a file: address has three slashes and a whole path", "write file:///whole/path")
                }
            };
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            if rest.contains(['?', '#', '@', '\\', ' ']) || host.is_empty() {
                return refuse(
                    "addresses with users, queries or fragments are not used",
                    "give a plain address",
                );
            }
            return match scheme {
                "https" => Ok(Self::Web(text.trim_end_matches('/').into())),
                "http" if is_this_machine(host) => Ok(Self::Web(text.trim_end_matches('/').into())),
                "http" => refuse("whoever is on the way can change what comes by http:", "use https://"),
                _ => refuse("only https: and file: are known", "use https://, file:// or a path"),
            };
        }
        Ok(Self::File(std::path::absolute(text).unwrap_or_else(|_| text.into())))
    }

    /// Something in this folder; the name has no `..` in it.
    pub(crate) fn join(&self, name: &str) -> Self {
        match self {
            Self::File(folder) => Self::File(folder.join(name)),
            Self::Web(url) => Self::Web(format!("{url}/{}", percent_encoded(name))),
        }
    }

    /// Another file in the folder of this one.
    pub(crate) fn beside(&self, name: &str) -> Self {
        match self {
            Self::File(path) => Self::File(path.with_file_name(name)),
            Self::Web(url) => {
                let folder = url.rsplit_once('/').map_or(url.as_str(), |(folder, _)| folder);
                Self::Web(format!("{folder}/{}", percent_encoded(name)))
            }
        }
    }

    /// The file's own name.
    pub(crate) fn file_name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Web(url) => percent_decoded(url.rsplit('/').next().unwrap_or_default()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Web(url) => f.write_str(url),
        }
    }
}

/// Nobody is on the way to this machine.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// Names of ours have no other odd character than the `+` of a version, and none of `..` is among them.
fn percent_encoded(name: &str) -> String {
    name.replace('%', "%25").replace('+', "%2B").replace(' ', "%20")
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (hex, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_on_the_way_is_a_place() {
        let web = |text: &str| matches!(Place::parse(text), Ok(Place::Web(_)));
        assert!(
            web("https://example.org/x.bbp") && web("http://127.0.0.1:8080/x") && web("http://[::1]:80/x")
        );
        for bad in [
            "http://example.org/x",
            "ftp://example.org/x",
            "https://",
            "https://me@example.org",
            "https://a/b?c",
            "file://x",
            "",
            "http://127.0.0.1.example.org/",
        ] {
            assert!(!web(bad) && Place::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Place::parse("file:///a%20b").unwrap(), Place::File("/a b".into()));
        assert!(matches!(Place::parse("./x.bbp").unwrap(), Place::File(path) if path.is_absolute()));
    }

    #[test]
    fn neighbours_lie_in_the_same_folder() {
        let web = Place::parse("https://example.org/a/x.bbp").unwrap();
        assert_eq!(web.beside("y-1.0.0+z").to_string(), "https://example.org/a/y-1.0.0%2Bz");
        assert_eq!(web.beside("y-1.0.0+z").file_name(), "y-1.0.0+z");
        assert_eq!(Place::parse("/a/x.bbp").unwrap().beside("y").to_string(), "/a/y");
    }
}
