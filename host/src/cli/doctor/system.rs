//! This build and its folders.

use std::path::Path;

use super::finding::Finding;
use crate::error::{Error, Kind, Result};
use crate::install::this_target;
use crate::paths::Paths;

/// A program that is linked with everything in it cannot load a library.
pub(super) fn build() -> Finding {
    let told = format!(
        "bitboot {}, plugin API {}, {}, can load libraries",
        env!("CARGO_PKG_VERSION"),
        bitboot_plugin_api::ffi::API_MAJOR,
        this_target(),
    );
    let fixed = cfg!(target_feature = "crt-static") && cfg!(target_env = "musl");
    let refuse = || {
        Error::new(Kind::Plugin, "this bitboot is linked statically and cannot load plugins")
            .fix("use a build for glibc")
    };
    Finding::new("build", if fixed { Err(refuse()) } else { Ok(told) })
}

pub(super) fn folders(paths: &Paths) -> Vec<Finding> {
    let all =
        [("config", &paths.config), ("data", &paths.data), ("state", &paths.state), ("cache", &paths.cache)];
    let folders =
        all.into_iter().map(|(name, folder)| Finding::new(format!("{name} folder"), usable(folder)));
    folders.chain(files(paths)).collect()
}

fn usable(folder: &Path) -> Result<String> {
    if !folder.exists() {
        return Ok(format!("{} is made when it is needed", folder.display()));
    }
    tempfile::tempfile_in(folder).map_err(|error| {
        Error::file("write in", folder, &error)
            .fix(format!("see who owns it, or use another one: --home DIR; it is {}", folder.display()))
    })?;
    let mode = nobody_else(folder, 0o022)?;
    Ok(format!("{} can be written{mode}", folder.display()))
}

/// The files that decide what is believed, and those that nobody else may read. One that is in order is not worth a line.
fn files(paths: &Paths) -> Vec<Finding> {
    let believed = ["registry.toml", "bitboot.lock", "trust.toml", "indexes.toml"];
    let believed = believed.map(|name| (paths.config.join(name), 0o022));
    let secrets = std::fs::read_dir(paths.data.join("secrets")).into_iter().flatten().flatten();
    let secret = secrets.map(|entry| entry.path()).chain([paths.state.join("identity")]);
    let all = believed.into_iter().chain(secret.map(|path| (path, 0o077)));
    let judged = all.filter(|(path, _)| path.exists()).map(|(path, forbidden)| nobody_else(&path, forbidden));
    judged.filter_map(Result::err).map(|error| Finding::new("modes", Err(error))).collect()
}

/// Its mode in words, if no other user has the rights that are forbidden.
#[cfg(unix)]
fn nobody_else(path: &Path, forbidden: u32) -> Result<String> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(path).map_err(|error| Error::file("look at", path, &error))?;
    let (user, shown) = (rustix::process::geteuid().as_raw(), path.display());
    if about.uid() != user {
        let what = format!("{shown} belongs to the user {}, not to {user}", about.uid());
        return Err(Error::new(Kind::Config, what)
            .at("modes")
            .fix(format!("take it: chown {user} '{shown}'")));
    }
    let mode = about.mode() & 0o777;
    if mode & forbidden == 0 {
        return Ok(format!(" (mode {mode:o})"));
    }
    let (can, change) = if forbidden == 0o022 { ("changed", "go-w") } else { ("read", "go=") };
    let what = format!("{shown} can be {can} by others (mode {mode:o})");
    Err(Error::new(Kind::Config, what).at("modes").fix(format!("shut them out: chmod {change} '{shown}'")))
}

/// There the folder of the user is what keeps others out.
#[cfg(not(unix))]
fn nobody_else(_path: &Path, _forbidden: u32) -> Result<String> {
    Ok(String::new())
}
