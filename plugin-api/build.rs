//! Tells the crate which compiler builds it, for the plain-C magic that a host reads first.

use std::process::Command;

fn main() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|told| String::from_utf8(told.stdout).ok());
    // The second word of `rustc 1.95.0 (59807616e 2026-04-14)`.
    let version = version.as_deref().and_then(|line| line.split(' ').nth(1)).unwrap_or("unknown");
    println!("cargo:rustc-env=BITBOOT_RUSTC={version}");
    println!("cargo:rerun-if-changed=build.rs");
}
