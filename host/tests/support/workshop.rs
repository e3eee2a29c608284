//! Where an author works: outside the repository, with the packages of bitboot's crates as others get them.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::library;

/// A folder for crates of plugins, of one test. It stays where it is from run to run, as does what is built, so that little is built twice.
pub struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        let folder = place("workshop").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The folder with the unpacked packages.
    pub fn packages() -> &'static Path {
        packages()
    }

    /// The program, in a folder as `cargo xtask install` fills it: with a plugin that ships with it, and the packages.
    pub fn installed() -> PathBuf {
        let root = place("installed");
        let (program, local) = (Path::new(env!("CARGO_BIN_EXE_bitboot")), library("bitboot_local"));
        packages();
        let put = |file: &Path, folder: &str| {
            let to = root.join(folder).join(file.file_name().unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let _ = fs::remove_file(&to);
            // The same file, where it can be: it is large.
            fs::hard_link(file, &to).or_else(|_| fs::copy(file, &to).map(drop)).unwrap();
            to
        };
        put(&local, "lib/bitboot");
        put(program, "bin")
    }

    /// What all crates here are built into.
    pub fn target() -> PathBuf {
        place("author")
    }

    /// The versions that this repository is built with, so that nothing is fetched that is not there.
    pub fn lock(folder: &Path) {
        fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    }

    /// Gives a crate the packages and the versions.
    pub fn furnish(folder: &Path) {
        Self::lock(folder);
        let package = |name: &str| find(packages(), name).display().to_string();
        let patch = format!(
            "[patch.crates-io]\nbitboot-plugin-api = {{ path = {:?} }}\n",
            package("bitboot-plugin-api")
        );
        fs::create_dir_all(folder.join(".cargo")).unwrap();
        fs::write(folder.join(".cargo/config.toml"), patch).unwrap();
    }

    /// Builds a crate, and says where its library is.
    pub fn build(folder: &Path, library: &str) -> PathBuf {
        let built = cargo(folder, &["build"]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self::target().join("debug").join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"))
    }
}

/// Cargo in a crate of the workshop.
pub fn cargo(folder: &Path, words: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(words).current_dir(folder);
    at_home(&mut cargo);
    cargo
}

/// What a program that runs cargo needs to build as these tests do.
pub fn at_home(command: &mut Command) {
    command
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", Workshop::target())
        .env("CARGO_NET_OFFLINE", "true");
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Packs the two crates that authors depend on, as they are published, and unpacks them; once for all tests of a program.
fn packages() -> &'static Path {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    PACKAGES.get_or_init(unpacked)
}

fn unpacked() -> PathBuf {
    let (folder, packed) = (place("installed/share/bitboot/crates"), place("packed"));
    fs::create_dir_all(&folder).unwrap();
    // Another test program may be about it too.
    let lock = fs::File::create(place("packages.lock")).unwrap();
    lock.lock().unwrap();
    let ran = cargo(&repository(), &["package", "--no-verify", "--allow-dirty", "--target-dir"])
        .arg(&packed)
        .args(["--package", "bitboot-plugin-api", "--package", "bitboot-conformance"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let packages = fs::read_dir(packed.join("package")).unwrap().map(|entry| entry.unwrap().path());
    for package in packages.filter(|path| path.extension().is_some_and(|ending| ending == "crate")) {
        let kept = folder.join(package.file_name().unwrap());
        // Unpacked anew only when there is something new, and then with the time of now: cargo looks at both.
        if fs::read(&kept).ok() == fs::read(&package).ok() {
            continue;
        }
        let _ = fs::remove_dir_all(kept.with_extension(""));
        let unpacked = Command::new("tar").arg("xzmf").arg(&package).arg("-C").arg(&folder).status();
        assert!(unpacked.unwrap().success());
        fs::copy(&package, &kept).unwrap();
    }
    folder
}

fn find(folder: &Path, name: &str) -> PathBuf {
    let mut there = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    there.find(|path| path.is_dir() && path.file_name().unwrap().to_string_lossy().starts_with(name)).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
