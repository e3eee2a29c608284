//! Looks at a library without running it: the system's loader runs constructors before anybody can check, and a truncated file kills
//! the process with SIGBUS when it is mapped.

use std::fs::File;
use std::path::Path;

use object::read::ReadCache;
use object::{Architecture, BinaryFormat, Object, ObjectKind, ObjectSection, ObjectSegment};

use super::{Gate, Refusal};

type Image<'a> = object::File<'a, &'a ReadCache<&'a File>>;

/// The largest library that is looked at: 512 MiB.
const MAX_SIZE: u64 = 512 << 20;
/// The largest manifest: 64 KiB.
const MAX_MANIFEST: u64 = 64 << 10;

/// The manifest that a plugin library carries in its own section, as text.
///
/// # Errors
/// A [`Refusal`] when the file is no whole shared library for this machine or carries no manifest.
pub fn inspect(path: &Path) -> Result<String, Refusal> {
    inspect_file(&open(path)?)
}

/// The same of an open file, so that what is looked at is what is then used. Changes where the file is read next.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_file(file: &File) -> Result<String, Refusal> {
    let size = size(file)?;
    let cache = ReadCache::new(file);
    let object = object::File::parse(&cache)
        .map_err(|error| Refusal::new(Gate::Library, format!("it is no whole shared library ({error})")))?;
    fits_this_machine(&object)?;
    is_whole(&object, size)?;
    manifest(&object)
}

/// Opens a library for reading, with the refusals of [`inspect`].
///
/// # Errors
/// A [`Refusal`] at [`Gate::File`].
pub fn open(path: &Path) -> Result<File, Refusal> {
    // A pipe would hold whoever opens it until somebody writes.
    let about = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !about.is_file() {
        return Err(Refusal::new(Gate::File, "it is no regular file"));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    size(&file).map(|_| file)
}

fn size(file: &File) -> Result<u64, Refusal> {
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    if !about.is_file() {
        return Err(Refusal::new(Gate::File, "it is no regular file"));
    }
    if about.len() > MAX_SIZE {
        return Err(Refusal::new(Gate::File, "it is larger than 512 MiB"));
    }
    Ok(about.len())
}

fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::new(Gate::File, format!("it cannot be read ({error})"))
}

fn fits_this_machine(object: &Image<'_>) -> Result<(), Refusal> {
    let format = match std::env::consts::OS {
        "windows" => BinaryFormat::Pe,
        "macos" | "ios" => BinaryFormat::MachO,
        _ => BinaryFormat::Elf,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        "arm" => Architecture::Arm,
        "x86" => Architecture::I386,
        "riscv64" => Architecture::Riscv64,
        "loongarch64" => Architecture::LoongArch64,
        "powerpc64" => Architecture::PowerPc64,
        "s390x" => Architecture::S390x,
        _ => Architecture::Unknown,
    };
    if object.format() != format || object.kind() != ObjectKind::Dynamic {
        return Err(Refusal::new(
            Gate::Library,
            format!("it is no shared library of {}", std::env::consts::OS),
        ));
    }
    if architecture != Architecture::Unknown && object.architecture() != architecture {
        let theirs = object.architecture();
        return Err(Refusal::new(
            Gate::Library,
            format!("it is built for {theirs:?}, this machine is {architecture:?}"),
        ));
    }
    Ok(())
}

/// Every byte that the loader will map must be there.
fn is_whole(object: &Image<'_>, size: u64) -> Result<(), Refusal> {
    let ends = object.segments().map(|segment| segment.file_range()).chain(
        // `.bss` has a size but no bytes in the file: `file_range` leaves it out.
        object.sections().filter_map(|section| section.file_range()),
    );
    let whole =
        ends.into_iter().all(|(start, length)| start.checked_add(length).is_some_and(|end| end <= size));
    whole
        .then_some(())
        .ok_or_else(|| Refusal::new(Gate::Library, "it is truncated: parts that it names are not there"))
}

fn manifest(object: &Image<'_>) -> Result<String, Refusal> {
    let no_manifest = || Refusal::new(Gate::Manifest, "it is no bitboot plugin: it carries no manifest");
    let section = object.section_by_name(crate::MANIFEST_SECTION).ok_or_else(no_manifest)?;
    if section.size() > MAX_MANIFEST {
        return Err(Refusal::new(Gate::Manifest, "its manifest is larger than 64 KiB"));
    }
    let bytes = section
        .data()
        .map_err(|error| Refusal::new(Gate::Manifest, format!("its manifest cannot be read ({error})")))?;
    // Windows pads sections with zeros to its file alignment.
    let text =
        std::str::from_utf8(bytes).map_err(|_| Refusal::new(Gate::Manifest, "its manifest is no text"))?;
    Ok(text.trim_end_matches('\0').to_owned())
}
