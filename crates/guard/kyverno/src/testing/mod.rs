//! Tests of policies as the `kyverno` command line knows them: `kyverno-test.yaml` (kind `Test`).
//!
//! A test names policies, resources and everything that policies may look up, and what each rule is expected to say
//! of each resource. [`run`] judges the resources through the same engine as every checkpoint and compares. Rows come
//! out one for one as upstream prints them; what upstream lets pass although nothing was exercised is
//! [`Vacuous`](palisade_policy::testing::TestOutcome::Vacuous) unless the caller asks for [`Mode::Compat`].
//!
//! Deliberately absent: reading files, which the caller does through [`Files`].

mod codes;
mod compare;
mod engine;
mod fields;
mod manifest;
mod material;
mod mocks;
mod objects;
mod rows;
mod silence;
mod surroundings;
pub mod values;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use palisade_document::Document;
use palisade_model::{Diagnostic, Resource};
pub use palisade_policy::testing::Mode;
use palisade_policy::testing::{TestOutcome, TestReport, TestRow};

pub use codes::CODES;
use manifest::Manifest;
use material::Material;

/// The files that a test names.
pub trait Files {
    /// The documents of the file at `path`, which is relative to the test file.
    fn read(&self, path: &str) -> Result<Vec<Document>, Diagnostic>;
}

/// Files that are parsed once, however many results name them.
struct Once<'f> {
    files: &'f dyn Files,
    read: RefCell<HashMap<String, Result<Vec<Document>, Diagnostic>>>,
}

impl Files for Once<'_> {
    fn read(&self, path: &str) -> Result<Vec<Document>, Diagnostic> {
        if let Some(known) = self.read.borrow().get(path) {
            return known.clone();
        }
        let documents = self.files.read(path);
        self.read.borrow_mut().insert(path.to_owned(), documents.clone());
        documents
    }
}

/// Runs one test document. `now` is the moment of every decision.
pub fn run(test: &Resource, files: &dyn Files, mode: Mode, now: Timestamp) -> TestReport {
    let files: &dyn Files = &Once { files, read: RefCell::default() };
    let mut report = TestReport::default();
    let Some(manifest) = Manifest::read(test, &mut report.diagnostics) else { return report };
    match Material::load(&manifest, files, mode, &mut report.diagnostics) {
        Ok(material) => {
            let session = engine::Session::judge(&manifest, &material, now);
            rows::rows(&manifest, &material, &session, files, mode, &mut report);
        }
        Err(diagnostic) => {
            report.rows = unrunnable(&manifest, &diagnostic);
            report.diagnostics.push(*diagnostic);
        }
    }
    report
}

/// A test that cannot be run: every row that it declares is an error.
fn unrunnable(manifest: &Manifest, diagnostic: &Diagnostic) -> Vec<TestRow> {
    let mut rows = Vec::new();
    for expectation in &manifest.expectations {
        let names = expectation.resources.as_deref().unwrap_or_default();
        let unnamed = names.is_empty().then(String::new);
        for resource in names.iter().cloned().chain(unnamed) {
            rows.push(TestRow {
                file: manifest.file.clone(),
                policy: expectation.policy.clone(),
                rule: expectation.rule.clone(),
                resource,
                expected: expectation.result.clone(),
                actual: String::new(),
                outcome: TestOutcome::Error,
                message: diagnostic.to_string(),
            });
        }
    }
    rows
}
