//! The main job in front of one's eyes: a private DHT on loopback, two announcing processes, one that finds them.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::process::{Running, cargo, run, say, target};

/// Builds bitboot and shows what it does; leaves nothing behind.
pub(crate) fn demo(root: &Path) -> Result<(), String> {
    say("building bitboot and its plugins");
    cargo(root, &["build", "--quiet"])?;
    let stage = Stage::set()?;

    say("starting a private BitTorrent DHT of 30 nodes on loopback");
    let (_testnet, told) = Running::start(&mut stage.bitboot("host", "testnet --nodes 30 --plain"), 1)?;
    // `bootstrap<TAB>HOST:PORT,HOST:PORT,...`
    let bootstrap = told.iter().flat_map(|line| line.split(['\t', ','])).nth(1);
    let bootstrap = bootstrap.ok_or("the test network tells no bootstrap host")?;
    let lab =
        format!("--quiet backend add lab --plugin mainline --set bind=127.0.0.1 --set bootstrap={bootstrap}");

    let mut kept = Vec::new();
    for (home, port) in [("alice", 4001), ("bob", 4002)] {
        say(&format!(
            "{home} announces port {port} in the network \"demo\", on that DHT and on this machine"
        ));
        run(&mut stage.bitboot(home, &lab))?;
        let announce = format!("--quiet announce demo --port {port} --via lab,local --json");
        // A line for each backend, whether it went well or not.
        let (keeper, said) = Running::start(&mut stage.bitboot(home, &announce), 2)?;
        if let Some(failed) = said.iter().find(|line| !line.contains("\"receipt\"")) {
            return Err(format!("{home} could not announce: {failed}"));
        }
        kept.push(keeper);
    }
    say("carol looks \"demo\" up\n");
    run(&mut stage.bitboot("carol", &lab))?;
    run(&mut stage.bitboot("carol", "lookup demo --via lab,local --table"))
}

/// A folder with a home for each, gone with the demo.
struct Stage {
    folder: PathBuf,
    binary: PathBuf,
}

impl Stage {
    fn set() -> Result<Self, String> {
        let folder = env::temp_dir().join(format!("bitboot-demo-{}", process::id()));
        fs::create_dir_all(folder.join("run"))
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self { folder, binary: target()?.join("debug").join(format!("bitboot{EXE_SUFFIX}")) })
    }

    fn bitboot(&self, home: &str, words: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words.split(' ')).env("BITBOOT_HOME", self.folder.join(home));
        command.env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
