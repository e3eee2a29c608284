//! The crate that `plugin new` starts from: a plugin called `board` that works, with its names replaced.

/// The files, by their paths in the crate.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.template")),
    ("plugin.toml", include_str!("template/plugin.toml")),
    ("conformance.toml", include_str!("template/conformance.toml")),
    (".gitignore", include_str!("template/gitignore")),
    ("README.md", include_str!("template/README.md")),
    ("src/lib.rs", include_str!("template/src/lib.rs")),
    ("tests/conformance.rs", include_str!("template/tests/conformance.rs")),
];

/// The MIT licence, whose holder is to be named.
const MIT: &str = include_str!("template/LICENSE-MIT");

/// Where the template's one word means the kind of backend and not the plugin.
const KINDS: [&str; 5] =
    ["--kind board", "kind = \"board\"", "KIND: &'static str = \"board\"", "[board]", "\"), \"board\", "];

/// Names that a type of the template must not take: it uses them itself.
const TAKEN: [&str; 22] = [
    "Announcement",
    "Backend",
    "Caps",
    "Cx",
    "Deserialize",
    "Endpoint",
    "Error",
    "ErrorKind",
    "Found",
    "Health",
    "Host",
    "JsonSchema",
    "Locator",
    "Option",
    "Path",
    "Peer",
    "Query",
    "Receipt",
    "Result",
    "Self",
    "Stores",
    "String",
];

/// What stands in the place of the template's names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The plugin's, such as `my-lan`.
    pub(super) plugin: String,
    /// The kind of backend's.
    pub(super) kind: String,
    /// An SPDX expression.
    pub(super) license: String,
}

impl Names {
    /// The files of the crate: path and text.
    pub(super) fn files(&self) -> Vec<(&'static str, String)> {
        let mut files: Vec<_> = FILES.iter().map(|(path, text)| (*path, self.fill(text))).collect();
        if self.license.contains("MIT") {
            files.push(("LICENSE", MIT.replace("board", &self.plugin)));
        }
        files
    }

    fn fill(&self, text: &str) -> String {
        // Marked first, or a plugin called `kind` would be renamed twice.
        let text = KINDS.iter().fold(text.to_owned(), |text, of_kind| {
            text.replace(of_kind, &of_kind.replace("board", "\0kind"))
        });
        text.replace("bitboot_board", "bitboot_\0crate")
            .replace("Board", "\0type")
            .replace("board", "\0plugin")
            .replace("MIT OR Apache-2.0", "\0license")
            .replace("\0crate", &self.plugin.replace('-', "_"))
            .replace("\0type", &self.type_name())
            .replace("\0kind", &self.kind)
            .replace("\0plugin", &self.plugin)
            .replace("\0license", &self.license)
    }

    /// `my-lan` becomes `MyLan`.
    fn type_name(&self) -> String {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1.min(word.len()));
            first.to_ascii_uppercase() + rest
        };
        let name: String = self.plugin.split('-').map(capital).collect();
        if TAKEN.contains(&name.as_str()) || name == "PathBuf" { name + "Medium" } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(plugin: &str, kind: &str) -> Names {
        Names { plugin: plugin.into(), kind: kind.into(), license: "MPL-2.0".into() }
    }

    #[test]
    fn every_name_of_the_template_is_replaced() {
        for of_kind in KINDS {
            assert!(FILES.iter().any(|(_, text)| text.contains(of_kind)), "{of_kind}");
        }
        for (path, text) in names("my-lan", "udp").files() {
            assert!(!text.to_lowercase().contains("board") && !text.contains('\0'), "{path}: {text}");
            assert!(!text.contains("MIT OR"), "{path}: {text}");
        }
        let files = names("my-lan", "udp").files();
        let text = |path: &str| &files.iter().find(|(known, _)| *known == path).unwrap().1;
        assert!(
            text("plugin.toml").contains("name = \"my-lan\"")
                && text("plugin.toml").contains("kind = \"udp\"")
        );
        assert!(
            text("src/lib.rs").contains("backends: [MyLan]") && text("src/lib.rs").contains("= \"udp\";")
        );
        assert!(text("tests/conformance.rs").contains("library(\"bitboot_my_lan\")"));
        assert!(text("README.md").contains("--kind udp") && text("conformance.toml").contains("[udp]"));
    }

    #[test]
    fn a_type_has_a_name_of_its_own() {
        assert_eq!(names("host", "host").type_name(), "HostMedium");
        assert_eq!(names("a-b2", "x").type_name(), "AB2");
        let code = FILES.iter().find(|(path, _)| *path == "src/lib.rs").unwrap().1;
        for taken in TAKEN.iter().filter(|taken| !["Option", "Self", "String"].contains(taken)) {
            assert!(code.contains(taken), "{taken}");
        }
    }
}
