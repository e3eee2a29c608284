//! The real Secret Service: gnome-keyring on a session bus of its own, unlocked, locked and absent.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{Home, Ran, program};

/// Runs a script beside a keyring of the home's own that was unlocked; `$B` is bitboot. None of it outlives the bus.
fn beside_a_keyring(home: &Home, script: &str) -> Option<Ran> {
    let session = program("dbus-run-session")?;
    program("gnome-keyring-daemon")?;
    program("secret-tool")?;
    let data = home.path().join("xdg");
    std::fs::create_dir_all(data.join("keyrings")).unwrap();
    let script = format!(
        "set -e\nprintf pw | gnome-keyring-daemon --unlock --foreground --components=secrets >/dev/null 2>&1 & daemon=$!\n\
         trap 'kill $daemon' EXIT\n\
         for try in $(seq 600); do secret-tool search --all x y >/dev/null 2>&1 && break; sleep 0.1; done\n\
         {script}\n"
    );
    let mut command = home.program(Path::new(&session), &["--", "bash", "-c", &script]);
    command.env("B", env!("CARGO_BIN_EXE_bitboot")).env("XDG_DATA_HOME", data);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
    Some(Ran(command.output().unwrap()))
}

#[test]
fn a_key_lives_in_the_real_keyring() {
    let home = Home::new();
    let script = "$B key new mine --kind ed25519\n\
        $B key list --json\n\
        secret-tool lookup service bitboot username \"mine in $BITBOOT_HOME/config\" | cut -c1-8; echo\n\
        $B key import other --store keyring --existing && exit 90\n\
        $B key remove mine --yes\n\
        secret-tool lookup service bitboot username \"mine in $BITBOOT_HOME/config\" && exit 91\n\
        $B key new mine --kind secp256k1 && echo again";
    let Some(ran) = beside_a_keyring(&home, script) else { return };
    let told = format!("{}\n{}", ran.out(), ran.err());
    assert_eq!(ran.code(), 0, "{told}");
    assert!(
        told.contains("\"store\":\"keyring\"") && told.contains("ed25519:") && told.contains("again"),
        "{told}"
    );
    assert!(ran.err().contains("is kept in: the keyring of the operating system"), "{told}");
    assert!(ran.err().contains("the store \"keyring\" does not have the key \"other\""), "{told}");
}

#[test]
fn a_locked_keyring_is_told_in_time_with_the_way_out() {
    let home = Home::new();
    let script = format!(
        "$B key new mine --kind ed25519 2>/dev/null\n{LOCK}\nset +e\ndate +%s%3N\n$B key import mine2 --store keyring --existing --no-input; echo code $?\n\
         $B key new other --kind ed25519 --store keyring --no-input; echo code $?\ndate +%s%3N\n\
         $B key remove mine --yes --no-input; echo code $?\n$B key show mine\n\
         $B key remove mine --yes --forget --no-input; echo code $?\n$B key show mine; echo code $?"
    );
    let Some(ran) = beside_a_keyring(&home, &script) else { return };
    let (out, told) = (ran.out(), ran.err());
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines[1], lines[2]), ("code 4", "code 4"), "{out}{told}");
    let [start, end] = [lines[0], lines[3]].map(|line| line.parse::<u64>().unwrap());
    // Two commands, each of which would wait a minute for a person.
    assert!(end - start < 50_000, "{} ms: {told}", end - start);
    // A keyring that says nothing has deleted nothing; whoever knows better says so.
    assert_eq!(lines[4], "code 4", "{out}{told}");
    assert!(lines[5].starts_with("mine\t"), "{out}");
    assert_eq!(lines[6..], ["code 0", "code 4"], "{out}{told}");
    assert!(told.contains("unlock it") && told.contains("--forget"), "{told}");
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.map(|path| match path.symlink_metadata().unwrap().file_type() {
        kind if kind.is_dir() => files(&path),
        kind if kind.is_file() => vec![path],
        _ => Vec::new(),
    });
    below.flatten().collect()
}

/// Locks the collection in which everything is kept.
const LOCK: &str = "gdbus call --session -d org.freedesktop.secrets -o /org/freedesktop/secrets -m org.freedesktop.Secret.Service.Lock \"['/org/freedesktop/secrets/collection/login']\" >/dev/null";

#[test]
fn a_key_in_the_real_keyring_signs_and_is_deleted_there() {
    support::away_from_midnight();
    let home = Home::new();
    home.forget_the_world();
    let folder = home.path().join("toll");
    home.add_misbehaving(
        "toll",
        "toll",
        &format!("folder = {:?}, scheme = \"ed25519\"", folder.display().to_string()),
    );
    let script = "$B key new mine --kind ed25519\n\
        $B key policy mine --allow toll --per-transaction 0.01TOL --per-day 0.01TOL\n\
        $B announce demo --peer 127.0.0.1:4001 --via toll --once --yes --max-fee 0.002TOL --no-input\n\
        $B key show mine --json\n\
        secret-tool lookup service bitboot username \"mine in $BITBOOT_HOME/config\" >/dev/null\n\
        $B key remove mine --yes\n\
        secret-tool lookup service bitboot username \"mine in $BITBOOT_HOME/config\" && exit 91\n\
        exit 0";
    let Some(ran) = beside_a_keyring(&home, script) else { return };
    let told = format!("{}\n{}", ran.out(), ran.err());
    assert_eq!(ran.code(), 0, "{told}");
    let line = ran.out().lines().find(|line| line.contains("public_key")).map(ToOwned::to_owned).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("0.json")).unwrap()).unwrap();
    let bytes = |name: &str| serde_json::from_value::<Vec<u8>>(written[name].clone()).unwrap();
    // Verified by another hand than the host's.
    let public = data_encoding::HEXLOWER.decode(line["public_key"].as_str().unwrap().as_bytes()).unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&bytes("signature")).unwrap();
    key.verify_strict(&bytes("payload"), &signature).unwrap();
    assert_eq!(line["spent_today"][0]["spent"], "0.002 TOL", "{line}");
}

#[test]
fn the_nodes_key_and_a_networks_secret_live_in_the_real_keyring() {
    let home = Home::new();
    home.forget_the_world();
    let announce = "announce club --port 4001 --via local --once --no-input";
    let script = format!(
        "$B network add club --secret new\n$B {announce}\n$B status --json\n\
         echo seed $(cat $BITBOOT_HOME/state/identity)\n\
         $B key move node --store keyring\n$B key move --network club --store keyring\n\
         test ! -e $BITBOOT_HOME/state/identity\ntest -z \"$(ls $BITBOOT_HOME/data/secrets)\"\n\
         secret-tool lookup service bitboot username \"node in $BITBOOT_HOME/config\" | cut -c1-8; echo\n\
         $B {announce}\n$B lookup club --via local --json\n{LOCK}\nset +e\n\
         s=$(date +%s%3N); $B {announce}; echo announce $? $(($(date +%s%3N) - s))\n\
         s=$(date +%s%3N); $B lookup club --via local --no-input; echo lookup $? $(($(date +%s%3N) - s))\n\
         s=$(date +%s%3N); $B key remove node --yes --no-input; echo remove $? $(($(date +%s%3N) - s))\n\
         s=$(date +%s%3N); $B key move node --store home --no-input; echo move $? $(($(date +%s%3N) - s))\n\
         for c in status 'key list' 'network list' 'lookup demo --via local'; do $B $c >/dev/null 2>&1; echo free $?; done\n\
         test ! -e $BITBOOT_HOME/state/identity && echo none made"
    );
    let Some(ran) = beside_a_keyring(&home, &script) else { return };
    let (out, told) = (ran.out(), ran.err());
    let value = |name: &str| {
        let at = out.find(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("{name}: {out}{told}"))
            + name.len()
            + 4;
        out[at..].split('"').next().unwrap().to_owned()
    };
    assert!(out.contains("ed25519:"), "{out}{told}");
    assert_eq!(value("public_key"), value("signed_by"));
    for what in ["announce", "lookup", "remove", "move"] {
        let line = out.lines().find(|line| line.starts_with(what)).unwrap();
        let [code, took] = line[what.len() + 1..].split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(code == "4" && took.parse::<u64>().unwrap() < 50_000, "{line}: {told}");
    }
    assert_eq!(out.matches("free 0").count() + out.matches("free 3").count(), 4, "{out}{told}");
    assert!(told.contains("unlock it") && out.contains("none made"), "{out}{told}");
    // The keyring's own files included, nothing on the disk has it any more.
    let seed = out.lines().find_map(|line| line.strip_prefix("seed ")).unwrap();
    let bytes = data_encoding::HEXLOWER.decode(seed.as_bytes()).unwrap();
    let base64 = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    assert!(told.lines().all(|line| !line.contains(seed) && !line.contains(&base64)));
    for file in files(home.path()) {
        let content = std::fs::read(&file).unwrap();
        for form in [&bytes[..], seed.as_bytes(), base64.as_bytes()] {
            assert!(!content.windows(form.len()).any(|part| part == form), "{}", file.display());
        }
    }
}

#[test]
fn an_absent_keyring_is_told_at_once() {
    let Some(session) = program("dbus-run-session") else { return };
    let home = Home::new();
    // A bus with nobody on it, and nobody to be started.
    let bus = home.path().join("bus.conf");
    let rules = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/></policy></busconfig>";
    std::fs::write(&bus, rules).unwrap();
    let bus = format!("--config-file={}", bus.display());
    let bitboot = env!("CARGO_BIN_EXE_bitboot");
    let words = [&bus, "--", bitboot, "key", "new", "mine", "--kind", "ed25519", "--no-input"];
    let mut command = home.program(Path::new(&session), &words);
    let start = Instant::now();
    let ran = Ran(command.output().unwrap());
    assert_eq!(ran.code(), 4, "{}", ran.err());
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    let says = "bitboot key new mine --kind ed25519 --store file --passphrase-file FILE";
    assert!(ran.err().contains(says), "{}", ran.err());
}
