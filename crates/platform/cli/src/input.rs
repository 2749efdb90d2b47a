//! From paths on the command line to policies and resources, with everything that was wrong on the way.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use palisade_document::{Document, Limits, Parsed, expand_lists, parse, walk};
use palisade_model::{Diagnostic, GroupVersionKind, Level, Resource, Source};
use palisade_policy::{Loaded, PolicySet};

use crate::languages::{self, LANGUAGES};
use crate::programs::{Files, ProgramArgs, is_bundle, programs};

/// What the standard input is called.
const STDIN: &str = "<stdin>";

/// Policies ready to judge.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// The policies.
    pub(crate) set: PolicySet,
    /// What was wrong with policy files; an error here means that a policy is missing from the set.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Something to read documents from.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// A file, read when its turn comes.
    File(PathBuf),
    /// The standard input, which can be read only once and so has been.
    Stdin(Parsed),
}

impl Input {
    /// What messages and reports call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => display_name(path),
            Self::Stdin(_) => STDIN.to_owned(),
        }
    }

    /// Its documents, `List` objects replaced by their items.
    pub(crate) fn read(&self) -> Parsed {
        let mut parsed = match self {
            Self::File(path) => read(path),
            Self::Stdin(parsed) => parsed.clone(),
        };
        parsed.documents = parsed.documents.into_iter().flat_map(expand_lists).collect();
        parsed
    }
}

/// The inputs below `paths` in sorted order, `-` being the standard input, and what was wrong on the way.
pub(crate) fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<Diagnostic>) {
    let (stdin, roots): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let found = walk::files(&roots, &walk::Options::default());
    let mut inputs: Vec<_> = found.files.into_iter().map(Input::File).collect();
    inputs.extend(stdin.first().map(|path| Input::Stdin(read(path))));
    (inputs, found.diagnostics)
}

/// Reads all documents below `paths` on `jobs` threads.
pub(crate) fn documents(paths: &[PathBuf], jobs: usize) -> (Vec<Document>, Vec<Diagnostic>) {
    let (inputs, mut diagnostics) = inputs(paths);
    let mut documents = Vec::new();
    for parsed in in_parallel(&inputs, jobs, Input::read) {
        diagnostics.extend(parsed.diagnostics);
        documents.extend(parsed.documents);
    }
    (documents, diagnostics)
}

/// Reads and parses one file.
pub(crate) fn read(path: &Path) -> Parsed {
    let name = display_name(path);
    let limits = Limits::default();
    match read_bytes(path, limits.max_bytes) {
        Ok(bytes) => parse(&name, &bytes, &limits),
        Err(error) => Parsed { documents: Vec::new(), diagnostics: vec![unreadable(&name, &error)] },
    }
}

/// A file that the operating system does not hand over.
pub(crate) fn unreadable(name: &str, why: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error("PAL-P0001", format!("cannot read `{name}`: {why}"))
        .help("check that the file exists and that you may read it")
}

/// At most one byte more than `limit`, so that the parser can tell that a file is too large without holding it all.
pub(crate) fn read_bytes(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
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
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<Arc<Source>, Diagnostic> {
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

/// Loads the policies `built_in` and every policy below `paths`; documents that no language claims are reported.
pub(crate) fn policies(paths: &[PathBuf], built_in: Vec<Resource>, programs: &ProgramArgs, jobs: usize) -> Policies {
    let of_objects = |path: &PathBuf| !is_bundle(path) && !languages::is_program(path);
    let objects: Vec<_> = paths.iter().filter(|path| of_objects(path)).cloned().collect();
    let (documents, diagnostics) = documents(&objects, jobs);
    let resources: Vec<_> = built_in.into_iter().chain(documents.into_iter().map(Document::into_resource)).collect();
    let mut loaded = load(&resources);
    loaded.diagnostics.splice(0..0, diagnostics);
    load_programs(paths, programs, &mut loaded);
    loaded
}

/// Adds the policies that are programs, language by language.
fn load_programs(paths: &[PathBuf], args: &ProgramArgs, loaded: &mut Policies) {
    for language in LANGUAGES.iter().filter(|language| !language.extensions().is_empty()) {
        let (programs, diagnostics) = programs(paths, args, language.extensions(), Files::Policies);
        loaded.diagnostics.extend(diagnostics);
        if programs.modules.is_empty() {
            continue;
        }
        let more = language.load_programs(&programs);
        loaded.diagnostics.extend(unknown_packages(&args.namespace, &more));
        loaded.set = PolicySet::new(loaded.set.policies().iter().cloned().chain(more.policies).collect());
        loaded.diagnostics.extend(more.diagnostics);
    }
}

/// Compiles policy documents with the languages that claim them.
fn load(documents: &[Resource]) -> Policies {
    let mut policies = Vec::new();
    let mut diagnostics = Vec::new();
    let claimed_by = |document: &Resource| LANGUAGES.iter().position(|language| language.claims(document));
    let claims: Vec<_> = documents.iter().map(claimed_by).collect();
    let of = |wanted: Option<usize>| -> Vec<Resource> {
        documents
            .iter()
            .zip(&claims)
            .filter(|(_, claim)| **claim == wanted)
            .map(|(document, _)| document.clone())
            .collect()
    };
    let others = of(None);
    for (index, language) in LANGUAGES.iter().enumerate() {
        let own = of(Some(index));
        if own.is_empty() {
            continue;
        }
        let loaded = language.load(&own, &others);
        policies.extend(loaded.policies);
        diagnostics.extend(loaded.diagnostics);
    }
    Policies { set: PolicySet::new(policies), diagnostics }
}

/// What `--namespace` names and no program defines: a typing mistake there would switch every check off.
fn unknown_packages(asked: &[String], found: &Loaded) -> Vec<Diagnostic> {
    let is_known = |name: &&String| found.policies.iter().any(|policy| *policy.reference().name == ***name);
    // Where programs could not be loaded, that is the trouble.
    let asked = asked.iter().filter(|_| !has_errors(&found.diagnostics));
    asked
        .filter(|name| !is_known(name))
        .map(|name| {
            Diagnostic::warning(
                "PAL-P0004",
                format!("no package with deny, warn or violation rules is called `{name}`"),
            )
            .help("without --namespace every such package judges; `palisade list policies -p PATH` shows them")
        })
        .collect()
}

/// Whether any diagnostic is an error.
pub(crate) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error)
}

/// Whether a document is a Kubernetes object, by `apiVersion` and `kind`.
pub(crate) fn is_object(document: &Document) -> bool {
    GroupVersionKind::of(&document.value).is_some()
}

/// How many threads to use: what was asked for, or one per core.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// Applies `work` to every item on `jobs` threads and returns the results in the order of the items.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const BATCH: usize = 8;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len().div_ceil(BATCH)));
    let worker = || {
        loop {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = items.get(start..items.len().min(start.saturating_add(BATCH))).filter(|b| !b.is_empty())
            else {
                return;
            };
            let done: Vec<R> = batch.iter().map(&work).collect();
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((start, done));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(items.len().div_ceil(BATCH)) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_unstable_by_key(|(start, _)| *start);
    results.into_iter().flat_map(|(_, done)| done).collect()
}
