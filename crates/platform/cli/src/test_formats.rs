//! The table of test formats. Adding one is a line here, and the two functions that it names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use palisade_document::{Document, Parsed};
use palisade_gatekeeper::testing as gatekeeper;
use palisade_kyverno::testing as kyverno;
use palisade_model::{Diagnostic, Level, Resource};
use palisade_policy::testing::{Mode, TestFiles, TestReport};

/// A format of tests.
pub(crate) struct TestFormat {
    /// Whether a file holds tests of this format.
    is_test: fn(&Path) -> bool,
    /// Runs the tests of a file.
    run: fn(&Path, Mode, Timestamp) -> TestReport,
}

/// Every format that `palisade test` runs. A file that is named on the command line and is of none of them is taken for
/// one of the first, which says what is wrong with it.
const FORMATS: &[TestFormat] =
    &[TestFormat { is_test: is_kyverno_test, run: run_kyverno_test }, TestFormat { is_test: is_suite, run: run_suite }];

/// The format of a file.
pub(crate) fn of(path: &Path) -> Option<&'static TestFormat> {
    FORMATS.iter().find(|format| (format.is_test)(path))
}

/// Runs the tests of a file.
pub(crate) fn run(path: &Path, mode: Mode, now: Timestamp) -> TestReport {
    match of(path).or(FORMATS.first()) {
        Some(format) => (format.run)(path, mode, now),
        None => TestReport::default(),
    }
}

fn is_kyverno_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "kyverno-test.yaml" || name == "kyverno-test.yml")
}

/// The most of a file that is searched for the mark of a suite; real ones have some kilobytes.
const SEARCHED: u64 = 4 << 20;

/// Suites may have any name, so that they are told by the group that they are in.
fn is_suite(path: &Path) -> bool {
    let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let mut bytes = Vec::new();
    let read = yaml && File::open(path).is_ok_and(|file| file.take(SEARCHED).read_to_end(&mut bytes).is_ok());
    read && bytes.windows(gatekeeper::GROUP.len()).any(|window| window == gatekeeper::GROUP.as_bytes())
}

fn run_kyverno_test(path: &Path, mode: Mode, now: Timestamp) -> TestReport {
    run_documents(path, |document, beside| Some(kyverno::run(document, beside, mode, now)))
}

fn run_suite(path: &Path, mode: Mode, now: Timestamp) -> TestReport {
    let options = gatekeeper::Options { mode, now, preference: palisade_gatekeeper::Preference::default() };
    run_documents(path, |document, beside| {
        gatekeeper::claims(document).then(|| gatekeeper::run(document, beside, options))
    })
}

/// Runs every document of a file that is a test.
fn run_documents(path: &Path, run: impl Fn(&Resource, &Beside<'_>) -> Option<TestReport>) -> TestReport {
    let parsed = palisade_intake::read(path);
    let beside = Beside { folder: path.parent().unwrap_or(Path::new("")) };
    let mut report = TestReport { diagnostics: parsed.diagnostics, ..TestReport::default() };
    for part in parsed.documents.iter().filter_map(|document| run(&document.resource(), &beside)) {
        report.rows.extend(part.rows);
        report.diagnostics.extend(part.diagnostics);
    }
    report
}

/// Files named by a test, relative to it.
struct Beside<'a> {
    folder: &'a Path,
}

impl Beside<'_> {
    fn parsed(&self, path: &str) -> Result<Vec<Document>, Diagnostic> {
        let Parsed { documents, mut diagnostics } = palisade_intake::read(&self.folder.join(path));
        match diagnostics.iter().position(|diagnostic| diagnostic.level == Level::Error) {
            Some(at) => Err(diagnostics.swap_remove(at)),
            None => Ok(documents),
        }
    }
}

impl kyverno::Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<Vec<Document>, Diagnostic> {
        self.parsed(path)
    }
}

impl TestFiles for Beside<'_> {
    fn resources(&self, path: &str) -> Result<Vec<Resource>, Diagnostic> {
        Ok(self.parsed(path)?.into_iter().map(Document::into_resource).collect())
    }
}
