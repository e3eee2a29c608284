//! The real Secret Service: gnome-keyring on a session bus of its own, unlocked, locked and absent.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::path::Path;
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
         for try in $(seq 100); do secret-tool search --all x y >/dev/null 2>&1 && break; sleep 0.1; done\n\
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
    assert!(ran.err().contains("the store \"keyring\" has no key \"other\""), "{told}");
}

#[test]
fn a_locked_keyring_is_told_in_time_with_the_way_out() {
    let home = Home::new();
    let lock = "gdbus call --session -d org.freedesktop.secrets -o /org/freedesktop/secrets -m org.freedesktop.Secret.Service.Lock \"['/org/freedesktop/secrets/collection/login']\" >/dev/null";
    let script = format!(
        "$B key new mine --kind ed25519 2>/dev/null\n{lock}\nset +e\ndate +%s%3N\n$B key import mine2 --store keyring --existing --no-input; echo code $?\n\
         $B key new other --kind ed25519 --store keyring --no-input; echo code $?\ndate +%s%3N"
    );
    let Some(ran) = beside_a_keyring(&home, &script) else { return };
    let (out, told) = (ran.out(), ran.err());
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines[1], lines[2]), ("code 4", "code 4"), "{out}{told}");
    let [start, end] = [lines[0], lines[3]].map(|line| line.parse::<u64>().unwrap());
    // Two commands: less than three seconds each.
    assert!(end - start < 6000, "{} ms: {told}", end - start);
    assert!(told.contains("unlock it") && told.contains("--store file"), "{told}");
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
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let says = "bitboot key new mine --kind ed25519 --store file --passphrase-file FILE";
    assert!(ran.err().contains(says), "{}", ran.err());
}
