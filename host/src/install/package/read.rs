use std::collections::BTreeMap;
use std::fs::{DirEntry, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use tar::{Archive, Entry, EntryType};

use super::rules::{Head, Rules};
use super::{MANIFEST, MAX_TOTAL, MAX_WINDOW};
use crate::error::{Error, Kind, Result};
use crate::install::{Digest, names};
use crate::loader::{Manifest, manifest_of, parse_manifest};

/// What an archive became.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) manifest: Manifest,
    pub(crate) library: PathBuf,
    /// Of the library.
    pub(crate) digest: Digest,
    /// Of all else, by the files' names.
    pub(crate) files: BTreeMap<String, Digest>,
}

/// What an archive says of itself, for whoever signs it. It may be for another machine, so nothing is written or opened.
pub(crate) struct Seen {
    pub(crate) manifest: Manifest,
    /// `plugin.toml` as it is.
    pub(crate) text: String,
    pub(crate) target: String,
    /// Of the library.
    pub(crate) library: Digest,
}

/// Unpacks a package for this machine into an empty folder, rule by rule, and holds its manifest against that in its library. `progress` hears
/// how many bytes have come.
pub(crate) fn unpack(package: impl Read, folder: &Path, mut progress: impl FnMut(u64)) -> Result<Unpacked> {
    let target = names::this_target();
    let mut came = 0;
    let (manifest, text) = walk(
        package,
        |_| Some(target.clone()),
        |name, content| {
            write(content, &folder.join(name), |size| {
                came += size;
                progress(came);
            })
        },
    )?;
    compare(folder, &target, manifest, &text)
}

/// Looks at a package by its file name, which tells for which machine it is.
pub(crate) fn look(package: impl Read, file_name: &str) -> Result<Seen> {
    let target_of = |about: &Manifest| {
        let target =
            file_name.strip_suffix(".bbp")?.strip_prefix(&format!("{}-{}-", about.name, about.version))?;
        names::target(target).is_ok().then(|| target.to_owned())
    };
    let mut digests = Vec::new();
    let (manifest, text) = walk(package, target_of, |name, content| {
        digests.push((name.to_owned(), Digest::of_reader(content).map_err(|error| broken(&error))?));
        Ok(())
    })?;
    let target = target_of(&manifest).unwrap_or_default();
    let library = names::library(&manifest.name, &target);
    let digest = digests.into_iter().find_map(|(name, digest)| (name == library).then_some(digest));
    let digest = digest.ok_or_else(|| refuse(format!("it has no library {library}")).at("target"))?;
    Ok(Seen { manifest, text, target, library: digest })
}

/// Goes through an archive, rule by rule. The manifest comes first.
fn walk(
    package: impl Read,
    target_of: impl Fn(&Manifest) -> Option<String>,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<()>,
) -> Result<(Manifest, String)> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW);
    let frame =
        StreamingDecoder::new_with_decoder(package, decoder).map_err(|error| refuse(error.to_string()))?;
    // Room for the headers and the padding of few entries, and not for a bomb.
    let mut archive = Archive::new(frame.take(MAX_TOTAL + (1 << 20)));
    let (mut rules, mut manifest) = (Rules::default(), None);
    // Raw: what the format adds to names and links is an entry of its own here, and refused.
    for entry in archive.entries().map_err(|error| broken(&error))?.raw(true) {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = admit(&mut rules, &entry)?;
        if manifest.is_some() {
            take(&name, &mut entry)?;
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).map_err(|error| broken(&error))?;
        let about = parse_manifest(&text).map_err(|refusal| refuse(refusal.what).at("manifest"))?;
        let target = target_of(&about)
            .ok_or_else(|| refuse("its name does not fit its plugin.toml".into()).at("target"))?;
        rules.expect(&about.name, &target);
        take(&name, &mut text.as_bytes())?;
        manifest = Some((about, text));
    }
    nothing_more(archive.into_inner())?;
    manifest.ok_or_else(|| refuse(format!("it has no {MANIFEST}")))
}

fn admit(rules: &mut Rules, entry: &Entry<'_, impl Read>) -> Result<String> {
    let header = entry.header();
    let head = Head {
        name: &entry.path_bytes(),
        plain: header.entry_type() == EntryType::Regular && header.link_name_bytes().is_none(),
        mode: header.mode().map_err(|error| broken(&error))?,
        size: entry.size(),
    };
    rules.admit(&head).map_err(refuse)
}

/// Nothing may lie in wait behind the end: neither in the archive nor behind the frame.
fn nothing_more<R: Read>(mut frame: io::Take<StreamingDecoder<R, FrameDecoder>>) -> Result<()> {
    let mut piece = [0; 4096];
    loop {
        match frame.read(&mut piece) {
            Ok(0) => break,
            Ok(size) if piece[..size].iter().all(|&byte| byte == 0) => {}
            Ok(_) => return Err(refuse("something follows the archive's end".into())),
            Err(error) => return Err(broken(&error)),
        }
    }
    let mut package = frame.into_inner().into_inner();
    match package.read(&mut piece) {
        Ok(0) => Ok(()),
        Ok(_) => Err(refuse("something follows the end of the compressed bytes".into())),
        Err(error) => Err(broken(&error)),
    }
}

/// The manifest beside the library is what was read; the one inside is what will run.
fn compare(folder: &Path, target: &str, manifest: Manifest, text: &str) -> Result<Unpacked> {
    let wanted = names::library(&manifest.name, target);
    let library = folder.join(&wanted);
    if !library.is_file() {
        return Err(refuse(format!("it has no library {wanted}")).at("target"));
    }
    names::version(&manifest.version).map_err(refuse)?;
    let inside = manifest_of(&library)
        .map_err(|refusal| refuse(format!("the library: {}", refusal.what)).at("library"))?;
    let embedded = bitboot_plugin_api::ffi::outside::inspect(&library);
    if inside != manifest || embedded.as_deref() != Ok(text) {
        return Err(refuse("its plugin.toml is another one than that in its library".into()).at("manifest"));
    }
    let mut files = digests(folder)?;
    let digest = files.remove(&wanted).ok_or_else(|| refuse(format!("it has no library {wanted}")))?;
    Ok(Unpacked { manifest, library, digest, files })
}

fn digests(folder: &Path) -> Result<BTreeMap<String, Digest>> {
    let failed = |error: io::Error| Error::file("read", folder, &error);
    let digest = |entry: io::Result<DirEntry>| {
        let entry = entry?;
        let digest = Digest::of_reader(File::open(entry.path())?)?;
        Ok((entry.file_name().to_string_lossy().into_owned(), digest))
    };
    std::fs::read_dir(folder).and_then(|all| all.map(digest).collect()).map_err(failed)
}

/// Writes a new file that is on the disk when this returns.
fn write(entry: &mut dyn Read, path: &Path, mut progress: impl FnMut(u64)) -> Result<()> {
    let failed = |error: io::Error| Error::file("write", path, &error);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    let mut piece = vec![0; 64 << 10];
    loop {
        match entry.read(&mut piece).map_err(|error| broken(&error))? {
            0 => return file.sync_all().map_err(failed),
            size => {
                file.write_all(&piece[..size]).map_err(failed)?;
                progress(size as u64);
            }
        }
    }
}

fn broken(error: &io::Error) -> Error {
    refuse(format!("it cannot be unpacked ({error})"))
}

fn refuse(why: String) -> Error {
    Error::new(Kind::Integrity, "the package is not what a package has to be")
        .at("package")
        .because(why)
        .fix("get it again, or tell its author; nothing of it was installed")
}
