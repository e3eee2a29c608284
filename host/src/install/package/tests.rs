use std::io::Write;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use super::*;

const MANIFEST_TEXT: &str = "name = \"demo\"\nversion = \"1.0.0\"\napi = 1\n[[backend]]\nkind = \"demo\"\n";

struct File<'a> {
    name: &'a str,
    kind: EntryType,
    mode: u32,
    content: &'a [u8],
}

fn plain<'a>(name: &'a str, content: &'a [u8]) -> File<'a> {
    File { name, kind: EntryType::Regular, mode: 0o444, content }
}

fn archive(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(file.kind);
        // As an attacker writes it: the library would not.
        header.as_old_mut().name[..file.name.len()].copy_from_slice(file.name.as_bytes());
        if file.kind == EntryType::Symlink {
            header.set_link_name("plugin.toml").unwrap();
        }
        header.set_size(file.content.len() as u64);
        header.set_mode(file.mode);
        header.set_cksum();
        builder.append(&header, file.content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn refusal_of(tar: &[u8]) -> String {
    refusal_of_packed(&compress_to_vec(tar, CompressionLevel::Fastest))
}

fn refusal_of_packed(packed: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let error = unpack(packed, &inside, |_| {}).unwrap_err();
    assert_eq!(error.kind, crate::Kind::Integrity, "{error}");
    assert!(error.gate.is_some() && error.fix.is_some(), "{error}");
    // Nothing is written beside the folder, whatever the names say.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    error.why.unwrap()
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let manifest = || plain("plugin.toml", MANIFEST_TEXT.as_bytes());
    let library = crate::install::names::library("demo", &crate::install::names::this_target());
    let cases: [(File<'_>, &str); 15] = [
        (plain("/etc/passwd", b"x"), "is an absolute path"),
        (plain("C:\\x", b"x"), "is an absolute path"),
        (plain("../x", b"x"), "leads out of its folder"),
        (plain("a/../../x", b"x"), "leads out of its folder"),
        (plain("a/LICENSE", b"x"), "is no file name"),
        (plain("./LICENSE", b"x"), "is no file name"),
        (plain("install.sh", b"x"), "has no place in a package"),
        (plain("plugin.toml", b"x"), "is there twice"),
        (plain("Plugin.TOML", b"x"), "is there twice"),
        (plain("license", b"x"), "has no place in a package"),
        (File { mode: 0o4755, ..plain("LICENSE", b"x") }, "has the mode 4755"),
        (File { mode: 0o2755, ..plain("LICENSE", b"x") }, "has the mode 2755"),
        (File { kind: EntryType::Symlink, ..plain("LICENSE", b"") }, "is no plain file"),
        (File { kind: EntryType::Link, ..plain("LICENSE", b"") }, "is no plain file"),
        (File { kind: EntryType::Directory, ..plain("LICENSE", b"") }, "is no plain file"),
    ];
    for (file, rule) in cases {
        let name = file.name;
        let why = refusal_of(&archive(&[manifest(), file]));
        assert!(why.contains(rule), "{name}: {why}");
    }
    let extended = File { kind: EntryType::XHeader, ..plain("x", b"20 path=/etc/passwd\n") };
    assert!(refusal_of(&archive(&[manifest(), extended])).contains("is no plain file"));
    let long = File { kind: EntryType::GNULongName, ..plain("././@LongLink", b"/etc/passwd\0") };
    assert!(refusal_of(&archive(&[manifest(), long])).contains("is no plain file"));
    assert!(refusal_of(&archive(&[plain(&library, b"x")])).contains("has no place in a package"));
    assert!(refusal_of(&archive(&[manifest()])).contains("it has no library"));
    assert!(refusal_of(&archive(&[manifest(), plain(&library, b"x")])).contains("no whole shared library"));
    assert!(refusal_of(&archive(&[])).contains("it has no plugin.toml"));
    let other = MANIFEST_TEXT.replace("api = 1", "api = 9");
    assert!(refusal_of(&archive(&[plain("plugin.toml", other.as_bytes())])).contains("plugin API 9"));
}

#[test]
fn a_bomb_does_not_go_off() {
    // Says that it is large.
    let mut tar = archive(&[plain("plugin.toml", MANIFEST_TEXT.as_bytes())]);
    tar.truncate(1024);
    let library = crate::install::names::library("demo", &crate::install::names::this_target());
    let mut header = Header::new_ustar();
    header.set_path(&library).unwrap();
    header.set_size(MAX_LIBRARY + 1);
    header.set_mode(0o444);
    header.set_cksum();
    tar.write_all(header.as_bytes()).unwrap();
    assert!(refusal_of(&tar).contains("are allowed"));
    // A text of zeros, far smaller when it is packed.
    let zeros = vec![0; usize::try_from(MAX_TEXT).unwrap() + 1];
    let packed =
        compress_to_vec(archive(&[plain("plugin.toml", &zeros)]).as_slice(), CompressionLevel::Fastest);
    assert!(packed.len() < zeros.len() / 100);
    assert!(refusal_of_packed(&packed).contains("are allowed"));
    // A frame that wants a window of 2 GiB: RFC 8878, 3.1.1.1.2.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    refusal_of_packed(&window);
}

#[test]
fn nothing_follows_the_end() {
    let tar = archive(&[plain("plugin.toml", MANIFEST_TEXT.as_bytes())]);
    let mut longer = tar.clone();
    longer.extend(b"more");
    assert!(refusal_of(&longer).contains("follows the archive's end"));
    let mut packed = compress_to_vec(tar.as_slice(), CompressionLevel::Fastest);
    packed.extend(b"more");
    assert!(refusal_of_packed(&packed).contains("follows the end"));
    for cut in [0, 3, 9, packed.len() / 2] {
        refusal_of_packed(&packed[..cut]);
    }
}

#[test]
fn the_same_parts_make_the_same_bytes() {
    let about = crate::loader::parse_manifest(MANIFEST_TEXT).unwrap();
    let parts = Parts {
        manifest: MANIFEST_TEXT.into(),
        library: (0..100_000_u32).flat_map(u32::to_le_bytes).collect(),
        schema: Some("{}".into()),
        license: Some("MIT".into()),
        man_page: None,
    };
    let once = pack(&about, "x86_64-linux", &parts).unwrap();
    assert_eq!(once, pack(&about, "x86_64-linux", &parts).unwrap());
    let other = Parts { license: Some("BSD".into()), ..parts };
    assert_ne!(once, pack(&about, "x86_64-linux", &other).unwrap());
}

proptest::proptest! {
    #[test]
    fn what_is_packed_is_what_is_seen(
        library in proptest::collection::vec(proptest::num::u8::ANY, 0..70_000),
        license in proptest::option::of("[a-z ]{0,2000}"),
        cut in 0..100_usize,
    ) {
        let about = crate::loader::parse_manifest(MANIFEST_TEXT).unwrap();
        let manifest = MANIFEST_TEXT.to_owned();
        let digest = crate::install::Digest::of(&library);
        let packed = pack(&about, "pdp11-unix", &Parts { manifest, library, schema: None, license, man_page: None }).unwrap();
        let seen = look(packed.as_slice(), "demo-1.0.0-pdp11-unix.bbp").unwrap();
        proptest::prop_assert_eq!((seen.library, seen.text.as_str()), (digest, MANIFEST_TEXT));
        // For another machine, under another name, or cut: not seen.
        proptest::prop_assert!(look(packed.as_slice(), "demo-1.0.1-pdp11-unix.bbp").is_err());
        let cut = (packed.len() * cut / 100).min(packed.len() - 1);
        proptest::prop_assert!(look(&packed[..cut], "demo-1.0.0-pdp11-unix.bbp").is_err());
    }
}
