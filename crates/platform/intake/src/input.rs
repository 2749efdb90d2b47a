//! From paths to documents, with everything that was wrong on the way.
//!
//! Whatever reads files that people write reads them here: policies, manifests, waivers, values. Sizes are bounded, and a
//! file that cannot be read is a diagnostic, never an empty one.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_document::{Document, Limits, Parsed, expand_lists, parse};
use palisade_model::{Diagnostic, GroupVersionKind, Level, Source};

use crate::parallel::in_parallel;
use crate::{codes, folders};

/// What the standard input is called.
const STDIN: &str = "<stdin>";

/// Something to read documents from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file, read when its turn comes.
    File(PathBuf),
    /// The standard input, which can be read only once and so has been.
    Stdin(Parsed),
}

impl Input {
    /// What messages and reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => display_name(path),
            Self::Stdin(_) => STDIN.to_owned(),
        }
    }

    /// Its documents, `List` objects replaced by their items.
    pub fn read(&self) -> Parsed {
        let mut parsed = match self {
            Self::File(path) => read(path),
            Self::Stdin(parsed) => parsed.clone(),
        };
        parsed.documents = parsed.documents.into_iter().flat_map(expand_lists).collect();
        parsed
    }
}

/// The inputs below `paths` in sorted order, `-` being the standard input, and what was wrong on the way.
pub fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<Diagnostic>) {
    let (stdin, roots): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let found = folders::files(&roots, &folders::Options::default());
    let mut inputs: Vec<_> = found.files.into_iter().map(Input::File).collect();
    inputs.extend(stdin.first().map(|path| Input::Stdin(read(path))));
    (inputs, found.diagnostics)
}

/// Reads all documents below `paths` on `jobs` threads.
pub fn documents(paths: &[PathBuf], jobs: usize) -> (Vec<Document>, Vec<Diagnostic>) {
    let (inputs, mut diagnostics) = inputs(paths);
    let mut documents = Vec::new();
    for parsed in in_parallel(&inputs, jobs, Input::read) {
        diagnostics.extend(parsed.diagnostics);
        documents.extend(parsed.documents);
    }
    (documents, diagnostics)
}

/// Reads and parses one file.
pub fn read(path: &Path) -> Parsed {
    let name = display_name(path);
    let limits = Limits::default();
    match read_bytes(path, limits.max_bytes) {
        Ok(bytes) => parse(&name, &bytes, &limits),
        Err(error) => Parsed { documents: Vec::new(), diagnostics: vec![unreadable(&name, &error)] },
    }
}

/// A file that the operating system does not hand over.
pub fn unreadable(name: &str, why: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(codes::FILE, format!("cannot read `{name}`: {why}"))
        .help("check that the file exists and that you may read it")
}

/// At most one byte more than `limit`, so that the parser can tell that a file is too large without holding it all.
pub fn read_bytes(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = limit as u64 + 1;
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        // Read at once and no further; a file that says nothing of its size, such as a pipe, is read as it comes.
        let size = file.metadata().map_or(0, |metadata| metadata.len()).min(limit);
        bytes.reserve_exact(size as usize);
        file.take(if size > 0 { size } else { limit }).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn display_name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return STDIN.into();
    }
    path.strip_prefix("./").unwrap_or(path).display().to_string()
}

/// Reads a file of text; a diagnostic where it cannot be read, is too large or is not UTF-8.
pub fn read_text(path: &Path, limit: usize) -> Result<Arc<Source>, Diagnostic> {
    let name = display_name(path);
    match read_bytes(path, limit) {
        Err(error) => Err(unreadable(&name, &error)),
        Ok(bytes) if bytes.len() > limit => Err(unreadable(&name, &format_args!("it is larger than {limit} bytes"))),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text)),
            Err(_) => Err(unreadable(&name, &"it is not UTF-8 text")),
        },
    }
}

/// Whether any diagnostic is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error)
}

/// Whether a document is a Kubernetes object, by `apiVersion` and `kind`.
pub fn is_object(document: &Document) -> bool {
    GroupVersionKind::of(&document.value).is_some()
}
