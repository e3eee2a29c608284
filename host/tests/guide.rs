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
    let commands: Vec<_> = lines.chain(own).filter(|line| line.starts_with("bitboot ")).collect();
    assert!(commands.len() > 15);
    for line in commands {
        let words = shlex::split(line.split(" #").next().unwrap()).unwrap();
        // Packages come with commands of their own; without those, this one is not there either.
        if bitboot::cli::command().find_subcommand("plugin").unwrap().find_subcommand("pack").is_none()
            && words[1..3].iter().any(|word| ["pack", "sign", "index"].contains(&word.as_str()))
        {
            continue;
        }
        if let Err(error) = bitboot::cli::command().try_get_matches_from(words) {
            panic!("{line}: {error}");
        }
    }
}
