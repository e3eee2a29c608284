//! What is committed as the compiled contract is what its source compiles to.

use std::path::Path;
use std::process::Command;

#[test]
fn the_compiled_contract_is_that_of_its_source() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (contract, packages) = (here.join("contract"), here.join("../../target/rig/ethereum/node_modules"));
    if !packages.join("solc").exists() {
        let told = "skipped: solc is not installed, run cargo xtask setup";
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
        return;
    }
    let compiled = Command::new("node").arg(contract.join("compile.js")).arg(packages).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let committed = std::fs::read(contract.join("Bitboot.json")).unwrap();
    assert!(compiled.stdout == committed, "write it anew: cargo xtask contract");
}
