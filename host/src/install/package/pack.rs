use std::io;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use super::{LICENSE, MANIFEST, MAX_ARCHIVE, MAX_LIBRARY, MAX_TEXT, SCHEMA};
use crate::error::{Error, Kind, Result};
use crate::install::names;
use crate::loader::Manifest;

/// What a package is made of.
pub(crate) struct Parts {
    /// `plugin.toml`, as the library carries it.
    pub(crate) manifest: String,
    pub(crate) library: Vec<u8>,
    /// JSON schema of the settings of each kind of backend.
    pub(crate) schema: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) man_page: Option<String>,
}

/// A package's bytes. They depend on the parts alone: no time, user or order of files gets in.
pub(crate) fn pack(about: &Manifest, target: &str, parts: &Parts) -> Result<Vec<u8>> {
    let text = |text: &Option<String>| text.clone().map(String::into_bytes);
    let files = [
        (MANIFEST.to_owned(), Some(parts.manifest.clone().into_bytes()), MAX_TEXT),
        (names::library(&about.name, target), Some(parts.library.clone()), MAX_LIBRARY),
        (SCHEMA.to_owned(), text(&parts.schema), MAX_TEXT),
        (LICENSE.to_owned(), text(&parts.license), MAX_TEXT),
        (names::man_page(&about.name), text(&parts.man_page), MAX_TEXT),
    ];
    let mut builder = Builder::new(Vec::new());
    for (name, content, limit) in files {
        let Some(content) = content else { continue };
        if content.len() as u64 > limit {
            return Err(too_large(&name));
        }
        append(&mut builder, &name, &content).map_err(|error| cannot(&error))?;
    }
    let tar = builder.into_inner().map_err(|error| cannot(&error))?;
    let packed = compress_to_vec(tar.as_slice(), CompressionLevel::Fastest);
    if packed.len() as u64 > MAX_ARCHIVE { Err(too_large("the package")) } else { Ok(packed) }
}

fn append(builder: &mut Builder<Vec<u8>>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name)?;
    header.set_size(content.len() as u64);
    header.set_mode(0o444);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    builder.append(&header, content)
}

fn cannot(error: &io::Error) -> Error {
    Error::new(Kind::Other, "the package cannot be made").because(error)
}

fn too_large(what: &str) -> Error {
    Error::new(Kind::Usage, format!("{what} is larger than bitboot installs"))
        .fix("build it with `--release` and `strip = true`")
}
