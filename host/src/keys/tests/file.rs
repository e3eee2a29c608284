use std::fs;
use std::sync::Arc;

use super::*;

fn files(folder: &Path, passphrase: &'static str) -> Files {
    Files::new(folder, Arc::new(move |_, _| Ok(SecretString::from(passphrase))))
}

#[test]
fn a_file_opens_with_its_passphrase_under_its_own_name_and_unchanged() {
    let place = tempfile::tempdir().unwrap();
    let ours = files(place.path(), "correct horse");
    ours.put("mine", &SecretString::from("CANARY")).unwrap();
    assert_eq!(ours.get("mine").unwrap().unwrap().expose_secret(), "CANARY");
    let text = fs::read_to_string(place.path().join("mine.json")).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    let refused = |name: &str, text: &str| {
        fs::write(place.path().join(format!("{name}.json")), text).unwrap();
        ours.get(name).unwrap_err()
    };
    assert_eq!(files(place.path(), "wrong").get("mine").unwrap_err().kind, Kind::Key);
    refused("other", &text);
    refused("mine", &text.replace("\"passes\": 3", "\"passes\": 2"));
    // More work than anybody would do for a file.
    refused("mine", &text.replace("65536", "4294967295"));
    refused("mine", &text.replace("bitboot key 1", "bitboot key 2"));
    refused("mine", &text[..text.len() / 2]);
    assert!(ours.get("nobody").unwrap().is_none());
    assert!(ours.delete("mine").unwrap() && !ours.delete("mine").unwrap());
}
