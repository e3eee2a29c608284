use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::ask_never;
use super::*;
use crate::files::Locked;
use crate::paths::Paths;

fn ring(home: &std::path::Path) -> KeyRing {
    KeyRing::new(&Paths::inside(home), ask_never(None), false)
}

#[test]
fn the_identity_stays_and_only_its_owner_can_read_it() {
    let home = tempfile::tempdir().unwrap();
    assert!(ring(home.path()).known_identity().unwrap().is_none());
    let made = ring(home.path()).identity().unwrap().public();
    assert_eq!(ring(home.path()).identity().unwrap().public(), made);
    assert_eq!(ring(home.path()).known_identity().unwrap().unwrap().0, made.to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = home.path().join("state/identity");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(ring(home.path()).identity().unwrap_err().kind, Kind::Key);
    }
}

#[test]
fn a_secret_is_there_until_it_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let keys = ring(home.path());
    let network: Network = "a/../b".parse().unwrap();
    let delete = || keys.delete(&Item::Network(network.clone()), false).unwrap();
    keys.keep_secret(&network, &Secret::new([7; 32])).unwrap();
    assert_eq!(keys.with_secret(&network).unwrap().secret().unwrap().expose(), &[7; 32]);
    assert_eq!(keys.keep_secret(&network, &Secret::new([8; 32])).unwrap_err().kind, Kind::Usage);
    keys.keep_secret(&network, &Secret::new([7; 32])).unwrap();
    assert!(delete() && !delete());
    assert_eq!(keys.with_secret(&network).unwrap_err().kind, Kind::Key);
}

#[test]
fn what_was_moved_is_never_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("passphrase");
    std::fs::write(&file, "correct horse").unwrap();
    let ring = || KeyRing::new(&Paths::inside(home.path()), ask_never(Some(&file)), false);
    let made = ring().identity().unwrap().public();
    assert_eq!(ring().move_to(&Item::Node, StoreName::File).unwrap(), StoreName::Home);
    assert!(!home.path().join("state/identity").exists());
    assert_eq!(ring().identity().unwrap().public(), made);
    let sealed = home.path().join("data/keys/node.json");
    let text = std::fs::read(&sealed).unwrap();
    std::fs::remove_file(&sealed).unwrap();
    assert_eq!(ring().identity().unwrap_err().kind, Kind::Key);
    assert!(!home.path().join("state/identity").exists(), "another one was made");
    std::fs::write(&sealed, text).unwrap();
    ring().move_to(&Item::Node, StoreName::Home).unwrap();
    assert!(!sealed.exists());
    assert_eq!(ring().identity().unwrap().public(), made);
    assert_eq!(ring().move_to(&Item::Node, StoreName::Env).unwrap_err().kind, Kind::Key);
}

#[test]
fn nobody_waits_for_a_person_who_types() {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::inside(home.path());
    let asked = Arc::new(AtomicUsize::new(0));
    // As another command would, before it is typed.
    let ring = || {
        let (index, asked) = (paths.config.join("keys.toml"), Arc::clone(&asked));
        let ask = move |_: &str, _: bool| {
            let free = Locked::attempt(index.clone())?.is_some();
            assert!(free, "the keys are locked while somebody types");
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(SecretString::from("correct horse"))
        };
        KeyRing::new(&paths, Arc::new(ask), true)
    };
    let material = Material::of_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    ring().keep("mine", StoreName::File, &material).unwrap();
    ring().restore_node(&material, StoreName::File).unwrap();
    ring().move_to(&Item::Node, StoreName::Home).unwrap();
    ring().move_to(&Item::Node, StoreName::File).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
