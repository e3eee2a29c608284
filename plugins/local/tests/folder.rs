//! What lies in the folder besides what the backend has put there.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bitboot_conformance::{Driver, Finds, library};
use bitboot_plugin_api::{Announcement, ErrorKind, Locator, Query};
use serde_json::json;
use tempfile::TempDir;

const FOLDER: &str = "BITBOOT_LOCAL_TEST_FOLDER";

struct Place {
    _root: TempDir,
    folder: PathBuf,
    backend: Driver,
}

impl Place {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("peers");
        let backend = open(&folder).await;
        Self { _root: root, folder, backend }
    }

    async fn lookup(&self) -> Finds {
        self.backend.lookup(&Query::new(locator()), Duration::from_secs(60)).await
    }

    /// The folder with the entries of the one locator that is used here.
    fn entries(&self) -> PathBuf {
        let entries = self.folder.join(locator().to_hex());
        fs::create_dir_all(&entries).unwrap();
        entries
    }
}

async fn open(folder: &Path) -> Driver {
    Driver::open(&library("bitboot_local"), "local", json!({ "folder": folder })).await.unwrap()
}

fn locator() -> Locator {
    Locator::new(&[7; 20]).unwrap()
}

fn ports(finds: &Finds) -> Vec<u16> {
    let mut ports = finds.peers.iter().map(|peer| peer.endpoint.port()).collect::<Vec<_>>();
    ports.sort_unstable();
    ports
}

#[tokio::test]
async fn junk_in_the_folder_is_passed_over() {
    let place = Place::new().await;
    place.backend.announce(&Announcement::new(locator()).with_port(4001)).await.unwrap();
    let entries = place.entries();
    let good = fs::read(fs::read_dir(&entries).unwrap().next().unwrap().unwrap().path()).unwrap();
    for (name, bytes) in [
        ("random.json", (0..=255).cycle().take(5000).collect()),
        ("empty.json", Vec::new()),
        ("half.json", good[..good.len() / 2].to_vec()),
        ("port-0.json", br#"{"endpoints":["127.0.0.1:0"],"expires":99999999999}"#.to_vec()),
        ("nested.json", vec![b'['; 100_000]),
        ("oversize.json", vec![b' '; 10 << 20]),
        ("other.txt", good.clone()),
        (".unfinished.json.1.0", good.clone()),
    ] {
        fs::write(entries.join(name), bytes).unwrap();
    }
    fs::create_dir(entries.join("folder.json")).unwrap();
    let finds = place.lookup().await;
    finds.outcome.as_ref().unwrap();
    assert_eq!(ports(&finds), [4001]);
}

#[cfg(unix)]
#[tokio::test]
async fn files_that_never_end_are_not_read() {
    let place = Place::new().await;
    let entries = place.entries();
    assert!(Command::new("mkfifo").arg(entries.join("pipe.json")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", entries.join("zero.json")).unwrap();
    std::os::unix::fs::symlink(entries.join("loop.json"), entries.join("loop.json")).unwrap();
    place.lookup().await.outcome.unwrap();
}

#[tokio::test]
async fn an_expired_entry_is_neither_told_nor_kept() {
    let place = Place::new().await;
    let expired = place.entries().join("expired.json");
    fs::write(&expired, r#"{"endpoints":["127.0.0.1:4001"],"expires":1}"#).unwrap();
    assert_eq!(ports(&place.lookup().await), [0; 0]);
    assert!(!expired.exists());
}

#[tokio::test]
async fn an_announcement_that_nobody_would_read_is_refused() {
    let place = Place::new().await;
    let mut what = Announcement::new(locator());
    for number in 0..2000 {
        what = what.with_endpoint(format!("{}{number}.example:80", "a".repeat(50)).parse().unwrap());
    }
    assert_eq!(place.backend.announce(&what).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn one_peer_announced_at_once_is_one_whole_entry() {
    let place = Place::new().await;
    let what = Announcement::new(locator()).with_port(4001);
    let body = bitboot_plugin_api::message::encode(&what);
    let call = || place.backend.call("announce", body.clone(), Duration::from_secs(60));
    let calls = (0..64).map(|_| call()).collect::<Vec<_>>();
    for call in calls {
        call.finish::<bitboot_plugin_api::Receipt>().await.unwrap();
    }
    assert_eq!(fs::read_dir(place.entries()).unwrap().count(), 1);
    assert_eq!(ports(&place.lookup().await), [4001]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_others_may_write_in_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new().await;
    let _ = place.entries();
    fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o777)).unwrap();
    let announced = place.backend.announce(&Announcement::new(locator()).with_port(4001)).await;
    for error in [
        announced.unwrap_err(),
        place.lookup().await.outcome.unwrap_err(),
        place.backend.health().await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.to_string().contains("others may write"), "{error}");
        assert!(error.fix.is_some());
    }
}

#[tokio::test]
async fn processes_find_each_other() {
    let place = Place::new().await;
    place.backend.announce(&Announcement::new(locator()).with_port(4001)).await.unwrap();
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "announces_as_another_process"])
        .env(FOLDER, &place.folder)
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stdout));
    assert_eq!(ports(&place.lookup().await), [4001, 4002]);
}

#[tokio::test]
async fn announces_as_another_process() {
    // The other half of `processes_find_each_other`; by itself it has nothing to do.
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let backend = open(Path::new(&folder)).await;
    backend.announce(&Announcement::new(locator()).with_port(4002)).await.unwrap();
}

#[tokio::test]
async fn whoever_announces_tidies_up() {
    let place = Place::new().await;
    let other = place.folder.join("0102");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("old.json"), r#"{"endpoints":["127.0.0.1:4001"],"expires":1}"#).unwrap();
    let living = place.folder.join("0304");
    fs::create_dir_all(&living).unwrap();
    fs::write(living.join("a.json"), r#"{"endpoints":["127.0.0.1:4001"],"expires":99999999999}"#).unwrap();
    place.backend.announce(&Announcement::new(locator()).with_port(4001)).await.unwrap();
    assert!(!other.exists() && living.join("a.json").exists());
    assert_eq!(ports(&place.lookup().await), [4001]);
}
