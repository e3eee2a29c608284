//! What is no plugin is refused at the right gate, in one sentence, and harms nobody.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitboot_conformance::{Driver, example, library};
use bitboot_plugin_api::ffi::outside::{Gate, Library, Refusal, inspect};
use bitboot_plugin_api::{Announcement, ErrorKind, Locator, Query};
use serde_json::json;

fn refusal(path: &Path) -> Refusal {
    Library::open(path).map(|_| ()).unwrap_err()
}

fn misfit(name: &str) -> Refusal {
    refusal(&example("bitboot-misbehaving", name))
}

#[track_caller]
fn is(refusal: &Refusal, gate: Gate, sentence: &str) {
    assert_eq!((refusal.gate, refusal.what.as_str()), (gate, sentence));
    assert!(!refusal.what.contains('\n') && !refusal.what.ends_with('.'));
}

#[test]
fn a_library_that_knows_nothing_of_bitboot_has_no_manifest() {
    is(&misfit("no_symbols"), Gate::Manifest, "it is no bitboot plugin: it carries no manifest");
}

#[test]
fn a_manifest_alone_is_no_plugin() {
    is(&misfit("no_magic"), Gate::Magic, "it is no bitboot plugin: it has no BITBOOT_PLUGIN_MAGIC");
}

#[test]
fn another_api_is_told_by_its_number() {
    is(&misfit("other_major"), Gate::Magic, "it speaks plugin API 9, this bitboot speaks 1");
}

#[test]
fn a_magic_alone_is_no_plugin() {
    is(&misfit("no_root"), Gate::Layout, "it is no bitboot plugin: it has no BITBOOT_PLUGIN_ROOT");
}

#[test]
fn a_hidden_layout_is_not_trusted() {
    let sentence = "it hides the layout of its types, so it cannot be trusted to fit";
    is(&misfit("no_layout"), Gate::Layout, sentence);
}

#[test]
fn a_liar_is_found_out() {
    let sentence = "it says another thing of itself when it runs than in its manifest";
    is(&misfit("liar"), Gate::Truth, sentence);
}

#[test]
fn a_library_is_looked_at_without_running_it() {
    // To open it would end this process; to look at it does not.
    let manifest = inspect(&example("bitboot-misbehaving", "aborts_on_load")).unwrap();
    assert!(manifest.starts_with("name = \"aborts_on_load\""), "{manifest}");
}

#[test]
fn what_is_no_file_is_refused() {
    let place = tempfile::tempdir().unwrap();
    is(&refusal(place.path()), Gate::File, "it is no regular file");
    let missing = refusal(&place.path().join("missing.so"));
    assert_eq!(missing.gate, Gate::File);
    assert!(missing.what.starts_with("it cannot be read (No such file"), "{missing}");
}

#[test]
fn a_file_of_other_bytes_is_refused() {
    let place = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("empty.so", Vec::new()),
        ("text.so", b"#!/bin/sh\nexit 0\n".to_vec()),
        ("random.so", (0..100_000_u32).map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).collect()),
        ("magic.so", b"\x7fELF\x02\x01\x01".iter().chain([0; 4096].iter()).copied().collect()),
        ("archive.so", b"!<arch>\n".to_vec()),
    ] {
        let path = place.path().join(name);
        fs::write(&path, bytes).unwrap();
        let refusal = refusal(&path);
        assert_eq!(refusal.gate, Gate::Library, "{name}: {refusal}");
    }
}

#[test]
fn a_program_is_no_plugin() {
    let refusal = refusal(&std::env::current_exe().unwrap());
    assert!(refusal.gate <= Gate::Manifest, "{refusal}");
}

/// A copy of a good plugin in a file of its own.
fn copy(to: &Path, name: &str) -> PathBuf {
    let path = to.join(name);
    fs::copy(library("bitboot_misbehaving"), &path).unwrap();
    path
}

#[test]
fn a_truncated_library_is_refused_at_every_length() {
    let place = tempfile::tempdir().unwrap();
    let path = copy(place.path(), "truncated.so");
    let whole = fs::metadata(&path).unwrap().len();
    let steps = (0..100).map(|step| whole * step / 100);
    let edges = [1, 4, 16, 63, 64, 65, 4095, 4096, 4097, whole - 4096, whole - 64, whole - 1];
    let mut lengths = steps.chain(edges).collect::<Vec<_>>();
    // Each cut is made in what the last one has left.
    lengths.sort_unstable_by(|one, other| other.cmp(one));
    for length in lengths {
        fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let refusal = refusal(&path);
        assert_eq!(refusal.gate, Gate::Library, "{length} of {whole} bytes: {refusal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn another_machines_library_is_refused() {
    const MACHINE: usize = 18;
    const SPARC: u16 = 43;
    let place = tempfile::tempdir().unwrap();
    let path = copy(place.path(), "other-machine.so");
    let mut bytes = fs::read(&path).unwrap();
    bytes[MACHINE..MACHINE + 2].copy_from_slice(&SPARC.to_ne_bytes());
    fs::write(&path, bytes).unwrap();
    let refusal = refusal(&path);
    assert_eq!(refusal.gate, Gate::Library);
    assert!(refusal.what.starts_with("it is built for Sparc64, this machine is "), "{refusal}");
}

#[test]
fn damaged_headers_never_harm_who_looks() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("damaged.so");
    let good = fs::read(example("bitboot-misbehaving", "no_symbols")).unwrap();
    let (head, tail) = (0..1024, good.len() - 4096..good.len());
    for (turn, at) in head.chain(tail).step_by(7).enumerate() {
        let mut bytes = good.clone();
        bytes[at] ^= [0x01, 0x80, 0xff][turn % 3];
        fs::write(&path, bytes).unwrap();
        // Whatever it says, it says it without a panic and without running anything.
        let _ = inspect(&path);
    }
}

#[tokio::test]
async fn three_files_are_three_plugins() {
    let place = tempfile::tempdir().unwrap();
    let locator = Locator::new(&[7; 20]).unwrap();
    let mut backends = Vec::new();
    for (port, name) in (4001..).zip(["one.so", "two.so", "three.so"]) {
        let backend = Driver::open(&copy(place.path(), name), "panics", json!({})).await.unwrap();
        backend.announce(&Announcement::new(locator.clone()).with_port(port)).await.unwrap();
        backends.push((port, backend));
    }
    // Each has a memory of its own.
    for (port, backend) in backends {
        let finds = backend.lookup(&Query::new(locator.clone()), Duration::from_secs(60)).await;
        let ports = finds.peers.iter().map(|peer| peer.endpoint.port()).collect::<Vec<_>>();
        assert_eq!(ports, [port]);
    }
}

#[test]
fn a_kind_that_a_plugin_does_not_have_is_told_by_its_name() {
    let library = Library::open(&library("bitboot_misbehaving")).unwrap();
    let error = Driver::create(&library, "unicorn").map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "the plugin has no kind of backend `unicorn`");
}
