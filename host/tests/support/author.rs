//! An author of plugins: a signing key, and packages of a real library in several versions.

use std::path::{Path, PathBuf};

use minisign::{KeyPair, SecretKey};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest, Sha256};

use super::{Home, Ran, library};

/// The plugin that authors publish here: the library of `local`, under another name of the same length.
pub const PLUGIN: &str = "vocal";

/// Somebody who publishes plugins in a folder.
pub struct Author {
    /// Where the author works.
    pub home: Home,
    key: SecretKey,
    /// The public key.
    pub public: String,
}

impl Author {
    pub fn new() -> Self {
        let home = Home::new();
        std::fs::create_dir(home.path().join("public")).unwrap();
        // As of `minisign -W`: nobody has to be asked for a passphrase.
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().unwrap();
        std::fs::write(home.path().join("key"), sk.to_box(None).unwrap().into_string()).unwrap();
        Self { home, key: sk, public: pk.to_base64() }
    }

    /// What is published.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("public")
    }

    pub fn key_file(&self) -> String {
        self.home.path().join("key").display().to_string()
    }

    /// Packs and signs a version; the package.
    pub fn publish(&self, version: &str) -> PathBuf {
        self.publish_library(&of_version(version), version)
    }

    pub fn publish_library(&self, library: &[u8], version: &str) -> PathBuf {
        let package = self.pack(library, version);
        self.sign(&package);
        package
    }

    pub fn pack(&self, library: &[u8], version: &str) -> PathBuf {
        let path = self.home.path().join("library.so");
        std::fs::write(&path, library).unwrap();
        let out = self.folder().display().to_string();
        self.home.ok(&["plugin", "pack", path.to_str().unwrap(), "--out", &out]);
        self.folder().join(format!("{PLUGIN}-{version}-{}.bbp", target()))
    }

    /// The first version, signed, with all that a package can hold: a licence and a man page too.
    pub fn pack_whole(&self) -> PathBuf {
        let file = |name: &str, content: &[u8]| {
            std::fs::write(self.home.path().join(name), content).unwrap();
            self.home.path().join(name).display().to_string()
        };
        let library = file("libvocal.so", &of_version("1.0.0"));
        let (license, man) = (file("LICENSE", b"do as you please\n"), file("vocal.7", b".TH vocal 7\n"));
        let out = self.folder().display().to_string();
        self.home.ok(&["plugin", "pack", &library, "--license", &license, "--man", &man, "--out", &out]);
        let package = self.folder().join(format!("{PLUGIN}-1.0.0-{}.bbp", target()));
        self.sign(&package);
        package
    }

    pub fn sign(&self, package: &Path) -> Ran {
        let words =
            ["plugin", "sign", package.to_str().unwrap(), "--key", &self.key_file(), "--publisher", "Ann"];
        self.home.ok(&words)
    }

    /// The index of all that is published.
    pub fn index(&self) -> Ran {
        self.index_for("90d")
    }

    pub fn index_for(&self, expires: &str) -> Ran {
        let folder = self.folder().display().to_string();
        let words = [
            "index",
            "build",
            &folder,
            "--key",
            &self.key_file(),
            "--publisher",
            "Ann",
            "--expires",
            expires,
        ];
        self.home.ok(&words)
    }

    /// Signs what an author with bad intent signs: any bytes, beside which the signature is put.
    pub fn sign_file(&self, path: &Path) {
        let bytes = std::fs::read(path).unwrap();
        let signed = minisign::sign(None, &self.key, bytes.as_slice(), None, None).unwrap();
        std::fs::write(path.with_added_extension("minisig"), signed.into_string()).unwrap();
    }

    /// Publishes any bytes as a package of version 1.0.0 that says of its library what it is told to.
    pub fn publish_bytes(&self, package: &[u8], library: &str) -> PathBuf {
        let path = self.folder().join(format!("{PLUGIN}-1.0.0-{}.bbp", target()));
        std::fs::write(&path, package).unwrap();
        let text = format!(
            "release = 1\nname = \"{PLUGIN}\"\nversion = \"1.0.0\"\napi = 1\n[publisher]\nname = \"Ann\"\nkey = \"{}\"\n\
             [asks]\n{}\n[[archive]]\ntarget = \"{}\"\nsize = {}\narchive = \"{}\"\nlibrary = \"{library}\"\n",
            self.public,
            asks(),
            target(),
            package.len(),
            hash(package),
        );
        let release = self.release("1.0.0");
        std::fs::write(&release, text).unwrap();
        self.sign_file(&release);
        path
    }

    pub fn release(&self, version: &str) -> PathBuf {
        self.folder().join(format!("{PLUGIN}-{version}.release"))
    }
}

impl Home {
    /// Trusts an author, whose key is known from elsewhere.
    pub fn trust(&self, author: &Author) {
        self.ok(&["trust", "add", &author.public, "--name", "Ann"]);
    }

    /// Knows an author's index.
    pub fn add_index(&self, author: &Author) {
        self.trust(author);
        self.ok(&["index", "add", "main", author.folder().to_str().unwrap(), "--key", &author.public]);
    }

    pub fn install(&self, package: &Path) -> Ran {
        self.run(&["plugin", "install", package.to_str().unwrap()])
    }

    /// The version that is used.
    pub fn version(&self) -> Option<String> {
        let lines = self.ok(&["plugin", "list", "--json"]).lines();
        let line = lines.into_iter().find(|line| line["plugin"] == PLUGIN)?;
        (line["state"] == "enabled").then(|| line["version"].as_str().unwrap().to_owned())
    }

    /// The library that is used.
    pub fn which(&self) -> PathBuf {
        self.ok(&["plugin", "which", PLUGIN]).out().trim().into()
    }

    /// Announces and finds over the plugin.
    pub fn works(&self) {
        if self.run(&["backend", "info", "voice"]).code() != 0 {
            let folder = format!("folder={}", self.path().join("voices").display());
            self.ok(&["backend", "add", "voice", "--plugin", PLUGIN, "--set", &folder]);
        }
        self.ok(&["announce", "demo", "--port", "4001", "--via", "voice", "--once"]);
        assert_eq!(self.ok(&["lookup", "demo", "--via", "voice", "--json"]).peers(), ["127.0.0.1:4001"]);
    }

    /// Tries to use the plugin.
    pub fn try_lookup(&self) -> Ran {
        self.run(&["lookup", "demo", "--via", "voice", "--json"])
    }
}

/// What the plugin asks for, as in its manifest.
fn asks() -> String {
    let manifest = bitboot_plugin_api::ffi::outside::inspect(&library("bitboot_local")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    toml::to_string(&manifest["asks"]).unwrap()
}

pub fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// The plugin's library in a version: it has its manifest twice, for who looks at it and for who runs it.
pub fn of_version(version: &str) -> Vec<u8> {
    with_manifest(&[("version = \"0.1.0\"", &format!("version = \"{version}\""))])
}

/// The library with other words of the same length in its manifest.
pub fn with_manifest(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = std::fs::read(library("bitboot_local")).unwrap();
    let name = format!("name = \"{PLUGIN}\"");
    for (old, new) in [("name = \"local\"", name.as_str())].iter().chain(changes) {
        replace(&mut bytes, old.as_bytes(), new.as_bytes());
    }
    bytes
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let starts: Vec<_> =
        bytes.windows(old.len()).enumerate().filter(|(_, part)| *part == old).map(|(at, _)| at).collect();
    assert!(starts.len() >= 2, "it has its manifest twice: {starts:?}");
    for start in starts {
        bytes[start..start + new.len()].copy_from_slice(new);
    }
}

/// An archive as somebody with bad intent makes it: names, kinds and modes are written as they are told.
pub fn archive(files: &[(&str, tar::EntryType, u32, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, mode, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(*kind);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    compress_to_vec(builder.into_inner().unwrap().as_slice(), CompressionLevel::Fastest)
}

pub fn hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Changes one byte of a file, whatever its mode.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}
