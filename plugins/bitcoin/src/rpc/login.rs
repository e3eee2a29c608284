use std::fmt;
use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chain::Chain;

/// Where a node's credentials come from. They are read anew for each question, for a node that restarts writes another cookie, and are
/// kept and shown nowhere.
pub(super) struct Login {
    variable: String,
    cookie: Option<PathBuf>,
    /// The chain whose own node's cookie will do: only for a node on this machine, so that no other is told it.
    own: Option<Chain>,
}

/// A cookie is shorter; what is longer is another file.
const LONGEST: usize = 1024;

impl Login {
    pub(super) fn new(variable: String, cookie: Option<PathBuf>, own: Option<Chain>) -> Self {
        Self { variable, cookie, own }
    }

    /// The header `authorization` (RFC 7617), where there are credentials.
    pub(super) fn header(&self) -> Option<String> {
        let credentials = self.credentials()?;
        Some(format!("Basic {}", STANDARD.encode(credentials.trim_end())))
    }

    fn credentials(&self) -> Option<String> {
        let variable = std::env::var(&self.variable).ok().filter(|value| !value.is_empty());
        let file = || fs::read_to_string(self.file()?).ok();
        variable.or_else(file).filter(|credentials| credentials.len() <= LONGEST)
    }

    fn file(&self) -> Option<PathBuf> {
        self.cookie.clone().or_else(|| own_cookie(self.own?))
    }

    /// From where they came, without them.
    pub(super) fn source(&self) -> String {
        let is_set = std::env::var_os(&self.variable).is_some_and(|value| !value.is_empty());
        match self.file() {
            _ if is_set => format!("they are in the environment variable {}", self.variable),
            Some(path) if path.is_file() => format!("they are in {}", path.display()),
            Some(path) => format!("there is no {}, and {} is not set", path.display(), self.variable),
            None => format!("{} is not set, and no cookie is named", self.variable),
        }
    }
}

/// Where a node of this user has it.
fn own_cookie(chain: Chain) -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os(if cfg!(windows) { "APPDATA" } else { "HOME" })?);
    let node = if cfg!(windows) {
        home.join("Bitcoin")
    } else if cfg!(target_os = "macos") {
        home.join("Library/Application Support/Bitcoin")
    } else {
        home.join(".bitcoin")
    };
    Some(node.join(chain.folder()).join(".cookie"))
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}
