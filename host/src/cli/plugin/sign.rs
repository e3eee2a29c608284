use std::fs::File;
use std::path::{Path, PathBuf};

use super::pack::made;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::install::{
    Archive, Digest, MAX_ARCHIVE, Publisher, Release, SIGNATURE, SigningKey, look, package_name, public_path,
};
use crate::loader::Manifest;
use crate::output::{Line, MadeLine};

/// Sign the packages of one version, for its author
///
/// Writes NAME-VERSION.release, with the hashes of the packages for all machines, and its signature. Publish all of these files side by side. The key
/// is a file of minisign, encrypted with a passphrase: asked for at the terminal, or read from --passphrase-file.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The packages, one for each machine
    #[arg(value_name = "PACKAGE", required_unless_present = "new_key", value_hint = clap::ValueHint::FilePath)]
    packages: Vec<PathBuf>,
    /// The file with your signing key
    #[arg(long, value_name = "FILE", required_unless_present = "new_key", value_hint = clap::ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// What you call yourself; users see it when they first install something of yours
    #[arg(long, value_name = "NAME", required_unless_present = "new_key", value_parser = publisher_name)]
    publisher: Option<String>,
    /// Make a signing key in this file, and its public half beside it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["packages", "key", "publisher"], value_hint = clap::ValueHint::FilePath)]
    new_key: Option<PathBuf>,
}

/// What a publisher calls itself, as a clap value parser takes it.
pub(in crate::cli) fn publisher_name(text: &str) -> Result<String, String> {
    Publisher::is_name(text).map(|()| text.to_owned())
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let ask = context.passphrases();
        if let Some(path) = &self.new_key {
            return new_key(context, path, &*ask);
        }
        let (Some(key), Some(name)) = (&self.key, &self.publisher) else { return Ok(Exit::OK) };
        let (manifest, archives) = read_all(&self.packages)?;
        let key = SigningKey::open(key, &*ask)?;
        let publisher = Publisher { name: name.clone(), key: key.public().clone() };
        let release = Release::new(&manifest, publisher, archives);
        let text = release.to_text()?;
        // Whoever would not believe it is told here, and not at the users'.
        Release::parse(text.as_bytes())?;
        let folder = self.packages.first().and_then(|path| path.parent()).unwrap_or(Path::new("."));
        let file = folder.join(release.file_name());
        let signature = key.sign(&release.file_name(), text.as_bytes())?;
        let beside = file.with_added_extension(SIGNATURE);
        files::publish(&beside, signature.as_bytes())?;
        files::publish(&file, text.as_bytes())?;
        context.print(&Line::Made(made(&file, text.as_bytes())))?;
        context.print(&Line::Made(made(&beside, signature.as_bytes())))?;
        let targets: Vec<_> = release.archives.iter().map(|archive| archive.target.as_str()).collect();
        let talk = context.screen.talk();
        talk.say(&format!("{} {} is signed for {}", release.name, release.version, targets.join(", ")));
        talk.say("publish these files and the packages in one folder; list them: bitboot index build FOLDER");
        Ok(Exit::OK)
    }
}

pub(in crate::cli) fn new_key(context: &Context, path: &Path, ask: crate::install::Ask<'_>) -> Result<Exit> {
    let public = SigningKey::make(path, ask)?;
    let beside = public_path(path);
    let digest = |path: &Path| -> Result<MadeLine> {
        let bytes = std::fs::read(path).map_err(|error| Error::file("read", path, &error))?;
        Ok(made(path, &bytes))
    };
    context.print(&Line::Made(digest(&beside)?))?;
    let talk = context.screen.talk();
    talk.say(&format!("your public key is {public}"));
    talk.say("tell it to your users in a place of its own, such as your web site; it is how they know you");
    talk.say(&format!(
        "keep {} and its passphrase: who has both can sign in your name, and nobody can make it again",
        path.display()
    ));
    Ok(Exit::OK)
}

/// The packages of one version. All have the same manifest.
fn read_all(paths: &[PathBuf]) -> Result<(Manifest, Vec<Archive>)> {
    let (mut archives, mut first): (Vec<Archive>, Option<(String, Manifest)>) = (Vec::new(), None);
    for path in paths {
        let failed = |error: std::io::Error| Error::file("read", path, &error);
        let told = |error: Error| Error { what: format!("{}: {}", path.display(), error.what), ..error };
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if size > MAX_ARCHIVE {
            return Err(Error::new(Kind::Usage, format!("{} is larger than any package", path.display())));
        }
        let digest = Digest::of_reader(&file).map_err(failed)?;
        std::io::Seek::rewind(&mut file).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let seen = look(&file, &name).map_err(told)?;
        let wanted = package_name(&seen.manifest.name, &seen.manifest.version, &seen.target);
        let different = first.as_ref().is_some_and(|(text, _)| *text != seen.text);
        if wanted != name || different || archives.iter().any(|archive| archive.target == seen.target) {
            return Err(Error::new(
                Kind::Usage,
                format!("{} does not go with the other packages", path.display()),
            )
            .because("all are of one version, with one plugin.toml, and each is for another machine")
            .fix("sign the packages of one version at once"));
        }
        archives.push(Archive { target: seen.target, size, package: digest, library: seen.library });
        first.get_or_insert((seen.text, seen.manifest));
    }
    let (_, manifest) = first.ok_or_else(|| Error::new(Kind::Usage, "there is nothing to sign"))?;
    Ok((manifest, archives))
}
