//! The files of a spool: numbered, a record a line. A line that ends without a line break was cut off and does not count.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Codec, LINE};

/// How the files end.
const EXTENSION: &str = "jsonl";

/// The file with a number.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}.{EXTENSION}"))
}

/// The segments of a folder by number.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What a part of a segment holds.
#[derive(Debug)]
pub(super) struct Batch<R> {
    pub(super) records: Vec<R>,
    /// Where the next part starts.
    pub(super) next: u64,
    pub(super) unreadable: u64,
    /// Whether this was the last part.
    pub(super) last: bool,
}

/// The part of a segment that starts at `from`, of at most so many records. What is no record is counted and passed over.
pub(super) fn read<C: Codec>(path: &Path, from: u64, most: usize) -> io::Result<Batch<C::Record>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut batch = Batch { records: Vec::new(), next: from, unreadable: 0, last: false };
    let mut text = Vec::new();
    while batch.records.len() < most {
        text.clear();
        let length = (&mut reader).take(LINE).read_until(b'\n', &mut text)?;
        if length == 0 {
            batch.last = true;
            break;
        }
        batch.next = batch.next.saturating_add(length as u64);
        match text.strip_suffix(b"\n").map(C::read) {
            Some(Ok(record)) => batch.records.push(record),
            _ => batch.unreadable += 1,
        }
    }
    Ok(batch)
}

/// Removes a segment; how many bytes it had.
pub(super) fn remove(path: &Path) -> io::Result<u64> {
    let size = path.metadata()?.len();
    fs::remove_file(path)?;
    Ok(size)
}
