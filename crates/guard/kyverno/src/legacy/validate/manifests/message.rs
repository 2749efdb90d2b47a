//! The signed message: base64 of gzip of either YAML or a gzipped tar archive of YAML files.
//!
//! Messages come from whoever wrote the resource, so unpacking and parsing are bounded.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;
use palisade_document::{Limits, parse};
use palisade_model::{Level, Value};

/// The most bytes that a message unpacks to.
const MAX_UNPACKED: u64 = 16 << 20;
/// How gzip begins; YAML never does.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BLOCK: usize = 512;

/// Go's standard alphabet, which does not mind left-over bits.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

const LIMITS: Limits = Limits {
    max_bytes: MAX_UNPACKED as usize,
    max_depth: 128,
    max_nodes: 500_000,
    max_alias_expansion: 100_000,
    max_documents: 10_000,
    word_booleans: true,
};

/// The bytes that are signed: the text decoded and unpacked, or only decoded where it is not packed.
pub(super) fn signed_bytes(text: &str) -> Result<Vec<u8>, String> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let packed = BASE64.decode(text).map_err(|error| format!("the message is not base64: {error}"))?;
    Ok(gunzip(&packed)?.unwrap_or(packed))
}

/// Unpacked bytes; `None` where they are not gzip.
fn gunzip(packed: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(packed).take(MAX_UNPACKED + 1).read_to_end(&mut unpacked);
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err(format!("the message unpacks to more than {} MiB", MAX_UNPACKED >> 20));
    }
    Ok(read.is_ok().then_some(unpacked))
}

/// The manifests of a message.
pub(super) fn manifests(message: &[u8]) -> Result<Vec<Value>, String> {
    if !message.starts_with(&GZIP) {
        return documents(message).map_err(|why| format!("the signed message cannot be read: {why}"));
    }
    let archive = gunzip(message)?.ok_or("the message is damaged gzip")?;
    let files = files(&archive)?;
    let readable = files.values().filter_map(|file| documents(file).ok());
    Ok(readable
        .filter(|documents| documents.first().is_some_and(|first| first.get("kind").is_some()))
        .flatten()
        .collect())
}

/// The documents of a text; it must have some.
fn documents(text: &[u8]) -> Result<Vec<Value>, String> {
    let parsed = parse("message.yaml", text, &LIMITS);
    if let Some(problem) = parsed.diagnostics.into_iter().find(|diagnostic| diagnostic.level >= Level::Error) {
        return Err(problem.message);
    }
    if parsed.documents.is_empty() {
        return Err("it has no document".into());
    }
    Ok(parsed.documents.into_iter().map(|document| document.value).collect())
}

/// The YAML files of a tar archive in the order of their paths.
fn files(archive: &[u8]) -> Result<BTreeMap<Vec<String>, &[u8]>, String> {
    let mut files = BTreeMap::new();
    let mut rest = archive;
    while let Some((header, after)) = rest.split_at_checked(BLOCK).filter(|(header, _)| header.iter().any(|b| *b != 0))
    {
        let header = Header::read(header).ok_or("the message holds a damaged tar archive")?;
        let body = after.get(..header.size).ok_or("the message holds a tar archive that ends too early")?;
        match header.kind {
            b'0' | 0 if header.is_yaml() => drop(files.insert(header.components(), body)),
            b'0' | 0 | b'5' => {}
            other => {
                let kind = char::from(other).escape_default();
                return Err(format!("the message holds a tar archive with an entry of type `{kind}`"));
            }
        }
        rest = after.get(header.size.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Ok(files)
}

/// What is of interest in the header of a tar entry.
struct Header {
    name: String,
    size: usize,
    kind: u8,
}

impl Header {
    fn read(block: &[u8]) -> Option<Self> {
        let prefix = if block.get(257..262)? == b"ustar" { text(block.get(345..500)?) } else { String::new() };
        let name = text(block.get(..100)?);
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        (octal(block.get(148..156)?)? == checksum(block)).then_some(())?;
        Some(Self { name, size: octal(block.get(124..136)?)?, kind: *block.get(156)? })
    }

    /// Whether the entry counts: names that leave the archive do not.
    fn is_yaml(&self) -> bool {
        !self.name.starts_with("..") && [".yaml", ".yml"].iter().any(|extension| self.name.ends_with(extension))
    }

    fn components(&self) -> Vec<String> {
        self.name.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
    }
}

/// The sum of a header's bytes, its checksum counted as blanks.
fn checksum(block: &[u8]) -> usize {
    let byte = |(at, byte): (usize, &u8)| usize::from(if (148..156).contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

fn octal(field: &[u8]) -> Option<usize> {
    let text = text(field);
    usize::from_str_radix(text.trim(), 8).ok()
}
