//! What `host/fuzz` feeds: packages, releases, indexes and locks of strangers.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{Index, Lock, Release, Trust, look, this_target, unpack};

/// A package. Hardly anything that a fuzzer makes is a frame of zstd, so an archive is packed here if the first byte says so.
pub fn package(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let packed =
        if first & 1 == 0 { rest.to_vec() } else { compress_to_vec(rest, CompressionLevel::Fastest) };
    let name = format!("demo-1.0.0-{}.bbp", this_target());
    if let Ok(seen) = look(packed.as_slice(), &name) {
        assert_eq!((seen.manifest.name.as_str(), seen.target), ("demo", this_target()));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).expect("a folder");
    let _ = unpack(packed.as_slice(), &inside, |_| {});
    // Nothing is ever written elsewhere, or as a link.
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
    for entry in std::fs::read_dir(&inside).expect("the folder").flatten() {
        assert!(entry.file_type().is_ok_and(|kind| kind.is_file()));
    }
}

/// A release: what is read stays what it is when it is written.
pub fn release(bytes: &[u8]) {
    if let Ok(release) = Release::parse(bytes) {
        let text = release.to_text().expect("what was read can be written");
        assert!(
            text.len() > super::MAX_RELEASE
                || Release::parse(text.as_bytes()).is_ok_and(|again| again == release)
        );
        assert!(!release.file_name().contains(['/', '\\']));
    }
}

/// An index: nothing in it leads out of its folder.
pub fn index(bytes: &[u8]) {
    if let Ok(index) = Index::parse(bytes) {
        let folder = super::Place::File("/index".into());
        for listed in &index.releases {
            let place = listed.place(&folder).to_string();
            assert!(place.starts_with("/index/") && !place.contains(".."), "{place}");
            let _ = index.newest(&listed.name);
        }
        let _ = index.not_expired("demo", std::time::SystemTime::UNIX_EPOCH);
    }
}

/// A lock, and what is believed of publishers.
pub fn lock(text: &str) {
    if let Ok(lock) = Lock::parse(text, "bitboot.lock") {
        for (name, versions) in &lock.plugins {
            assert!(versions.keys().all(|version| !format!("{name}{version}").contains(['/', '\\'])));
        }
    }
    if let Ok(trust) = Trust::parse(text, "trust.toml") {
        for key in trust.publishers.keys() {
            let _ = trust.judge("demo", key);
        }
    }
}
