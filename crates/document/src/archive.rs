//! The files of a tar archive that is packed with gzip, within limits: bundles of policies, later layers of images.
//!
//! The `tar` crate reads headers and extended names; what is here bounds it. Nothing is unpacked to disk. An archive is
//! read as a whole or not at all: links, devices, paths that lead out of it and sizes that do not hold are errors.
//! Deliberately absent: owners, modes and times, and writing.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path from the top, with slashes, without dots.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// How much of an archive is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that it unpacks to, headers included.
    pub max_bytes: u64,
    /// Its entries, folders included.
    pub max_files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_files: 20_000 }
    }
}

/// Why an archive is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is no sound archive of files.
    #[error("{0}")]
    Damaged(String),
    /// It is larger than the limits.
    #[error("{0}")]
    TooLarge(String),
}

/// The files of an archive in order. A path that occurs twice is there twice.
pub fn files(bytes: &[u8], limits: &Limits) -> Result<Vec<File>, ArchiveError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(ArchiveError::Damaged("the file is not compressed with gzip".to_owned()));
    }
    let unpacked = Bounded { inner: MultiGzDecoder::new(bytes), left: limits.max_bytes };
    let mut archive = Archive::new(unpacked);
    let mut files = Vec::new();
    for (number, entry) in archive.entries().map_err(|error| broken(&error, limits))?.enumerate() {
        if number >= limits.max_files {
            let message = format!("the archive holds more than {} entries", limits.max_files);
            return Err(ArchiveError::TooLarge(message));
        }
        files.extend(file(entry.map_err(|error| broken(&error, limits))?, limits)?);
    }
    Ok(files)
}

/// The file that an entry is; none for a folder.
fn file<R: Read>(mut entry: Entry<'_, R>, limits: &Limits) -> Result<Option<File>, ArchiveError> {
    let damaged = |message: String| Err(ArchiveError::Damaged(message));
    let Ok(path) = String::from_utf8(entry.path_bytes().into_owned()) else {
        return damaged("a name in the archive is not UTF-8".to_owned());
    };
    match entry.header().entry_type() {
        // A file whose name ends with a slash is an old way to write a folder.
        EntryType::Regular | EntryType::Continuous if !path.ends_with('/') => {}
        EntryType::Regular | EntryType::Continuous | EntryType::Directory | EntryType::XGlobalHeader => {
            return Ok(None);
        }
        EntryType::Link | EntryType::Symlink => return damaged(format!("`{}` is a link", path.escape_debug())),
        _ => return damaged(format!("`{}` is neither a file nor a folder", path.escape_debug())),
    }
    let Some(path) = clean_path(&path) else {
        return damaged(format!("the path `{}` leads out of the archive", path.escape_debug()));
    };
    if entry.size() > limits.max_bytes {
        let message = format!("`{path}` is larger than {} bytes", limits.max_bytes);
        return Err(ArchiveError::TooLarge(message));
    }
    let mut bytes = Vec::new();
    let read = entry.read_to_end(&mut bytes).map_err(|error| broken(&error, limits))?;
    if read as u64 == entry.size() { Ok(Some(File { path, bytes })) } else { damaged(CUT_OFF.to_owned()) }
}

/// A path without leading slash and dots; `None` for one that leads elsewhere.
pub fn clean_path(path: &str) -> Option<String> {
    let hostile = path.contains(['\\', '\0']) || path.as_bytes().get(1) == Some(&b':');
    let segments: Vec<&str> = path.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
    let leads_out = hostile || segments.is_empty() || segments.contains(&"..");
    (!leads_out).then(|| segments.join("/"))
}

const CUT_OFF: &str = "the archive is cut off";

fn broken(error: &io::Error, limits: &Limits) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            ArchiveError::TooLarge(format!("the archive unpacks to more than {} bytes", limits.max_bytes))
        }
        io::ErrorKind::UnexpectedEof => ArchiveError::Damaged(CUT_OFF.to_owned()),
        _ => ArchiveError::Damaged(format!("the archive is damaged: {error}")),
    }
}

/// A reader that fails where there is more than it may give.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return if self.inner.read(&mut [0])? == 0 { Ok(0) } else { Err(io::ErrorKind::FileTooLarge.into()) };
        }
        let room = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
