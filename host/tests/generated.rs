//! What is generated is committed and fits the code: completions, man pages, the schema of JSON lines.
//!
//! `BITBOOT_BLESS=1 cargo test -p bitboot --test generated` writes them anew.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn compare(folder: &str, files: Vec<(String, String)>) {
    let folder = repository().join(folder);
    if std::env::var_os("BITBOOT_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(there, wanted, "{}: bless with BITBOOT_BLESS=1", folder.display());
    for (name, text) in files {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(committed == text, "{}/{name} is out of date: bless with BITBOOT_BLESS=1", folder.display());
    }
}

#[test]
fn completions_fit_the_code() {
    let files = bitboot::cli::completion_files();
    assert_eq!(files.len(), 5);
    compare("completions", files);
}

#[test]
fn man_pages_fit_the_code() {
    compare("man", bitboot::cli::man_files());
}

#[test]
fn the_schema_of_json_lines_fits_the_code() {
    let schema = serde_json::to_string_pretty(&bitboot::cli::schema()).unwrap() + "\n";
    compare("host/tests/schema", vec![("lines.json".into(), schema)]);
}
