//! Runs the built command and reads what it found.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_document::{Document, Limits, parse};
use serde_json::Value;

/// A finding, as far as these tests look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rule: String,
    /// `Kind namespace/name`.
    pub(crate) resource: String,
    pub(crate) verdict: String,
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u64,
}

impl Found {
    /// Kind and name, without the namespace.
    pub(crate) fn kind_and_name(&self) -> (&str, &str) {
        let (kind, name) = self.resource.split_once(' ').unwrap_or((&self.resource, ""));
        (kind, name.rsplit('/').next().unwrap_or_default())
    }
}

/// Runs the command in the repository's folder.
pub(crate) fn palisade(arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(arguments)
        .current_dir(repository())
        .env("NO_COLOR", "1")
        .env_remove("PALISADE_CONFIG")
        .output()
        .unwrap()
}

/// What the policies that `selectors` name find in `paths`.
pub(crate) fn check(paths: &[PathBuf], selectors: &[String]) -> Vec<Found> {
    let mut arguments: Vec<String> = ["check", "--format", "json", "--jobs", "1"].map(str::to_owned).to_vec();
    arguments.extend(paths.iter().map(|path| path.display().to_string()));
    arguments.extend(selectors.iter().flat_map(|selector| ["--policies".to_owned(), selector.clone()]));
    let output = palisade(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["diagnostics"], Value::Array(vec![]), "{arguments:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = |finding: &Value| Found {
        rule: text(&finding["rule"]),
        resource: text(&finding["resource"]),
        verdict: text(&finding["verdict"]),
        message: text(&finding["message"]),
        file: text(&finding["location"]["file"]),
        line: finding["location"]["line"].as_u64().unwrap_or_default(),
    };
    report["findings"].as_array().unwrap().iter().map(found).collect()
}

/// A folder that goes away with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A folder with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("palisade-pack-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// A copy of a file, beside which nothing is left out of a run.
    pub(crate) fn copy(file: &Path) -> (Self, PathBuf) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let scratch = Self::of(&[(name, &std::fs::read_to_string(file).unwrap())]);
        let copy = scratch.0.join(name);
        (scratch, copy)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The selector of a rule.
pub(crate) fn selector(rule: &str) -> String {
    format!("pack:kubernetes/{rule}")
}

/// The repository's folder.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The folder of public suites, where there is one.
pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("PALISADE_CORPORA") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/corpora"),
    };
    let folder = folder.join(name);
    if folder.is_dir() {
        return folder.canonicalize().ok();
    }
    eprintln!("skipped: {} is absent; PALISADE_CORPORA names the folder of public suites", folder.display());
    None
}

/// The documents of a file.
pub(crate) fn documents(path: &Path) -> Vec<Document> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&path.display().to_string(), &bytes, &Limits::default()).documents
}

/// The files below `folder` called `name`.
pub(crate) fn files_called(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files_called(&path, name));
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
    found
}
