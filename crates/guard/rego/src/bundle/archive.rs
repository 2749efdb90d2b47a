//! Reading a gzip-compressed tar archive, entry by entry, within limits.
//!
//! Only plain files are taken; folders are implied by their paths, and a link or device refuses the archive. Long names
//! of both the GNU and the POSIX kind are understood. Deliberately absent: writing, sparse files, owners and times.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::{File, Limits};

/// Bytes of a name or an extended header.
const MAX_NAME: u64 = 64 << 10;
const BLOCK: usize = 512;

/// Why an archive cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("{0}")]
    Damaged(String),
    #[error("{0}")]
    TooLarge(String),
}

type Unpacked<T> = Result<T, ArchiveError>;

fn damaged<T>(message: impl Into<String>) -> Unpacked<T> {
    Err(ArchiveError::Damaged(message.into()))
}

/// The files of an archive in order, with their names as written.
pub(super) fn files(bytes: &[u8], limits: &Limits) -> Unpacked<Vec<File>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return damaged("the file is not compressed with gzip");
    }
    let inner = MultiGzDecoder::new(bytes).take(limits.max_bytes.saturating_add(1));
    let mut reader = Reader { inner, limit: limits.max_bytes, long_name: None };
    let mut files = Vec::new();
    while let Some(entry) = reader.entry()? {
        files.extend(entry);
        if files.len() > limits.max_files {
            return Err(ArchiveError::TooLarge(format!("the bundle holds more than {} files", limits.max_files)));
        }
    }
    Ok(files)
}

struct Reader<R> {
    inner: io::Take<R>,
    /// Bytes that the archive may unpack to.
    limit: u64,
    /// The name of the next entry, where it is too long for its header.
    long_name: Option<String>,
}

impl<R: Read> Reader<R> {
    /// The next entry, nothing for one that is no file; the outer `None` at the end.
    #[expect(clippy::option_option, reason = "the end of the archive differs from an entry without content")]
    fn entry(&mut self) -> Unpacked<Option<Option<File>>> {
        let mut header = [0; BLOCK];
        if !self.fill(&mut header)? || header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        check_sum(&header)?;
        let size = number(field(&header, 124, 12))?;
        let kind = field(&header, 156, 1).first().copied().unwrap_or(0);
        match kind {
            b'0' | 0 | b'7' => {
                let name = self.name(&header)?;
                let bytes = self.content(size, self.limit)?;
                // An old way to write a folder.
                let folder = name.ends_with('/');
                Ok(Some((!folder).then_some(File { path: name, bytes })))
            }
            b'5' => {
                self.long_name = None;
                self.content(size, MAX_NAME)?;
                Ok(Some(None))
            }
            b'L' => {
                let name = self.content(size, MAX_NAME)?;
                self.long_name = Some(text(name.split(|byte| *byte == 0).next().unwrap_or_default())?);
                Ok(Some(None))
            }
            b'x' => {
                let records = self.content(size, MAX_NAME)?;
                self.long_name = pax_path(&records)?.or(self.long_name.take());
                Ok(Some(None))
            }
            b'g' => {
                self.content(size, MAX_NAME)?;
                Ok(Some(None))
            }
            b'1' | b'2' => damaged(format!("`{}` is a link", self.name(&header)?)),
            _ => damaged(format!("`{}` is neither a file nor a folder", self.name(&header)?)),
        }
    }

    fn name(&mut self, header: &[u8; BLOCK]) -> Unpacked<String> {
        if let Some(name) = self.long_name.take() {
            return Ok(name);
        }
        let name = text(until_zero(field(header, 0, 100)))?;
        let prefix = if field(header, 257, 6) == b"ustar\0" { until_zero(field(header, 345, 155)) } else { &[] };
        Ok(if prefix.is_empty() { name } else { format!("{}/{name}", text(prefix)?) })
    }

    /// The content of an entry, and the padding after it.
    fn content(&mut self, size: u64, limit: u64) -> Unpacked<Vec<u8>> {
        if size > limit {
            return Err(ArchiveError::TooLarge(format!("an entry of the bundle is larger than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        let read = self.inner.by_ref().take(size).read_to_end(&mut bytes).map_err(|error| self.broken(&error))?;
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        let skipped = io::copy(&mut self.inner.by_ref().take(padding), &mut io::sink());
        let skipped = skipped.map_err(|error| self.broken(&error))?;
        if read as u64 == size && skipped == padding { Ok(bytes) } else { Err(self.cut_off()) }
    }

    /// Fills a block; false where the archive ends before it.
    fn fill(&mut self, block: &mut [u8; BLOCK]) -> Unpacked<bool> {
        let mut bytes = Vec::with_capacity(BLOCK);
        let read =
            self.inner.by_ref().take(BLOCK as u64).read_to_end(&mut bytes).map_err(|error| self.broken(&error))?;
        if read == 0 && self.inner.limit() > 0 {
            return Ok(false);
        }
        let Ok(full) = <[u8; BLOCK]>::try_from(bytes) else { return Err(self.cut_off()) };
        *block = full;
        Ok(true)
    }

    fn cut_off(&self) -> ArchiveError {
        if self.inner.limit() == 0 {
            ArchiveError::TooLarge(format!("the bundle unpacks to more than {} bytes", self.limit))
        } else {
            ArchiveError::Damaged("the archive is cut off".to_owned())
        }
    }

    fn broken(&self, error: &io::Error) -> ArchiveError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.cut_off(),
            _ => ArchiveError::Damaged(format!("the archive is damaged: {error}")),
        }
    }
}

fn field(header: &[u8; BLOCK], start: usize, length: usize) -> &[u8] {
    header.get(start..start + length).unwrap_or_default()
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text(bytes: &[u8]) -> Unpacked<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return damaged("a name in the archive is not UTF-8") };
    Ok(text.to_owned())
}

/// A number in octal digits, or in binary where the first bit is set.
fn number(field: &[u8]) -> Unpacked<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        let start = u64::from(first & 0x7f);
        let value = rest.iter().try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)));
        return value.map_or_else(|| damaged("a size in the archive is out of range"), Ok);
    }
    let digits = std::str::from_utf8(until_zero(field)).unwrap_or("-").trim();
    if digits.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(digits, 8).or_else(|_| damaged("a size in the archive is no number"))
}

/// The sum of the header's bytes, its own field taken for blanks.
fn check_sum(header: &[u8; BLOCK]) -> Unpacked<()> {
    let bytes = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let sum: u64 = bytes.map(u64::from).sum();
    if number(field(header, 148, 8))? == sum {
        Ok(())
    } else {
        damaged("the archive is damaged: a header's sum is wrong")
    }
}

/// The `path` of an extended header: records of the form `length key=value\n`.
fn pax_path(records: &[u8]) -> Unpacked<Option<String>> {
    let (mut rest, mut path) = (records, None);
    while !rest.is_empty() {
        let digits = rest.split(|byte| *byte == b' ').next().and_then(|digits| std::str::from_utf8(digits).ok());
        let length = digits.and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(0);
        let skip = digits.map_or(0, str::len) + 1;
        let Some((record, after)) = rest.split_at_checked(length).filter(|_| length > skip) else {
            return damaged("an extended header of the archive is damaged");
        };
        if let Some(value) = record.get(skip..length - 1).and_then(|record| record.strip_prefix(b"path=")) {
            path = Some(text(value)?);
        }
        rest = after;
    }
    Ok(path)
}
