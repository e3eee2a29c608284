//! An author's signing key: a file in minisign's own form, encrypted with a passphrase, so that minisign can use it too.

use std::path::{Path, PathBuf};

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use secrecy::{ExposeSecret, SecretString};

use super::PublisherKey;
use crate::error::{Error, Kind, Result};
use crate::files;

/// How a passphrase is come by: what it is for, and whether it is a new one.
pub(crate) type Ask<'a> = &'a dyn Fn(&str, bool) -> Result<SecretString>;

/// A key that can sign. Its secret half is neither shown nor kept longer than it.
pub(crate) struct SigningKey {
    secret: SecretKey,
    public: PublisherKey,
}

impl SigningKey {
    /// Makes a key and writes both halves: the secret one, encrypted, to `path`, and the public one beside it as `.pub`.
    pub(crate) fn make(path: &Path, ask: Ask<'_>) -> Result<PublisherKey> {
        let beside = public_path(path);
        if let Some(there) = [path, &beside].into_iter().find(|path| path.exists()) {
            return Err(Error::new(Kind::Usage, format!("{} is there already", there.display()))
                .fix("give the new key another file, or move the old one away"));
        }
        let passphrase = ask(&format!("a passphrase for {}", path.display()), true)?;
        if passphrase.expose_secret().is_empty() {
            return Err(Error::new(Kind::Key, "an empty passphrase protects nothing").fix("give another one"));
        }
        let cannot = |error: minisign::PError| Error::new(Kind::Key, "no key can be made").because(error);
        let pair = KeyPair::generate_encrypted_keypair(Some(passphrase.expose_secret().to_owned()))
            .map_err(cannot)?;
        let secret = pair.sk.to_box(Some("bitboot publisher key, encrypted")).map_err(cannot)?;
        let public = public_of(&pair.pk)?;
        files::replace(path, secret.into_string().as_bytes())?;
        let text = format!("untrusted comment: minisign public key of a bitboot publisher\n{public}\n");
        files::publish(&beside, text.as_bytes())?;
        Ok(public)
    }

    /// Opens a key file; asks for its passphrase if it has one.
    pub(crate) fn open(path: &Path, ask: Ask<'_>) -> Result<Self> {
        let text = files::read(path)?.ok_or_else(|| {
            Error::new(Kind::Key, format!("there is no key file {}", path.display()))
                .fix(format!("make one: bitboot plugin sign --new-key {}", path.display()))
        })?;
        let broken = |error: minisign::PError| {
            Error::new(Kind::Key, format!("the key in {} cannot be used", path.display()))
                .because(error)
                .fix("is the passphrase right, and is it a secret key of minisign?")
        };
        // A key of `minisign -W` has no passphrase; asking for one would only confuse.
        let clear = SecretKeyBox::from_string(&text).and_then(SecretKeyBox::into_unencrypted_secret_key);
        let secret = clear.or_else(|_| {
            let passphrase = ask(&format!("the passphrase of {}", path.display()), false)?;
            let sealed = SecretKeyBox::from_string(&text).map_err(broken)?;
            sealed.into_secret_key(Some(passphrase.expose_secret().to_owned())).map_err(broken)
        })?;
        let public = public_of(&PublicKey::from_secret_key(&secret).map_err(broken)?)?;
        Ok(Self { secret, public })
    }

    pub(crate) fn public(&self) -> &PublisherKey {
        &self.public
    }

    /// The text of a `.minisig` file.
    pub(crate) fn sign(&self, what: &str, bytes: &[u8]) -> Result<String> {
        let (trusted, untrusted) = (format!("file:{what}"), format!("signature of {what} by bitboot"));
        let signed = minisign::sign(None, &self.secret, bytes, Some(&trusted), Some(&untrusted))
            .map_err(|error| Error::new(Kind::Key, format!("{what} cannot be signed")).because(error))?
            .into_string();
        self.public.verify(what, bytes, &signed)?;
        Ok(signed)
    }
}

/// Where the public half of a key file lies.
pub(crate) fn public_path(path: &Path) -> PathBuf {
    path.with_added_extension("pub")
}

fn public_of(key: &PublicKey) -> Result<PublisherKey> {
    key.to_base64()
        .parse()
        .map_err(|why: String| Error::new(Kind::Key, "the key cannot be used").because(why))
}
