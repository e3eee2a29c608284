//! Puts bitboot where a system looks for programs.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{cargo, run, say, target};

/// How it is built.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// As it is used.
    Release,
    /// Sooner, and slower to run.
    Debug,
}

/// Builds bitboot and copies binary, plugins, completions and man pages below `to`.
pub(crate) fn install(root: &Path, to: &Path, profile: Profile) -> Result<(), String> {
    let (option, folder) = match profile {
        Profile::Release => (Some("--release"), "release"),
        Profile::Debug => (None, "debug"),
    };
    let words: Vec<&str> = ["build"].into_iter().chain(option).collect();
    cargo(root, &words)?;
    let built = target()?.join(folder);
    let binary = format!("bitboot{EXE_SUFFIX}");
    copy(&built.join(&binary), &to.join("bin").join(&binary))?;
    for plugin in names(&root.join("plugins"))? {
        let library = format!("{DLL_PREFIX}bitboot_{plugin}{DLL_SUFFIX}");
        copy(&built.join(&library), &to.join("lib/bitboot").join(&library))?;
    }
    let completions = [
        ("bitboot.bash", "bash-completion/completions/bitboot"),
        ("_bitboot", "zsh/site-functions/_bitboot"),
        ("bitboot.fish", "fish/vendor_completions.d/bitboot.fish"),
        ("bitboot.elv", "elvish/lib/bitboot.elv"),
        ("bitboot.ps1", "powershell/bitboot.ps1"),
    ];
    for (file, place) in completions {
        copy(&root.join("completions").join(file), &to.join("share").join(place))?;
    }
    for page in names(&root.join("man"))? {
        copy(&root.join("man").join(&page), &to.join("share/man/man1").join(&page))?;
    }
    crates(root, &to.join("share/bitboot/crates"))?;
    say(&format!("installed below {}; try: {} --help", to.display(), to.join("bin").join(binary).display()));
    Ok(())
}

/// The crates that plugins are built against, as they are published, for `bitboot plugin new`.
fn crates(root: &Path, to: &Path) -> Result<(), String> {
    let packed = root.join("target/crates");
    let words = ["package", "--quiet", "--no-verify", "--allow-dirty"];
    let packages =
        ["bitboot-plugin-api", "bitboot-conformance", "bitboot-rpc"].map(|name| ["--package", name]);
    let target = packed.display().to_string();
    cargo(root, &[&words[..], &packages.concat(), &["--target-dir", &target]].concat())?;
    fs::create_dir_all(to).map_err(|error| format!("cannot make {}: {error}", to.display()))?;
    let files = names(&packed.join("package"))?;
    let packages =
        files.iter().filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "crate"));
    packages.into_iter().try_for_each(|package| {
        run(Command::new("tar").arg("xzmf").arg(packed.join("package").join(package)).arg("-C").arg(to))
    })
}

/// The names in a folder.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

/// Copies beside the place and renames: a library that runs now keeps its old file.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let unfinished = to.with_added_extension("new");
    let copied = to.parent().map_or(Ok(()), fs::create_dir_all);
    let copied = copied.and_then(|()| fs::copy(from, &unfinished)).and_then(|_| fs::rename(&unfinished, to));
    copied.map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}
