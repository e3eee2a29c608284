//! Installs the nodes of chains that the tests run, in `target/rig`. The machine's own packages stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::say;
use crate::setup::install_node;

/// The suite of Debian that has the node.
const SUITE: &str = "forky";
const PACKAGE: &str = "bitcoin-knots";

/// A Bitcoin node, `bitcoind`, as a script that starts the real one with the C library that it was built for.
///
/// It comes from a Debian package and those that it needs, which a private state of apt with nothing installed resolves, from the mirror that
/// this machine uses. Where there is no apt, or no package for this machine, that is said and is no failure: the tests that want it say that
/// they were skipped, and fail where `CI` is set.
pub(crate) fn bitcoind(folder: &Path) {
    if folder.join("bitcoind").is_file() {
        return;
    }
    if let Err(why) = install(folder) {
        say(&format!("no Bitcoin node for the tests: {why}"));
    }
}

/// Compiles the contract of `plugins/ethereum` anew.
pub(crate) fn contract(root: &Path) -> Result<(), String> {
    let folder = root.join("plugins/ethereum/contract");
    let packages = root.join("target/rig/ethereum");
    install_node(&root.join("plugins/ethereum/tests/node"), &packages)?;
    let mut compile = Command::new("node");
    compile.arg(folder.join("compile.js")).arg(packages.join("node_modules"));
    let compiled = compile.output().map_err(|error| format!("cannot run {compile:?}: {error}"))?;
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
    }
    let (committed, unfinished) = (folder.join("Bitboot.json"), folder.join("Bitboot.json.new"));
    write(&unfinished, &String::from_utf8_lossy(&compiled.stdout))?;
    fs::rename(&unfinished, &committed)
        .map_err(|error| format!("cannot replace {}: {error}", committed.display()))
}

fn install(folder: &Path) -> Result<(), String> {
    let mirror = mirror()?;
    let apt = folder.join("apt");
    for part in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part))
            .map_err(|error| format!("cannot create {}: {error}", apt.display()))?;
    }
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    write(&apt.join("sources.list"), &format!("deb [signed-by={key}] {mirror} {SUITE} main\n"))?;
    write(&apt.join("status"), "")?;
    run(apt_get(&apt).args(["update", "-qq"]))?;
    run(apt_get(&apt).args([
        "-qq",
        "-y",
        "--download-only",
        "install",
        PACKAGE,
        "systemd-standalone-sysusers",
    ]))?;
    let root = folder.join("root");
    for package in packages(&apt.join("cache/archives"))? {
        run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root))?;
    }
    // Last, so that an install that was cut short leaves none.
    write_script(folder, &root)?;
    let _ = fs::remove_dir_all(apt);
    Ok(())
}

/// apt with nothing installed and no source but ours.
fn apt_get(state: &Path) -> Command {
    let mut command = Command::new("apt-get");
    for (name, value) in [
        ("Dir::Etc::sourcelist", state.join("sources.list")),
        ("Dir::State::lists", state.join("lists")),
        ("Dir::Cache", state.join("cache")),
        ("Dir::State::status", state.join("status")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::Etc::preferencesparts", "/dev/null".into()),
        ("APT::Install-Recommends", "false".into()),
        ("Acquire::Languages", "none".into()),
        ("APT::Sandbox::User", "root".into()),
    ] {
        command.arg("-o").arg(format!("{name}={}", value.display()));
    }
    command
}

/// From where this machine gets its packages.
fn mirror() -> Result<String, String> {
    let listed = Command::new("apt-get").args(["indextargets", "--format", "$(SITE)"]).output();
    let listed = listed.map_err(|_| "there is no apt-get".to_owned())?.stdout;
    let sites = String::from_utf8_lossy(&listed).into_owned();
    let site = sites.lines().find(|site| !site.contains("security")).map(ToOwned::to_owned);
    site.ok_or_else(|| "apt-get has no mirror".into())
}

/// The node's package and the libraries; not what only an installed system needs.
fn packages(archives: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        fs::read_dir(archives).map_err(|error| format!("cannot read {}: {error}", archives.display()))?;
    let wanted = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_needed = [PACKAGE, "lib", "zlib"].iter().any(|start| name.starts_with(start));
        is_needed && path.extension().is_some_and(|ending| ending == "deb")
    };
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(wanted).collect())
}

#[cfg(unix)]
fn write_script(folder: &Path, root: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let found = Command::new("find").arg(root).args(["-name", "ld-linux*.so.*"]).output();
    let found = found.map_err(|error| format!("cannot look for the loader: {error}"))?.stdout;
    let found = String::from_utf8_lossy(&found).into_owned();
    let loader = found.lines().next().ok_or("the packages have no loader")?;
    let libraries = Path::new(loader).parent().ok_or("the loader has no folder")?.display();
    let root = root.display();
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let script = format!(
        "#!/bin/sh\nexec {loader} --library-path {root}/usr/lib/{triple}:{root}/lib/{triple}:{libraries} {root}/usr/bin/bitcoind \"$@\"\n"
    );
    let unfinished = folder.join("bitcoind.new");
    write(&unfinished, &script)?;
    let made = fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(&unfinished, folder.join("bitcoind")));
    made.map_err(|error| format!("cannot write the script: {error}"))
}

#[cfg(not(unix))]
fn write_script(_folder: &Path, _root: &Path) -> Result<(), String> {
    Err("its packages are for Linux".into())
}

fn run(command: &mut Command) -> Result<(), String> {
    let ran =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    Err(format!("{command:?} failed: {}", said.lines().last().unwrap_or_default()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
