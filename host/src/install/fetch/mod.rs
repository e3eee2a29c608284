//! Bytes from files, folders and web servers, within bounds.

mod place;
mod web;

use std::fs::File;
use std::io::{self, Read, Write};

pub(crate) use place::Place;

use crate::error::{Error, Kind, Result};

/// How far it is, in bytes: how many have come, and of how many where that is known.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// A file under way, and how many bytes it has where that is known.
type Opened = (Box<dyn Read>, Option<u64>);

/// Gets files from where they are.
#[derive(Default)]
pub(crate) struct Fetcher {
    web: web::Web,
}

impl Fetcher {
    /// A whole small file; `None` where there is none.
    pub(crate) fn read(&self, place: &Place, most: usize) -> Result<Option<Vec<u8>>> {
        let Some((reader, _)) = self.open(place)? else { return Ok(None) };
        let mut bytes = Vec::new();
        reader.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| cut(place, &error))?;
        if bytes.len() > most { Err(too_large(place, most as u64)) } else { Ok(Some(bytes)) }
    }

    /// A file that has to be there.
    pub(crate) fn need(&self, place: &Place, most: usize) -> Result<Vec<u8>> {
        self.read(place, most)?.ok_or_else(|| missing(place))
    }

    /// Writes a large file to another one, and syncs it.
    pub(crate) fn save(&self, place: &Place, to: &mut File, most: u64, progress: Progress<'_>) -> Result<()> {
        let (mut reader, size) = self.open(place)?.ok_or_else(|| missing(place))?;
        if size.is_some_and(|size| size > most) {
            return Err(too_large(place, most));
        }
        let (mut came, mut piece) = (0, vec![0; 64 << 10]);
        loop {
            match reader.read(&mut piece).map_err(|error| cut(place, &error))? {
                0 => break,
                got => {
                    came += got as u64;
                    if came > most {
                        return Err(too_large(place, most));
                    }
                    to.write_all(&piece[..got]).map_err(|error| unkept(&error))?;
                    progress(came, size);
                }
            }
        }
        to.sync_all().map_err(|error| unkept(&error))
    }

    fn open(&self, place: &Place) -> Result<Option<Opened>> {
        match place {
            Place::Web(url) => self.web.open(url),
            // Looked at before it is opened: opening a pipe would wait for its writer.
            Place::File(path) => match std::fs::metadata(path) {
                Ok(about) if !about.is_file() => {
                    Err(Error::new(Kind::Usage, format!("{} is no plain file", path.display()))
                        .fix("name a file"))
                }
                Ok(about) => {
                    let file = File::open(path).map_err(|error| Error::file("read", path, &error))?;
                    Ok(Some((Box::new(file), Some(about.len()))))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::file("read", path, &error)),
            },
        }
    }
}

fn missing(place: &Place) -> Error {
    Error::new(Kind::NotFound, format!("there is no {place}")).fix("see whether the name is spelled right")
}

fn cut(place: &Place, error: &io::Error) -> Error {
    Error::new(Kind::Unreachable, format!("{place} could not be read to its end"))
        .because(error)
        .fix("try again")
}

fn unkept(error: &io::Error) -> Error {
    Error::new(Kind::Other, "what was fetched cannot be kept")
        .because(error)
        .fix("see whether the disk is full")
}

fn too_large(place: &Place, most: u64) -> Error {
    Error::new(Kind::Integrity, format!("{place} is larger than the {most} bytes that are allowed"))
        .at("size")
        .fix("it is not what it should be; tell its author")
}
