//! From paths to documents, with everything that was wrong on the way.
//!
//! Whatever reads files that people write reads them here: policies, manifests, waivers, values. Sizes are bounded, and a
//! file that cannot be read is a diagnostic, never an empty one. [`inputs`] reads YAML and JSON and nothing else, as
//! policies and values are written; [`claimed`] offers every file to the kinds, for commands that judge what is there.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_document::kind::{self, Form, Kind};
use palisade_document::{Document, Limits, Parsed, decode, doubts, expand_lists, parse};
use palisade_model::{Diagnostic, Level, Source};

use crate::parallel::in_parallel;
use crate::tally::Tally;
use crate::{codes, folders};

/// What the standard input is called.
const STDIN: &str = "<stdin>";

/// Something to read documents from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file of YAML or JSON, read when its turn comes.
    File(PathBuf),
    /// A file of the kind that claims it, read when its turn comes.
    Claimed(PathBuf),
    /// The standard input, which can be read only once and so has been.
    Stdin(Parsed),
}

/// What an input holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Its kind; none where none claims it by its first bytes.
    pub kind: Option<&'static dyn Kind>,
    /// Its documents, `List` objects replaced by their items, and what was wrong.
    pub parsed: Parsed,
    /// Whether it is text, in whole or in part, which nobody judges who does not ask for text.
    pub text: bool,
}

impl Input {
    /// What messages and reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Claimed(path) => display_name(path),
            Self::Stdin(_) => STDIN.to_owned(),
        }
    }

    /// Where it lies, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Claimed(path) => Some(path),
            Self::Stdin(_) => None,
        }
    }

    /// Its documents.
    pub fn read(&self) -> Parsed {
        self.contents().parsed
    }

    /// Whether its text contains `word`, without parsing it; of what cannot be read, [`Input::read`] says why.
    pub fn mentions(&self, word: &str) -> bool {
        match self {
            Self::Stdin(parsed) => parsed.documents.iter().any(|document| document.source.text().contains(word)),
            Self::File(path) | Self::Claimed(path) => {
                let limit = Limits::default().max_bytes as u64;
                let mut bytes = Vec::new();
                let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
                read.is_ok() && bytes.windows(word.len()).any(|window| window == word.as_bytes())
            }
        }
    }

    /// What it holds, and of what kind it is.
    pub fn contents(&self) -> Contents {
        let mut contents = match self {
            Self::File(path) => Contents::of_documents(read(path)),
            Self::Stdin(parsed) => Contents::of_documents(parsed.clone()),
            Self::Claimed(path) => Contents::read(path),
        };
        let documents = std::mem::take(&mut contents.parsed.documents);
        contents.parsed.diagnostics.extend(documents.iter().flat_map(doubts));
        contents.parsed.documents = documents.into_iter().flat_map(expand_lists).collect();
        contents
    }
}

impl Contents {
    fn of_documents(parsed: Parsed) -> Self {
        let text = parsed.documents.first().map_or("", |document| document.source.text());
        Self { kind: Some(kind::of_documents(text)), parsed, text: false }
    }

    /// Reads a file as its kind reads it; of text and of what nobody claims, no more than its first bytes.
    fn read(path: &Path) -> Self {
        let name = display_name(path);
        let limits = Limits::default();
        let broken = |diagnostic| Parsed { documents: Vec::new(), diagnostics: vec![diagnostic] };
        let (kind, bytes) = match claim(path, &name, limits.max_bytes) {
            Ok(claimed) => claimed,
            Err(error) => return Self::of_documents(broken(unreadable(&name, &error))),
        };
        let (read, may_be_text) = match kind.map(Kind::form) {
            None => return Self { kind, parsed: Parsed::default(), text: false },
            Some(Form::Text) => return Self { kind, parsed: Parsed::default(), text: true },
            Some(Form::Tree(read)) => (read, false),
            Some(Form::Template(read)) => (read, true),
        };
        let mut parsed = match decode(&name, &bytes) {
            Ok(source) => read(source, &limits),
            Err(diagnostic) => broken(diagnostic),
        };
        let text = may_be_text && has_errors(&parsed.diagnostics);
        if text {
            parsed.diagnostics.retain(|diagnostic| diagnostic.level != Level::Error);
        }
        Self { kind, parsed, text }
    }

    /// What the input adds to the tally of a run.
    pub fn tally(&self, name: &str) -> Tally {
        let mut tally = Tally::default();
        match self.kind {
            None => tally.leave_alone(name),
            Some(kind) => {
                if !self.text || !self.parsed.documents.is_empty() {
                    tally.documents.insert(kind.id(), 1);
                }
                if self.text {
                    tally.text.insert(kind.id(), 1);
                }
            }
        }
        tally
    }
}

/// The kind of a file and its bytes, or the first of them where that is all that its kind wants.
fn claim(path: &Path, name: &str, limit: usize) -> io::Result<(Option<&'static dyn Kind>, Vec<u8>)> {
    let mut file = File::open(path)?;
    let size = file.metadata().map_or(0, |metadata| metadata.len()).min(limit as u64 + 1);
    let mut bytes = Vec::with_capacity((size as usize).min(kind::HEAD));
    file.by_ref().take(kind::HEAD as u64).read_to_end(&mut bytes)?;
    let kind = kind::of(name, &bytes);
    if kind.is_some_and(|kind| !matches!(kind.form(), Form::Text)) && bytes.len() == kind::HEAD {
        bytes.reserve_exact((size as usize).saturating_sub(bytes.len()));
        file.take((limit + 1 - bytes.len()) as u64).read_to_end(&mut bytes)?;
    }
    Ok((kind, bytes))
}

/// The inputs below `paths` in sorted order, `-` being the standard input, and what was wrong on the way: files of YAML
/// and JSON, and files that are named.
pub fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<Diagnostic>) {
    let (stdin, roots): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let found = folders::files(&roots, &folders::Options::default());
    let mut inputs: Vec<_> = found.files.into_iter().map(Input::File).collect();
    inputs.extend(stdin.first().map(|path| Input::Stdin(read(path))));
    (inputs, found.diagnostics)
}

/// What is below the paths that a command is to judge.
#[derive(Debug, Default)]
pub struct Claimed {
    /// Files that some kind may claim by their names and files that are named, in sorted order.
    pub inputs: Vec<Input>,
    /// The other files, which are left alone.
    pub others: Tally,
    /// What was wrong on the way.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is below `paths`, `-` being the standard input. A file that is named and that no kind knows by its name is read
/// as YAML or JSON.
pub fn claimed(paths: &[PathBuf]) -> Claimed {
    let (stdin, roots): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let is_known = |path: &Path| kind::is_known(&path.to_string_lossy());
    let found = folders::matching(&roots, false, &is_known);
    let input = |path: PathBuf| if is_known(&path) { Input::Claimed(path) } else { Input::File(path) };
    let mut claimed = Claimed { diagnostics: found.diagnostics, ..Claimed::default() };
    claimed.inputs = found.files.into_iter().map(input).collect();
    claimed.inputs.extend(stdin.first().map(|path| Input::Stdin(read(path))));
    found.others.iter().for_each(|path| claimed.others.leave_alone(&path.to_string_lossy()));
    claimed
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
