//! The names of plugins, versions, machines and files. All of them become parts of paths, so all of them are plain.

use std::env::consts::DLL_PREFIX;

use semver::Version;

use crate::loader::TARGET;
use crate::registry::is_entry_name;

/// What the file of a signature is called, after the file that is signed.
pub(crate) const SIGNATURE: &str = "minisig";

/// This machine, such as `x86_64-linux`.
pub(crate) fn this_target() -> String {
    let (arch, os) = TARGET;
    format!("{arch}-{os}")
}

/// Whether a text can be a plugin's name.
pub(crate) fn name(text: &str) -> Result<(), String> {
    if is_entry_name(text) { Ok(()) } else { Err("a plugin's name is 1 to 64 of a-z, 0-9, - and _".into()) }
}

/// A version that can be compared with others, such as `1.2.0`.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    if text.len() > 64 {
        return Err("its version is longer than 64 characters".into());
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("its version has upper-case letters, which some systems do not tell apart".into());
    }
    Version::parse(text).map_err(|error| format!("its version is not of the form 1.2.3 ({error})"))
}

/// Whether a text can be the name of a file in a plugin's folder.
pub(super) fn file(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=128).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('.') {
        return Ok(());
    }
    Err("a plugin's files have plain names, such as LICENSE".into())
}

/// Whether a text can name a machine, such as `x86_64-linux`.
pub(crate) fn target(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if (3..=48).contains(&text.len()) && text.bytes().all(plain) && text.contains('-') {
        return Ok(());
    }
    Err("a machine is called such as x86_64-linux".into())
}

/// Such as `foo-1.0.0-x86_64-linux.bbp`.
pub(crate) fn package(name: &str, version: &str, target: &str) -> String {
    format!("{name}-{version}-{target}.bbp")
}

/// Such as `foo-1.0.0.release`.
pub(crate) fn release(name: &str, version: &str) -> String {
    format!("{name}-{version}.release")
}

/// The release that belongs to a package by its name; `None` where it is no package for this machine.
pub(crate) fn release_of(package: &str) -> Option<String> {
    let stem = package.strip_suffix(".bbp")?.strip_suffix(&this_target())?.strip_suffix('-')?;
    Some(format!("{stem}.release"))
}

/// The file name of a plugin's library on a machine.
pub(crate) fn library(name: &str, target: &str) -> String {
    match target.rsplit('-').next() {
        Some("windows") => format!("{name}.dll"),
        Some("macos" | "ios") => format!("lib{name}.dylib"),
        Some(os) if os == std::env::consts::OS => {
            format!("{DLL_PREFIX}{name}{}", std::env::consts::DLL_SUFFIX)
        }
        _ => format!("lib{name}.so"),
    }
}

/// The file name of a plugin's man page.
pub(crate) fn man_page(name: &str) -> String {
    format!("bitboot-plugin-{name}.7")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_a_path_is_plain() {
        for bad in ["", "..", "a/b", "A", "a b", ".a"] {
            assert!(name(bad).is_err() && version(bad).is_err() && target(bad).is_err(), "{bad}");
        }
        assert!(version("1.0.0-rc.1+b").is_ok() && version("1.0").is_err() && version("1.0.0/..").is_err());
        assert!(target("x86_64-linux").is_ok() && target("x86_64/linux").is_err());
    }

    #[test]
    fn a_package_leads_to_its_release() {
        let package = package("a-b", "1.0.0-rc.1", &this_target());
        assert_eq!(release_of(&package).unwrap(), release("a-b", "1.0.0-rc.1"));
        assert_eq!(release_of("a-1.0.0-pdp11-unix.bbp"), None);
    }
}
