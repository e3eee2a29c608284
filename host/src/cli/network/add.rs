use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap_complete::ArgValueCompleter;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::network::{Network, Secret};
use crate::registry::{Edit, Registry, Section};

/// Register a network, with backends or a secret of its own
///
/// A secret network is found and read by those only who have its secret: `--secret new` makes one, and `bitboot network invite NAME` prints the
/// invite for the others, who hand it to `bitboot network add`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The network's name; or an invite, bitboot://...; or - to read an invite from stdin
    #[arg(value_name = "NAME|INVITE")]
    network: Word,
    /// Its backends; several may be given, separated by commas
    #[arg(long, value_name = "BACKEND", value_delimiter = ',', add = ArgValueCompleter::new(complete::backends))]
    via: Vec<String>,
    /// Its secret: `new` for one that is made now; - or FILE with a secret (64 hexadecimal digits) or a passphrase in it
    #[arg(long, value_name = "new|-|FILE")]
    secret: Option<PathBuf>,
}

/// A name, or an invite that must not be shown.
#[derive(Clone)]
struct Word(Zeroizing<String>);

impl From<String> for Word {
    fn from(word: String) -> Self {
        Self(Zeroizing::new(word))
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Word(..)")
    }
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context, registry: &Registry) -> Result<Exit> {
        for backend in &self.via {
            registry.choice(backend.clone())?;
        }
        let network = self.network(context)?;
        if network.secret().is_none() && self.via.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "there is nothing to register: an open network needs no entry",
            )
            .fix("give it backends, --via BACKEND, or a secret, --secret new"));
        }
        // The lock first: of two that add one network, one is told.
        let mut edit = Edit::begin(context.paths()?)?;
        let keys = context.keys()?;
        let changed = edit.preview()?;
        let known = changed.networks.get(network.name()).and_then(|entry| entry.value.as_ref().ok());
        if known.is_some_and(|known| known.secret) && self.secret.is_some() {
            // Where the file with the secret is gone an invite helps; a new secret would make another network.
            keys.with_secret(&network)?;
        }
        if let Some(secret) = network.secret() {
            keys.keep_secret(&network, secret)?;
        }
        let entry = edit.entry(Section::Networks, network.name())?;
        if !self.via.is_empty() {
            entry.insert("backends", self.via.iter().collect::<toml_edit::Array>().into());
        }
        if network.secret().is_some() {
            entry.insert("secret", true.into());
        }
        edit.commit()?;
        let talk = context.screen.talk();
        talk.say(&format!("network \"{network}\" is registered"));
        if network.secret().is_some() {
            talk.say(&format!("invite others: bitboot network invite {network}"));
        }
        Ok(Exit::OK)
    }

    fn network(&self, context: &Context) -> Result<Network> {
        let word =
            if *self.network.0 == "-" { read_stdin(context, "the invite")? } else { self.network.0.clone() };
        if Network::is_invite(&word) {
            return match self.secret {
                None => Network::of_invite(&word),
                Some(_) => {
                    Err(Error::new(Kind::Usage, "an invite has its secret in it").fix("leave --secret away"))
                }
            };
        }
        let open: Network = word.parse()?;
        match self.secret.as_deref() {
            None => Ok(open),
            Some(new) if new == Path::new("new") => {
                Network::with_secret(open.name(), Secret::new(*keys::random()?))
            }
            Some(dash) if dash == Path::new("-") => {
                given(&open, &read_stdin(context, "the secret or passphrase")?)
            }
            Some(secret) if Network::is_invite(&secret.to_string_lossy()) => {
                Err(Error::new(Kind::Usage, "--secret takes no invite")
                    .fix("hand it over where no other program sees it: bitboot network add -"))
            }
            Some(file) => {
                let text = std::fs::read_to_string(file).map(Zeroizing::new);
                let text = text.map_err(|error| {
                    Error::file("read", file, &error).fix("--secret takes `new`, a file, or - for stdin")
                })?;
                given(&open, &text)
            }
        }
    }
}

/// A secret as its bytes in digits, an invite of the same name, or a passphrase.
fn given(network: &Network, text: &str) -> Result<Network> {
    let text = text.trim();
    if Network::is_invite(text) {
        let invited = Network::of_invite(text)?;
        if invited.name() == network.name() {
            return Ok(invited);
        }
        let what = format!("the invite is one to the network \"{invited}\", not to \"{network}\"");
        return Err(Error::new(Kind::Usage, what).fix("add it by the invite alone: bitboot network add -"));
    }
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .or_else(|_| BASE64URL_NOPAD.decode(text.as_bytes()))
        .map(Zeroizing::new);
    let secret = match bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()) {
        Some(bytes) => Secret::new(bytes),
        None => Secret::of_passphrase(text, network.name())?,
    };
    Network::with_secret(network.name(), secret)
}

fn read_stdin(context: &Context, what: &str) -> Result<Zeroizing<String>> {
    const ENOUGH: u64 = 4096;
    let stdin = std::io::stdin();
    if stdin.is_terminal() && !context.asks {
        let error =
            Error::new(Kind::Usage, format!("{what} would have to be typed, and --no-input forbids to ask"));
        return Err(error.fix("hand it over by a pipe: ... | bitboot network add -"));
    }
    if stdin.is_terminal() {
        context.screen.talk().say(&format!("type {what}, then Enter and Ctrl-D:"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = stdin.lock().take(ENOUGH).read_to_string(&mut text);
    read.map_err(|error| Error::new(Kind::Usage, format!("cannot read {what} from stdin")).because(error))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
