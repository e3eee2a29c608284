use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitboot_plugin_api::Host;

use crate::http::Pass;
use crate::url::{KEY, is_here, is_near};

/// Where a node's credentials come from: an environment variable, or a file that a setting names. The host reads them, anew for each question,
/// for a node that restarts writes another cookie; they are kept and shown nowhere. Both have to stand in `asks.reads` of the plugin's manifest.
///
/// What holds a colon is `user:password` (RFC 7617), anything else a token (RFC 6750). Where the node's address has `{key}` in it, they are put
/// there instead. Of [several nodes](Login::among) not all get them.
pub struct Login {
    host: Option<Host>,
    variable: &'static str,
    file: Option<File>,
    fix: Option<String>,
    reach: Reach,
}

/// Which nodes of a backend credentials are for. The others may be strangers', named because what one hides another one tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// There is only one.
    All,
    /// Those whose addresses say where to put them.
    Marked,
    /// Those on this machine and in its own networks; what a file holds is for those on this machine.
    Near,
}

struct File {
    asked: &'static str,
    path: PathBuf,
}

/// A cookie is shorter; what is longer is another file.
const LONGEST: usize = 1024;

impl Login {
    /// From an environment variable, such as `BITBOOT_PLUGIN_NAME_RPC`.
    #[must_use]
    pub fn new(host: Host, variable: &'static str) -> Self {
        Self { host: Some(host), variable, file: None, fix: None, reach: Reach::All }
    }

    /// For nodes that want none.
    #[must_use]
    pub fn none() -> Self {
        Self {
            host: None,
            variable: "",
            file: None,
            fix: Some("name a node that wants no credentials".into()),
            reach: Reach::All,
        }
    }

    /// For one of the nodes at these addresses: where some have `{key}` in them, for those alone; else, where there are several, for those on
    /// this machine and in private networks.
    #[must_use]
    pub fn among(mut self, urls: &[String]) -> Self {
        self.reach = match () {
            () if urls.iter().any(|url| url.contains(KEY)) => Reach::Marked,
            () if urls.len() > 1 => Reach::Near,
            () => Reach::All,
        };
        self
    }

    /// Where the variable is not set, from the file that a setting names, such as `config.cookie`.
    #[must_use]
    pub fn or_file(mut self, asked: &'static str, path: Option<PathBuf>) -> Self {
        self.file = path.map(|path| File { asked, path });
        self
    }

    /// What a user is told to do whose credentials are refused.
    #[must_use]
    pub fn with_fix(mut self, fix: String) -> Self {
        self.fix = Some(fix);
        self
    }

    pub(crate) async fn pass(&self, url: &str) -> Pass {
        let mut pass = Pass::default();
        let Some(secret) = self.secret(url).await else { return pass };
        match () {
            () if url.contains(KEY) => pass.key = Some(secret),
            () if secret.contains(':') => pass.header = Some(format!("Basic {}", STANDARD.encode(secret))),
            () => pass.header = Some(format!("Bearer {secret}")),
        }
        pass
    }

    async fn secret(&self, url: &str) -> Option<String> {
        if !self.is_for(url) {
            return None;
        }
        let secret = match (self.variable().await, &self.file) {
            (Some(secret), _) => secret,
            (None, Some(file)) if self.reach != Reach::Near || is_here(url) => self.read(file.asked).await?,
            (None, _) => return None,
        };
        Some(secret.trim_end().to_owned())
    }

    fn is_for(&self, url: &str) -> bool {
        match self.reach {
            Reach::All => true,
            Reach::Marked => url.contains(KEY),
            Reach::Near => is_near(url),
        }
    }

    async fn variable(&self) -> Option<String> {
        self.read(&format!("env.{}", self.variable)).await
    }

    async fn read(&self, what: &str) -> Option<String> {
        // What the user does not grant is not there.
        let bytes = self.host.as_ref()?.read(what).await.ok().flatten()?;
        String::from_utf8(bytes).ok().filter(|text| (1..=LONGEST).contains(&text.len()))
    }

    /// From where they came, without them.
    pub(crate) async fn source(&self, url: &str) -> String {
        let variable = self.variable;
        match &self.file {
            _ if self.host.is_none() => "it was asked without any".into(),
            _ if !self.is_for(url) => {
                "they are kept from it, for several nodes are named: only those on this machine, in \
                                       private networks or with {key} in their addresses get them"
                    .into()
            }
            _ if self.variable().await.is_some() => {
                format!("they are in the environment variable {variable}")
            }
            Some(file) if self.read(file.asked).await.is_some() => {
                format!("they are in {}", file.path.display())
            }
            Some(file) => format!("{} cannot be read, and {variable} is not set", file.path.display()),
            None => format!("no file with them is named, and {variable} is not set"),
        }
    }

    pub(crate) fn fix(&self) -> String {
        self.fix.clone().unwrap_or_else(|| {
            format!("put user:password or a token into the environment variable {}", self.variable)
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_nodes_not_all_get_them() {
        let (here, home) = ("http://127.0.0.1:8332", "http://10.0.0.5:8332");
        let (far, marked) = ("https://node.example", "https://paid.example/v2/{key}");
        for (urls, entitled) in [
            (vec![far], vec![far]),
            (vec![here, home, far], vec![here, home]),
            (vec![far, "https://other.example"], vec![]),
            (vec![marked, far, here], vec![marked]),
        ] {
            let urls: Vec<String> = urls.into_iter().map(str::to_owned).collect();
            let login = Login::none().among(&urls);
            let given: Vec<_> = urls.iter().filter(|url| login.is_for(url)).collect();
            assert_eq!(given, entitled, "{urls:?}");
        }
    }
}
