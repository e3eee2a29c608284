//! Where things are that a test runs or loads.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

/// A plugin's library, such as `bitboot_misbehaving`, as cargo built it for these tests.
pub fn library(name: &str) -> PathBuf {
    built(&format!("deps/{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

/// A library that is no plugin, such as `liar`, see `host/tests/misbehaving/examples`.
pub fn misfit(name: &str) -> PathBuf {
    built(&format!("examples/{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

fn built(file: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_bitboot")).with_file_name(file);
    assert!(
        path.is_file(),
        "{} is missing: cargo build --package bitboot-misbehaving --examples",
        path.display()
    );
    path
}

/// A program of other people, from the PATH. Without it a test passes without doing anything, but not where `CI` is set.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.or_else(|| skip(name))
}

/// The same for what `cargo xtask setup` puts into `target/rig`.
pub fn rig(name: &str, path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/rig").join(path);
    if path.exists() { Some(path) } else { skip(name) }
}

#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn skip<T>(name: &str) -> Option<T> {
    let told = format!("skipped: {name} is not installed, run cargo xtask setup");
    assert!(std::env::var_os("CI").is_none(), "{told}");
    eprintln!("{told}");
    None
}
