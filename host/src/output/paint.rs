use clap::ValueEnum;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to use colours on a stream (<https://no-color.org>, <https://bixense.com/clicolors>).
    pub(super) fn on(self, is_terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
            Self::Auto => {
                set("CLICOLOR_FORCE")
                    || (is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"))
            }
        }
    }
}

/// The few colours that there are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Red,
    Yellow,
    Cyan,
    Bold,
    Dim,
}

impl Paint {
    /// The text in this colour (ECMA-48, SGR).
    pub(super) fn over(self, text: &str, on: bool) -> String {
        let code = match self {
            Self::Red => "1;31",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::Bold => "1",
            Self::Dim => "2",
        };
        if on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
