//! A plugin's life, from `plugin new` at its author's to `plugin remove` at a user's, with nothing compiled but the plugin.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{Home, Ran, Workshop, at_home, cargo, hash, target};

const PEER: &str = "203.0.113.7:4001";
/// What the first version says of itself, and the second.
const REVEALS: [&str; 2] =
    ["everybody who can read the folder sees the addresses", "whoever reads the folder reads all"];

/// Somebody who writes a plugin with an installed bitboot: a crate outside the repository, and a signing key with a passphrase.
struct Author {
    bitboot: PathBuf,
    home: Home,
    folder: PathBuf,
}

impl Author {
    /// Starts a plugin.
    fn new() -> Self {
        let (shop, home) = (Workshop::new("session"), Home::new());
        fs::write(home.path().join("passphrase"), "seven red herrings\n").unwrap();
        let mut author = Self { bitboot: Workshop::installed(), home, folder: shop.path().to_owned() };
        let new = author.ok(&["plugin", "new", "pinboard", "--license", "MIT"]);
        // What it builds against came with the program.
        assert!(new.err().contains("share/bitboot/crates/bitboot-plugin-api-"), "{}", new.err());
        author.folder.push("pinboard");
        Workshop::lock(&author.folder);
        author.ok(&["plugin", "sign", "--new-key", "author.key"]);
        author
    }

    /// A command in the crate's folder.
    fn run(&self, words: &[&str]) -> Ran {
        let mut command = self.home.program(&self.bitboot, words);
        at_home(&mut command);
        command.env("BITBOOT_PASSPHRASE_FILE", self.home.path().join("passphrase"));
        Ran(command.current_dir(&self.folder).output().unwrap())
    }

    fn ok(&self, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code(), 0, "{words:?}: {}\n{}", ran.out(), ran.err());
        ran
    }

    /// Writes another text into a file of the crate.
    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    /// Builds, and holds the plugin to the contract.
    fn test(&self) {
        let built = cargo(&self.folder, &["build"]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let tested = &self.ok(&["plugin", "test", ".", "--json"]).of_type("tested")[0];
        assert_eq!((&tested["plugin"], &tested["broken"]), (&"pinboard".into(), &0.into()));
        assert!(tested["kept"].as_u64().unwrap() > 30, "{tested}");
    }

    /// What the manifest does not ask for fails here, and not first at the users'.
    #[cfg(target_os = "linux")]
    fn forgets_to_ask(&self) {
        let (asked, forgotten) = ("files = [\"config.folder\"]", "files = []");
        self.edit("plugin.toml", asked, forgotten);
        // The folder of the test itself is granted in any case.
        let elsewhere = format!("folder={}", self.home.path().join("elsewhere").display());
        let only = ["--only", "announced_peer_is_found", "--config", elsewhere.as_str(), "--json"];
        let ran = self.run(&[&["plugin", "test", "."], only.as_slice()].concat());
        assert_eq!(ran.code(), 6, "{}", ran.err());
        let clauses = ran.of_type("clause");
        let broken = clauses.iter().find(|line| line["verdict"] == "broken").unwrap();
        assert_eq!(broken["clause"], "announced_peer_is_found");
        assert!(broken["why"].as_str().unwrap().contains("Permission denied"), "{broken}");
        self.edit("plugin.toml", forgotten, asked);
    }

    /// Packs, signs and lists a version, as the guide says.
    fn publish(&self, version: &str) {
        let file = format!("dist/pinboard-{version}-{}.bbp", target());
        assert_eq!(self.made(&["plugin", "pack", ".", "--out", "dist"]), std::slice::from_ref(&file));
        let with_key = ["--key", "author.key", "--publisher", "ada"];
        let release = format!("dist/pinboard-{version}.release");
        let signature = format!("{release}.minisig");
        let sign = [&["plugin", "sign", file.as_str()], with_key.as_slice()].concat();
        assert_eq!(self.made(&sign), [release, signature]);
        self.made(&[&["index", "build", "dist"], with_key.as_slice()].concat());
    }

    /// The files that a command says it made, and did.
    fn made(&self, words: &[&str]) -> Vec<String> {
        let lines = self.ok(&[words, &["--json"]].concat()).of_type("made");
        let file = |line: &Value| {
            let name = line["file"].as_str().unwrap();
            let bytes = fs::read(self.folder.join(name)).unwrap();
            assert_eq!((&line["sha256"], &line["size"]), (&hash(&bytes).into(), &bytes.len().into()));
            name.to_owned()
        };
        lines.iter().map(file).collect()
    }

    fn index(&self) -> String {
        self.folder.join("dist").display().to_string()
    }

    /// The public half of the key, as its second line tells it.
    fn public(&self) -> String {
        let text = fs::read_to_string(self.folder.join("author.key.pub")).unwrap();
        text.lines().nth(1).unwrap().to_owned()
    }
}

/// Somebody who uses it, on a machine on which nothing can be compiled: there is not even a program to be found.
struct User {
    bitboot: PathBuf,
    home: Home,
}

impl User {
    fn new() -> Self {
        let home = Home::new();
        home.forget_the_world();
        fs::create_dir(home.path().join("no-programs")).unwrap();
        Self { bitboot: Workshop::installed(), home }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let mut command = self.home.program(&self.bitboot, words);
        Ran(command.env("PATH", self.home.path().join("no-programs")).output().unwrap())
    }

    /// A plugin that ships is the one that lies beside the program.
    fn has_what_ships(&self) {
        let local = &self.see(&["plugin", "info", "local"], "plugin")[0];
        let beside = self.bitboot.canonicalize().unwrap().ancestors().nth(2).unwrap().join("lib/bitboot");
        assert_eq!(Path::new(local["library"].as_str().unwrap()).parent().unwrap(), beside);
    }

    /// The lines of a type that a command prints with `--json`.
    fn see(&self, words: &[&str], line: &str) -> Vec<Value> {
        let ran = self.run(&[words, &["--json"]].concat());
        assert_eq!(ran.code(), 0, "{words:?}: {}\n{}", ran.out(), ran.err());
        ran.of_type(line)
    }

    /// A refusal that wants a person, with the command that is the way out.
    fn is_asked(&self, words: &[&str], way_out: &str) {
        let ran = self.run(words);
        assert_eq!(ran.code(), 8, "{}", ran.err());
        assert!(ran.err().contains("error[needs-human/new-publisher]"), "{}", ran.err());
        assert!(ran.err().contains(way_out), "{}", ran.err());
    }

    /// The change that a command makes: from which version to which.
    fn change(&self, words: &[&str], from: Option<&str>, to: &str) {
        let change = &self.see(words, "change")[0];
        assert_eq!(
            (&change["from"], &change["to"], &change["done"]),
            (&from.into(), &to.into(), &true.into()),
            "{change}"
        );
        self.uses(to);
    }

    /// The plugin is used in this version, signed, in a process of its own.
    fn uses(&self, version: &str) {
        let listed = self.see(&["plugin", "list"], "plugin");
        let line = listed.iter().find(|line| line["plugin"] == "pinboard").unwrap();
        assert_eq!(
            (&line["version"], &line["state"], &line["origin"], &line["isolation"]),
            (&version.into(), &"enabled".into(), &"signed".into(), &"process".into())
        );
        let library = PathBuf::from(line["library"].as_str().unwrap());
        assert!(library.starts_with(self.home.path().join("data/plugins/pinboard").join(version)));
        assert_eq!(line["sha256"], hash(&fs::read(library).unwrap()));
    }

    /// It runs: what is announced is found, and it says of itself what its version says.
    fn works(&self, reveals: &str) {
        let receipt =
            self.see(&["announce", "demo", "--peer", PEER, "--via", "pinboard", "--once"], "receipt");
        assert_eq!(receipt[0]["op"], "announce");
        self.finds(PEER);
        let about = &self.see(&["backend", "info", "pinboard"], "backend")[0];
        assert_eq!(about["caps"]["reveals"], reveals);
    }

    fn finds(&self, peer: &str) {
        let peers = self.see(&["lookup", "demo", "--via", "pinboard"], "peer");
        assert_eq!(peers.iter().map(|line| &line["peer"]).collect::<Vec<_>>(), [peer]);
    }

    /// The backend runs in a worker of the command, which ends with it; what was announced is withdrawn then.
    #[cfg(target_os = "linux")]
    fn works_in_a_worker(&self) {
        use support::Running;
        use support::process::{runs, wait, worker};
        let words = ["announce", "demo", "--peer", PEER, "--via", "pinboard", "--json"];
        let mut kept = Running::new(self.home.program(&self.bitboot, &words));
        kept.json_of("receipt");
        let worker = worker(kept.pid());
        let words = fs::read_to_string(format!("/proc/{worker}/cmdline")).unwrap();
        assert_eq!(words.split('\0').nth(2), Some("pinboard"));
        self.finds(PEER);
        kept.signal("INT");
        assert_eq!(kept.end().0, Some(130));
        wait("the worker lives on", || !runs(worker));
    }
}

/// The program that the user runs, byte by byte.
fn host(user: &User) -> String {
    hash(&fs::read(&user.bitboot).unwrap())
}

#[test]
fn from_an_idea_to_its_removal() {
    let (author, user) = (Author::new(), User::new());
    let host_before = host(&user);
    author.edit("plugin.toml", "0.1.0", "1.0.0");
    author.edit("Cargo.toml", "0.1.0", "1.0.0");
    #[cfg(target_os = "linux")]
    author.forgets_to_ask();
    author.test();
    author.publish("1.0.0");
    user.has_what_ships();
    install(&author, &user);
    #[cfg(target_os = "linux")]
    user.works_in_a_worker();
    user.works(REVEALS[0]);

    // The second version is another library.
    author.edit("plugin.toml", "1.0.0", "1.1.0");
    author.edit("Cargo.toml", "1.0.0", "1.1.0");
    author.edit("src/lib.rs", REVEALS[0], REVEALS[1]);
    author.test();
    author.publish("1.1.0");
    upgrade(&user);
    remove(&user);
    assert_eq!(host(&user), host_before);
}

/// From an index in a folder to a plugin that is registered.
fn install(author: &Author, user: &User) {
    let (index, key) = (author.index(), author.public());
    user.is_asked(&["index", "add", "ada", &index], &format!("--key {key}"));
    let added = &user.see(&["index", "add", "ada", &index, "--key", &key], "index")[0];
    assert_eq!((&added["key"], &added["releases"]), (&key.as_str().into(), &1.into()));
    let offer = &user.see(&["plugin", "search", "folder"], "offer")[0];
    assert_eq!(
        (&offer["plugin"], &offer["version"], &offer["publisher"], &offer["installed"]),
        (&"pinboard".into(), &"1.0.0".into(), &"ada".into(), &Value::Null)
    );
    // An index that is known is no publisher that is trusted.
    user.is_asked(&["plugin", "install", "pinboard"], &format!("bitboot trust add {key}"));
    user.see(&["trust", "add", &key, "--name", "ada"], "publisher");
    user.change(&["plugin", "install", "pinboard"], None, "1.0.0");
    let folder = format!("folder={}", user.home.path().join("shared").display());
    user.see(&["backend", "add", "pinboard", "--plugin", "pinboard", "--set", &folder], "backend");
}

/// To the second version, back, and held there.
fn upgrade(user: &User) {
    user.see(&["index", "update"], "index");
    let offer = &user.see(&["plugin", "outdated"], "offer")[0];
    assert_eq!((&offer["installed"], &offer["version"]), (&"1.0.0".into(), &"1.1.0".into()));
    user.change(&["plugin", "upgrade"], Some("1.0.0"), "1.1.0");
    // What the first version announced is found by the second.
    user.finds(PEER);
    user.works(REVEALS[1]);

    user.change(&["plugin", "rollback", "pinboard"], Some("1.1.0"), "1.0.0");
    user.works(REVEALS[0]);
    user.see(&["plugin", "pin", "pinboard"], "");
    assert!(user.see(&["plugin", "upgrade"], "change").is_empty());
    user.uses("1.0.0");
    let info = &user.see(&["plugin", "info", "pinboard"], "plugin")[0];
    assert_eq!((&info["pinned"], &info["versions"]), (&true.into(), &serde_json::json!(["1.0.0", "1.1.0"])));
    user.see(&["plugin", "unpin", "pinboard"], "");
    user.change(&["plugin", "upgrade"], Some("1.0.0"), "1.1.0");
    user.works(REVEALS[1]);
}

/// Both versions are whole to the end, and nothing of them is left after it.
fn remove(user: &User) {
    let findings = user.see(&["plugin", "verify", "pinboard"], "finding");
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding["verdict"] == "ok"), "{findings:?}");
    user.see(&["backend", "remove", "pinboard"], "");
    user.see(&["plugin", "remove", "pinboard"], "");
    assert!(user.see(&["plugin", "list"], "plugin").iter().all(|line| line["plugin"] != "pinboard"));
    assert!(!user.home.path().join("data/plugins/pinboard").exists());
    let lock = fs::read_to_string(user.home.path().join("config/bitboot.lock")).unwrap_or_default();
    assert!(!lock.contains("pinboard"), "{lock}");
    let again = user.run(&["lookup", "demo", "--via", "pinboard"]);
    assert_eq!(again.code(), 2, "{}", again.err());
}
