//! What `plugin-api/README.md` shows is what `plugin new` writes (`host/tests/author.rs` builds and runs that), and its commands exist.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::path::Path;

const GUIDE: &str = include_str!("../../plugin-api/README.md");

/// The blocks of the guide: the line before it, its language, its text.
fn blocks() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut pieces = GUIDE.split("```");
    let mut before = pieces.next().unwrap();
    let mut blocks = Vec::new();
    while let (Some(block), Some(after)) = (pieces.next(), pieces.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        blocks.push((before.trim_end().lines().last().unwrap_or_default(), language, text));
        before = after;
    }
    blocks
}

#[test]
fn what_the_guide_shows_is_what_is_written() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/author/template");
    let mut shown = std::collections::BTreeSet::new();
    for (before, language, text) in blocks().into_iter().filter(|(_, language, _)| *language != "sh") {
        let name = before
            .strip_prefix('`')
            .and_then(|line| line.strip_suffix("`:"))
            .unwrap_or_else(|| panic!("{text}"));
        let file = template.join(if name == "Cargo.toml" { "Cargo.toml.template" } else { name });
        let whole = std::fs::read_to_string(file).unwrap();
        assert!(whole.contains(text), "{name} in {language} is not what the guide shows:\n{text}");
        shown.insert(name);
    }
    let all = ["Cargo.toml", "conformance.toml", "plugin.toml", "src/lib.rs", "tests/conformance.rs"];
    assert!(shown.into_iter().eq(all));
}

#[test]
fn the_commands_of_the_guide_exist() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/author/template/README.md"))
            .unwrap();
    let own = readme.lines();
    let lines =
        blocks().into_iter().filter(|(_, language, _)| *language == "sh").flat_map(|(.., text)| text.lines());
    assert!(commands_exist(lines.chain(own)) > 15);
}

#[test]
fn the_commands_of_the_readmes_exist() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let plugins = std::fs::read_dir(repository.join("plugins")).unwrap().map(|entry| entry.unwrap().path());
    for folder in plugins.chain([repository.to_owned()]) {
        let text = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(commands_exist(text.lines()) > 0, "{}", folder.display());
    }
}

/// Each line that is a command is one that is understood; how many there are.
fn commands_exist<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let mut commands = 0;
    for line in lines.filter(|line| line.starts_with("bitboot ")) {
        let own = line.split(" #").next().and_then(|line| line.split(" | ").next()).unwrap();
        if let Err(error) = bitboot::cli::command().try_get_matches_from(shlex::split(own).unwrap()) {
            panic!("{line}: {error}");
        }
        commands += 1;
    }
    commands
}
