use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::error::{Error, Kind, Result};

/// An author's crate, or a library that is built already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crate {
    pub(crate) library: PathBuf,
    /// The crate's folder; `None` where the library alone was given.
    pub(crate) folder: Option<PathBuf>,
}

/// The library of a path: a folder is a crate, which cargo builds, telling on stderr how far it is; a file is the library itself.
pub(crate) async fn build(path: &Path, release: bool, quiet: bool) -> Result<Crate> {
    let path = dunce::canonicalize(path).map_err(|error| {
        Error::file("read", path, &error).fix("name the folder of a crate, or a library: ./libexample.so")
    })?;
    if path.is_file() {
        return Ok(Crate { library: path, folder: None });
    }
    if !path.join("Cargo.toml").is_file() {
        let what = format!("{} is no crate: there is no Cargo.toml in it", path.display());
        return Err(Error::new(Kind::Usage, what).fix("make one: bitboot plugin new NAME"));
    }
    let library = cargo_build(&path, release, quiet).await?;
    Ok(Crate { library, folder: Some(path) })
}

/// A line that cargo prints for programs.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    crate_types: Vec<String>,
}

async fn cargo_build(folder: &Path, release: bool, quiet: bool) -> Result<PathBuf> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(&program);
    cargo.args(["build", "--lib", "--message-format=json-render-diagnostics"]);
    cargo.args(release.then_some("--release")).args(quiet.then_some("--quiet"));
    cargo.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = cargo.spawn().map_err(|error| {
        Error::new(Kind::Other, "cargo cannot be run")
            .because(error)
            .fix("install Rust, or build it elsewhere and name the library")
    })?;
    let manifest = folder.join("Cargo.toml");
    let mut library = None;
    if let Some(told) = child.stdout.take() {
        let mut lines = BufReader::new(told).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            library = serde_json::from_str(&line)
                .ok()
                .and_then(|message| library_of(message, &manifest))
                .or(library);
        }
    }
    let status =
        child.wait().await.map_err(|error| Error::new(Kind::Other, "cargo did not end").because(error))?;
    if !status.success() {
        let what = format!("the crate in {} does not build", folder.display());
        return Err(Error::new(Kind::Other, what)
            .because(format!("cargo: {status}"))
            .fix("mend what cargo tells above"));
    }
    library.ok_or_else(|| {
        Error::new(
            Kind::Other,
            format!("the crate in {} builds no library that can be loaded", folder.display()),
        )
        .fix("add to its Cargo.toml: [lib] crate-type = [\"cdylib\", \"rlib\"]")
    })
}

fn library_of(message: Message, manifest: &Path) -> Option<PathBuf> {
    let is_ours = message.reason == "compiler-artifact"
        && message.target.crate_types.iter().any(|word| word == "cdylib")
        && dunce::canonicalize(message.manifest_path).is_ok_and(|path| path == manifest);
    let ends = |path: &PathBuf| path.to_string_lossy().ends_with(DLL_SUFFIX);
    is_ours.then(|| message.filenames.into_iter().find(ends)).flatten()
}
