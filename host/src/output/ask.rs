//! Questions to a person, on stderr; the answers come from the terminal.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::talk::Talk;
use crate::error::{Error, Kind, Result};

impl Talk {
    /// A line that a person types; empty where nobody does.
    pub(crate) fn ask(&self, question: &str) -> String {
        self.rest();
        self.prompt(question);
        let mut answer = String::new();
        // Nobody who answers is an empty answer.
        let _ = std::io::stdin().read_line(&mut answer);
        answer.trim().to_owned()
    }

    /// Whether a person says yes; anything else is a no.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        ["y", "yes"].contains(&self.ask(&format!("{question} [y/N] ")).to_ascii_lowercase().as_str())
    }

    /// A secret that a person types unseen.
    pub(crate) fn ask_secret(&self, question: &str) -> Result<SecretString> {
        self.rest();
        let typed = rpassword::prompt_password(question).map(Zeroizing::new);
        let typed = typed.map_err(|error| Error::new(Kind::Key, "nobody can be asked").because(error))?;
        Ok(SecretString::from(typed.as_str()))
    }
}
