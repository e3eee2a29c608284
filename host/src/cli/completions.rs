use clap_complete::env::{EnvCompleter, Shells};

use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Kind, Result};

/// Print the completion script of a shell
///
/// The script asks `bitboot` itself for each completion, so that names of backends, plugins and networks are those of the moment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
To load it, in the shell's startup file:
  bash        source <(bitboot completions bash)
  zsh         source <(bitboot completions zsh)      after compinit
  fish        bitboot completions fish | source
  powershell  bitboot completions powershell | Out-String | Invoke-Expression
  elvish      eval (bitboot completions elvish | slurp)")]
pub(super) struct Args {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish", "powershell", "elvish"])]
    shell: String,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        context.raw(&script(&self.shell)?)?;
        Ok(Exit::OK)
    }
}

/// The files of `completions/`, each under the name by which its shell finds it.
pub(super) fn files() -> Vec<(String, String)> {
    let names = [
        ("bash", "bitboot.bash"),
        ("zsh", "_bitboot"),
        ("fish", "bitboot.fish"),
        ("powershell", "bitboot.ps1"),
        ("elvish", "bitboot.elv"),
    ];
    names.into_iter().filter_map(|(shell, name)| Some((name.to_owned(), script(shell).ok()?))).collect()
}

fn script(shell: &str) -> Result<String> {
    let shells = Shells::builtins();
    let completer: Option<&dyn EnvCompleter> = shells.completer(shell);
    let completer =
        completer.ok_or_else(|| Error::new(Kind::Usage, format!("there is no shell \"{shell}\"")))?;
    let mut script = Vec::new();
    // The bare name, not the path of this binary: the script is installed for whatever `bitboot` is in the PATH.
    completer
        .write_registration("COMPLETE", "bitboot", "bitboot", "bitboot", &mut script)
        .map_err(|error| Error::new(Kind::Other, "the script cannot be written").because(error))?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}
