use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

/// The shared library of a package of this workspace, such as `bitboot_local`: the one that cargo built beside the running test.
///
/// # Panics
/// When it is not there, saying how it is built.
#[must_use]
pub fn library(name: &str) -> PathBuf {
    let file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
    // `cargo test` leaves it in `deps` alone; `cargo build` links it one folder higher as well.
    let places = [profile().join("deps").join(&file), profile().join(&file)];
    let found = places.into_iter().find(|place| place.is_file());
    let package = name.replace('_', "-");
    found.unwrap_or_else(|| panic!("there is no {file} here: cargo build --package {package}"))
}

/// The shared library of an example of a package, such as `liar` of `bitboot-misbehaving`.
///
/// # Panics
/// When it is not there, saying how it is built.
#[must_use]
pub fn example(package: &str, name: &str) -> PathBuf {
    let found = profile().join("examples").join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"));
    assert!(found.is_file(), "there is no example {name} here: cargo build --package {package} --examples");
    found
}

/// `target/debug`, or wherever else the running program was built.
fn profile() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("."));
    let is_inside = ["deps", "examples"].iter().any(|inside| folder.ends_with(inside));
    if is_inside { folder.parent().unwrap_or(folder) } else { folder }.to_path_buf()
}
