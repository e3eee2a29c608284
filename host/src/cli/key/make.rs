use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::keys::{KeyKind, KeyRing, Material, NODE, StoreName};
use crate::registry::entry_name;

/// The largest text in which a key is looked for.
const ENOUGH: u64 = 64 * 1024;

/// Make a key
///
/// It is kept in the keyring of the operating system, where there is one; in an encrypted file where you say so. A key of RSA takes up to
/// some minutes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct New {
    /// The new key's name
    #[arg(value_parser = entry_name)]
    name: String,
    /// What sort of key
    #[arg(long)]
    kind: KeyKind,
    /// Where it is kept [default: keyring]
    #[arg(long)]
    store: Option<StoreName>,
}

/// Take a key over from another program
///
/// Reads 64 hexadecimal digits, WIF, base58, a JSON list of 64 numbers, a V3 keystore or a JWK. A key is never taken from the command line,
/// where every program could read it. The name `node` stands for the node's own key: a node that has none yet takes over another one's.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Import {
    /// The new key's name
    #[arg(value_parser = entry_name)]
    name: String,
    /// A file with the key in it; - for stdin
    #[arg(value_name = "FILE", default_value = "-")]
    from: PathBuf,
    /// What sort of key, where its form does not tell
    #[arg(long)]
    kind: Option<KeyKind>,
    /// Where it is kept [default: keyring]
    #[arg(long)]
    store: Option<StoreName>,
    /// Take up a key that the store has already under this name; env has no others
    #[arg(long, requires = "store")]
    existing: bool,
    /// The passphrase of a V3 keystore, in a file [default: that of --passphrase-file, or it is asked for]
    #[arg(long, value_name = "FILE")]
    keystore_passphrase: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        keys.index()?.is_free(&self.name)?;
        let again = format!("bitboot key new {} --kind {}", self.name, self.kind.word());
        let store = choose(context, keys, self.store, &again)?;
        let talk = context.screen.talk();
        let material = Material::generate(self.kind, |step| {
            if self.kind == KeyKind::Rsa4096 {
                talk.progress("making a key of 4096 bits", step, 3);
            }
        });
        talk.rest();
        keys.keep(&self.name, store, &material?)?;
        say_kept(context, &self.name, store);
        Ok(())
    }
}

impl Import {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        if let Some(store) = self.store.filter(|store| self.existing || *store == StoreName::Env) {
            keys.take_up(&self.name, store, self.kind)?;
            say_kept(context, &self.name, store);
            return Ok(());
        }
        let text = read(context, &self.from)?;
        let (material, form) = keys.parse(&text, self.kind, self.keystore_passphrase.as_deref())?;
        if self.name == NODE {
            return self.restore(context, keys, &material);
        }
        let again = format!("bitboot key import {} {}", self.name, self.from.display());
        let store = choose(context, keys, self.store, &again)?;
        keys.keep(&self.name, store, &material)?;
        context.screen.talk().say(&format!("it was {form}, a {} key", material.kind().word()));
        say_kept(context, &self.name, store);
        Ok(())
    }
}

impl Import {
    /// The node's own key is kept where it works unasked, unless another store is named.
    fn restore(&self, context: &Context, keys: &KeyRing, material: &Material) -> Result<()> {
        let store = self.store.unwrap_or(StoreName::Home);
        keys.restore_node(material, store)?;
        context.screen.talk().say(&format!("the node's key is kept in: {}", store.about()));
        Ok(())
    }
}

/// The store that was named; else the keyring; else, if a person says so, encrypted files. Never another one in silence.
fn choose(context: &Context, keys: &KeyRing, named: Option<StoreName>, again: &str) -> Result<StoreName> {
    if let Some(store) = named {
        return Ok(store);
    }
    let Err(error) = keys.status(StoreName::Keyring) else { return Ok(StoreName::Keyring) };
    let question = format!("{}; keep the key in an encrypted file instead?", error.what);
    if context.is_answered() && context.screen.talk().confirm(&question) {
        return Ok(StoreName::File);
    }
    Err(error.fix(format!("keep it in an encrypted file: {again} --store file --passphrase-file FILE")))
}

fn say_kept(context: &Context, name: &str, store: StoreName) {
    let talk = context.screen.talk();
    talk.say(&format!("the key \"{name}\" is kept in: {}", store.about()));
    talk.say(&format!("no backend may use it yet; grant it: bitboot key policy {name} --allow BACKEND"));
}

fn read(context: &Context, from: &Path) -> Result<SecretString> {
    let mut text = Zeroizing::new(String::with_capacity(8192));
    let failed = |error: &std::io::Error| Error::file("read", from, error).fix("name a file, or - for stdin");
    if from == Path::new("-") {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            if !context.is_answered() {
                return Err(Error::new(
                    Kind::NeedsHuman,
                    "the key would have to be typed, and nobody may be asked",
                )
                .fix("hand it over in a file: bitboot key import NAME FILE"));
            }
            return context.screen.talk().ask_secret("the key: ");
        }
        stdin.lock().take(ENOUGH).read_to_string(&mut text).map_err(|error| failed(&error))?;
    } else {
        let file = File::open(from).map_err(|error| failed(&error))?;
        file.take(ENOUGH).read_to_string(&mut text).map_err(|error| failed(&error))?;
    }
    Ok(SecretString::from(text.trim()))
}
