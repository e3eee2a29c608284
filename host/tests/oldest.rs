//! A plugin that was built for the first version of the contract works in the host of today.

mod support;

use std::path::{Path, PathBuf};

use support::{Home, Workshop};

fn api_1_0() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oldest/api-1.0")
}

/// From `plugin info` to a lookup, through a library.
fn works(library: &Path) {
    let home = Home::new();
    home.forget_the_world();
    home.add_plugin("oldest", library);
    let info = home.ok(&["plugin", "info", "oldest", "--json"]);
    assert_eq!(
        (&info.lines()[0]["version"], &info.lines()[0]["kinds"][0]),
        (&"0.1.0".into(), &"oldest".into())
    );
    let folder = format!("folder={}", home.path().join("shared").display());
    home.ok(&["backend", "add", "oldest", "--plugin", "oldest", "--set", &folder]);
    let about = home.ok(&["backend", "info", "oldest", "--json"]);
    // What a contract of later days knows is not there, and that is no error.
    assert_eq!(about.lines()[0]["caps"]["stores"], "endpoints");
    assert_eq!(home.ok(&["backend", "ping", "oldest", "--json"]).lines()[0]["reachable"], true);
    let peer = "203.0.113.7:4001";
    home.ok(&["announce", "demo", "--peer", peer, "--via", "oldest", "--once"]);
    assert_eq!(home.ok(&["lookup", "demo", "--via", "oldest", "--json"]).peers(), [peer]);
    // Its refusals come over as what they are.
    let refused = home.run(&["announce", "demo", "--port", "4001", "--via", "oldest", "--once"]);
    assert!(refused.err().contains("whole addresses only\n  fix: announce with --peer"), "{}", refused.err());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn the_oldest_plugin_binary_works() {
    works(&api_1_0().join("x86_64-linux-gnu.so"));
}

#[test]
fn what_its_author_wrote_still_compiles_and_works() {
    let shop = Workshop::new("oldest");
    let folder = shop.path().join("oldest");
    for file in ["Cargo.toml", "plugin.toml", "src/lib.rs"] {
        let to = folder.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(api_1_0().join(file), to).unwrap();
    }
    Workshop::furnish(&folder);
    works(&Workshop::build(&folder, "bitboot_oldest"));
}
