//! The public library, where it is at hand: every assertion on both engines.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use palisade_document::{Document, Limits, parse};
use palisade_model::{Diagnostic, Resource};
use palisade_policy::testing::{Mode, TestFiles, TestOutcome, TestRow};

use crate::Preference;
use crate::testing::{Options, claims, run};

/// Files of a folder.
struct Folder<'a>(&'a Path);

impl TestFiles for Folder<'_> {
    fn resources(&self, path: &str) -> Result<Vec<Resource>, Diagnostic> {
        let path = self.0.join(path);
        let bytes = std::fs::read(&path).map_err(|error| Diagnostic::error("PAL-P0001", error.to_string()))?;
        let parsed = parse(&path.display().to_string(), &bytes, &Limits::default());
        Ok(parsed.documents.into_iter().map(Document::into_resource).collect())
    }
}

fn suites(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(suites(&path));
        } else if path.file_name().is_some_and(|name| name == "suite.yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rows(suite: &Path, preference: Preference) -> Vec<TestRow> {
    let folder = Folder(suite.parent().unwrap());
    let documents = folder.resources("suite.yaml").unwrap();
    let options = Options { mode: Mode::Compat, now: Timestamp::UNIX_EPOCH, preference };
    let reports = documents.iter().filter(|document| claims(document)).map(|document| run(document, &folder, options));
    reports.flat_map(|report| report.rows).collect()
}

#[test]
#[allow(clippy::print_stdout, reason = "a skipped corpus is told")]
fn the_library_holds_on_both_engines() {
    let corpora = std::env::var("PALISADE_CORPORA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/corpora").into());
    let suites = suites(&Path::new(&corpora).join("gatekeeper-library"));
    if suites.is_empty() {
        println!("skipped: no gatekeeper-library below {corpora}");
        return;
    }
    for preference in [Preference::Cel, Preference::Rego] {
        let rows: Vec<_> = suites.iter().flat_map(|suite| rows(suite, preference)).collect();
        let wrong: Vec<_> = rows.iter().filter(|row| row.outcome != TestOutcome::Passed).collect();
        assert!(wrong.is_empty(), "{preference:?}: {wrong:#?}");
        println!("{preference:?}: {} assertions hold", rows.len());
    }
}
