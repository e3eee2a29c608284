//! Indexes: what they offer, and what they cannot make anybody believe.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::refused;
use crate::support::{Author, Home, PLUGIN, Ran, flip};
use crate::web::{serve, serve_tls};

fn scene() -> (Author, Home) {
    let (author, home) = (Author::new(), Home::new());
    author.publish("1.0.0");
    author.index();
    home.add_index(&author);
    (author, home)
}

#[test]
fn an_old_index_is_not_taken_for_the_newest() {
    let (author, home) = scene();
    let keep = |name: &str| {
        let folder = author.home.path().join(name);
        fs::create_dir(&folder).unwrap();
        for file in ["index.toml", "index.toml.minisig"] {
            fs::copy(author.folder().join(file), folder.join(file)).unwrap();
        }
        folder
    };
    let put_back = |folder: &PathBuf| {
        for file in ["index.toml", "index.toml.minisig"] {
            fs::copy(folder.join(file), author.folder().join(file)).unwrap();
        }
    };
    let old = keep("old");
    author.publish("1.1.0");
    author.index();
    home.ok(&["index", "update"]);
    let new = keep("new");
    put_back(&old);
    refused(&home.run(&["index", "update"]), 7, "integrity", "rollback");
    // The same serial with another content.
    let text = fs::read_to_string(new.join("index.toml")).unwrap().replace("peers on", "Peers on");
    fs::write(author.folder().join("index.toml"), text).unwrap();
    author.sign_file(&author.folder().join("index.toml"));
    refused(&home.run(&["index", "update"]), 7, "integrity", "rollback");
    put_back(&new);
    home.ok(&["index", "update"]);
    assert_eq!(home.ok(&["index", "list", "--json"]).lines()[0]["serial"], 2);
    home.ok(&["plugin", "install", PLUGIN]);
    assert_eq!(home.version().unwrap(), "1.1.0");
    // All versions are kept.
    home.ok(&["plugin", "install", &format!("main/{PLUGIN}@1.0.0")]);
    assert_eq!(home.version().unwrap(), "1.0.0");
}

#[test]
fn an_index_ends() {
    let (author, home) = (Author::new(), Home::new());
    author.publish("1.0.0");
    // Long enough to be taken on a busy machine.
    author.index_for("12s");
    let end = Instant::now() + Duration::from_secs(13);
    home.add_index(&author);
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    refused(&home.run(&["plugin", "install", PLUGIN]), 7, "integrity", "expired");
    refused(&home.run(&["index", "update"]), 7, "integrity", "expired");
    let searched = home.ok(&["plugin", "search"]);
    assert!(searched.err().contains("warning[integrity/expired]"), "{}", searched.err());
    author.index();
    home.ok(&["index", "update"]);
    home.ok(&["plugin", "install", PLUGIN]);
    // Nobody may promise for ever.
    let text = fs::read_to_string(author.folder().join("index.toml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("expires")).unwrap();
    fs::write(author.folder().join("index.toml"), text.replace(line, "expires = \"2999-01-01T00:00:00Z\""))
        .unwrap();
    author.sign_file(&author.folder().join("index.toml"));
    refused(&home.run(&["index", "update"]), 7, "integrity", "expired");
}

#[test]
fn what_was_changed_in_an_index_is_seen() {
    let (author, home) = scene();
    let index = author.folder().join("index.toml");
    let good = fs::read(&index).unwrap();
    fs::write(&index, String::from_utf8(good.clone()).unwrap().replace("serial = 1", "serial = 9")).unwrap();
    refused(&home.run(&["index", "update"]), 7, "integrity", "signature");
    fs::write(&index, "index = 1").unwrap();
    refused(&home.run(&["index", "update"]), 7, "integrity", "index");
    fs::write(&index, &good).unwrap();
    // Somebody else's index in its place.
    let eve = Author::new();
    eve.publish("1.0.0");
    eve.index();
    for file in ["index.toml", "index.toml.minisig"] {
        fs::copy(eve.folder().join(file), author.folder().join(file)).unwrap();
    }
    refused(&home.run(&["index", "update"]), 7, "integrity", "changed-key");
    author.index();
    // Another release than the index lists, though it is signed.
    let release = author.release("1.0.0");
    let text = fs::read_to_string(&release).unwrap();
    fs::write(&release, format!("{text}\n# more\n")).unwrap();
    author.sign_file(&release);
    refused(&home.run(&["plugin", "install", PLUGIN]), 7, "integrity", "release-hash");
    fs::write(&release, text).unwrap();
    author.sign_file(&release);
    // What is kept of it here.
    flip(&home.path().join("data/indexes/main.index"), 400);
    let ran = home.run(&["plugin", "install", PLUGIN]);
    assert_eq!(ran.code(), 7, "{}", ran.err());
    assert!(ran.err().contains("bitboot index update main"), "{}", ran.err());
    fs::remove_file(home.path().join("data/indexes/main.index")).unwrap();
    home.ok(&["plugin", "install", PLUGIN]);
}

#[test]
fn an_index_is_added_by_its_key() {
    let (author, home) = (Author::new(), Home::new());
    author.publish("1.0.0");
    author.index();
    let folder = author.folder();
    let folder = folder.to_str().unwrap();
    refused(&home.run(&["index", "add", "main", folder]), 8, "needs-human", "new-publisher");
    let other = Author::new();
    refused(
        &home.run(&["index", "add", "main", folder, "--key", &other.public]),
        7,
        "integrity",
        "changed-key",
    );
    assert_eq!(home.ok(&["index", "list", "--json"]).lines().len(), 0);
    home.ok(&["index", "add", "main", &format!("file://{folder}"), "--key", &author.public]);
    assert_eq!(home.run(&["index", "add", "main", folder, "--key", &author.public]).code(), 2);
    // That it lists a plugin does not mean that the plugin's publisher is trusted.
    refused(&home.run(&["plugin", "install", PLUGIN]), 8, "needs-human", "new-publisher");
    home.ok(&["index", "remove", "main"]);
    let ran = home.run(&["plugin", "install", PLUGIN]);
    assert_eq!(ran.code(), 3, "{}", ran.err());
    assert!(ran.err().contains("bitboot index add"), "{}", ran.err());
}

#[test]
fn of_many_that_add_one_name_one_does() {
    let (authors, home) = ([Author::new(), Author::new()], Home::new());
    for author in &authors {
        author.publish("1.0.0");
        author.index();
    }
    let add = |author: &Author| {
        let folder = author.folder().display().to_string();
        let words = ["index", "add", "main", &folder, "--key", &author.public];
        home.bitboot(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut adding: Vec<_> = (0..4).flat_map(|_| authors.each_ref().map(add)).collect();
    let codes: Vec<_> = adding.iter_mut().map(|child| child.wait().unwrap().code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    // What is kept of it is signed by the key that is kept.
    home.ok(&["plugin", "search"]);
    home.ok(&["index", "update"]);
}

#[test]
fn an_index_that_is_not_in_order_keeps_no_other_from_being_used() {
    let (author, home) = scene();
    home.ok(&["plugin", "install", PLUGIN]);
    let other = Author::new();
    other.publish("1.0.0");
    other.index();
    // It is asked before the good one.
    home.ok(&["index", "add", "bad", other.folder().to_str().unwrap(), "--key", &other.public]);
    fs::write(other.folder().join("index.toml"), "index = 1").unwrap();
    author.publish("1.1.0");
    author.index();
    refused(&home.run(&["plugin", "upgrade"]), 7, "integrity", "index");
    assert_eq!(home.version().unwrap(), "1.1.0");
}

#[test]
fn of_two_indexes_the_user_says_which() {
    let (author, home) = scene();
    let other = Author::new();
    other.publish("2.0.0");
    other.index();
    home.trust(&other);
    home.ok(&["index", "add", "other", other.folder().to_str().unwrap(), "--key", &other.public]);
    let ran = home.run(&["plugin", "install", PLUGIN]);
    assert_eq!(ran.code(), 2);
    assert!(ran.err().contains(&format!("main/{PLUGIN}, other/{PLUGIN}")), "{}", ran.err());
    home.ok(&["plugin", "install", &format!("main/{PLUGIN}")]);
    // From then on it is that one; the other's key is another one.
    home.ok(&["plugin", "install", PLUGIN]);
    assert_eq!(home.version().unwrap(), "1.0.0");
    refused(&home.run(&["plugin", "install", &format!("other/{PLUGIN}")]), 7, "integrity", "changed-key");
    drop(author);
}

#[test]
fn whoever_keeps_an_index_is_told_what_is_wrong() {
    let author = Author::new();
    let package = author.publish("1.0.0");
    let folder = author.folder();
    let build = || {
        author.home.run(&[
            "index",
            "build",
            folder.to_str().unwrap(),
            "--key",
            &author.key_file(),
            "--publisher",
            "Ann",
        ])
    };
    let good = fs::read(&package).unwrap();
    flip(&package, 100);
    refused(&build(), 7, "integrity", "archive");
    fs::write(&package, good).unwrap();
    let signature = author.release("1.0.0").with_added_extension("minisig");
    let signed = fs::read(&signature).unwrap();
    fs::write(&signature, "").unwrap();
    refused(&build(), 7, "integrity", "signature");
    fs::write(&signature, signed).unwrap();
    // Files in a folder of their own are found too.
    let own = folder.join(PLUGIN);
    fs::create_dir(&own).unwrap();
    for entry in
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        fs::rename(&entry, own.join(entry.file_name().unwrap())).unwrap();
    }
    author.index();
    let home = Home::new();
    home.add_index(&author);
    home.ok(&["plugin", "install", PLUGIN]);
    home.works();
}

#[test]
fn a_web_server_of_files_is_enough() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    author.index();
    let url = serve(author.folder());
    home.trust(&author);
    home.ok(&["index", "add", "main", &url, "--key", &author.public]);
    home.ok(&["plugin", "install", PLUGIN]);
    home.works();
    let name = package.file_name().unwrap().to_str().unwrap().to_owned();
    home.ok(&["plugin", "remove", PLUGIN]);
    home.ok(&["plugin", "install", &format!("{url}/{name}")]);
    assert_eq!(
        home.run(&["plugin", "install", &format!("{url}/{}", name.replace("1.0.0", "1.0.1"))]).code(),
        7
    );
    // Only this machine is spoken to without TLS, and it sends nobody elsewhere.
    assert_eq!(home.run(&["plugin", "install", &format!("http://example.org/{name}")]).code(), 2);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = home.run(&["index", "add", "gone", &format!("http://{nobody}"), "--key", &author.public]);
    assert_eq!(ran.code(), 5, "{}", ran.err());
    assert!(ran.err().contains("\n  fix: "), "{}", ran.err());
}

#[test]
fn a_server_is_believed_by_its_certificate() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    author.index();
    let (url, authority) = serve_tls(author.folder());
    let run = |words: &[&str]| Ran(home.bitboot(words).env("SSL_CERT_FILE", &authority).output().unwrap());
    let add = ["index", "add", "main", &url, "--key", &author.public];
    // An authority that this system does not know.
    let ran = home.run(&add);
    assert_eq!(ran.code(), 5, "{}", ran.err());
    assert_eq!(run(&add).code(), 0);
    home.trust(&author);
    let installed = run(&["plugin", "install", PLUGIN]);
    assert_eq!(installed.code(), 0, "{}", installed.err());
    home.works();
    // A server with TLS that sends to one without.
    let name = package.file_name().unwrap().to_str().unwrap();
    let away = run(&["plugin", "install", &format!("{url}/away/{name}")]);
    assert_eq!(away.code(), 5, "{}", away.err());
}

#[test]
fn an_index_whose_signer_is_revoked_offers_nothing_and_hides_nobody() {
    let (_author, home) = scene();
    let eve = Author::new();
    eve.publish("9.0.0");
    eve.index();
    home.ok(&["index", "add", "eve", eve.folder().to_str().unwrap(), "--key", &eve.public]);
    home.ok(&["trust", "revoke", &eve.public]);
    refused(&home.run(&["index", "update", "eve"]), 7, "integrity", "revoked");
    refused(&home.run(&["plugin", "install", &format!("eve/{PLUGIN}")]), 7, "integrity", "revoked");
    let ran = home.ok(&["plugin", "install", PLUGIN]);
    assert!(ran.err().contains("bitboot index remove eve"), "{}", ran.err());
    assert_eq!(home.version().unwrap(), "1.0.0");
}
