//! Tests of constraints as `gator verify` knows them: suites (`kind: Suite` of `test.gatekeeper.sh`).
//!
//! A suite pairs a template with a constraint and puts objects before them. [`run`] judges through the same code as
//! every checkpoint and gives one row per assertion. An assertion that there are no violations proves nothing where the
//! constraint does not select the object: it is [`Vacuous`](TestOutcome::Vacuous) unless the caller asks for
//! [`Mode::Compat`].
//!
//! Deliberately absent: reading files, which the caller does through [`TestFiles`].

mod assertion;
mod case;
mod fields;
mod objects;
mod suite;
#[cfg(test)]
mod tests;
mod trial;

use jiff::Timestamp;
use palisade_model::{Diagnostic, Level, Origin, Resource};
use palisade_policy::testing::{Mode, TestFiles, TestOutcome, TestReport, TestRow};

use crate::Preference;
use suite::{Case, Suite, Test};
use trial::Trial;

/// The group that suites are in, by which files with suites are told from others.
pub const GROUP: &str = "test.gatekeeper.sh";

/// Whether a document is a suite.
pub fn claims(document: &Resource) -> bool {
    document.gvk().is_some_and(|gvk| &*gvk.group == GROUP && &*gvk.kind == "Suite")
}

/// How a suite is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What becomes of a row that exercises nothing.
    pub mode: Mode,
    /// The moment of every decision.
    pub now: Timestamp,
    /// Which engine judges where a template has code for both.
    pub preference: Preference,
}

/// Runs one suite.
pub fn run(document: &Resource, files: &dyn TestFiles, options: Options) -> TestReport {
    let mut report = TestReport::default();
    let Some(suite) = Suite::read(document, &mut report.diagnostics) else { return report };
    let file = match &document.origin {
        Origin::File { source, .. } => source.name().to_owned(),
        Origin::Memory => String::new(),
    };
    for test in &suite.tests {
        let mut run = TestRun { file: &file, test, files, options, report: &mut report };
        if suite.skip || test.skip {
            run.skip();
        } else {
            run.run();
        }
    }
    report
}

/// One test of a suite while it runs.
struct TestRun<'a> {
    file: &'a str,
    test: &'a Test,
    files: &'a dyn TestFiles,
    options: Options,
    report: &'a mut TestReport,
}

impl TestRun<'_> {
    fn run(&mut self) {
        let trial = Trial::load(self.test, self.files, self.options.preference);
        if self.test.invalid {
            return self.invalid(&trial);
        }
        match trial {
            Ok(trial) => {
                for case in &self.test.cases {
                    self.case(&trial, case);
                }
            }
            Err(diagnostics) => {
                let message = sentence(&diagnostics);
                self.report.diagnostics.extend(diagnostics);
                self.every_row(TestOutcome::Error, &message);
            }
        }
    }

    /// A test that expects its constraint not to fit the template's schema.
    fn invalid(&mut self, trial: &Result<Trial, Vec<Diagnostic>>) {
        let schema = |diagnostic: &Diagnostic| diagnostic.code == crate::codes::SCHEMA;
        let (outcome, actual, message) = match trial {
            Ok(_) => (TestOutcome::Failed, "valid", "the constraint fits the schema of its template".to_owned()),
            Err(diagnostics) if diagnostics.iter().any(schema) => (TestOutcome::Passed, "invalid", String::new()),
            Err(diagnostics) => (TestOutcome::Failed, "error", sentence(diagnostics)),
        };
        let row = TestRow {
            expected: "invalid".into(),
            actual: actual.into(),
            message,
            ..self.row(None, TestOutcome::Error)
        };
        self.report.rows.push(TestRow { outcome, ..row });
    }

    fn case(&mut self, trial: &Trial, case: &Case) {
        if case.skip {
            return self.rows_of(case, TestOutcome::Skipped, "skipped");
        }
        let judged = match trial.judge(case, self.files, self.options.now) {
            Ok(judged) => judged,
            Err(message) => return self.rows_of(case, TestOutcome::Error, &message),
        };
        for assertion in &case.assertions {
            let answer = assertion.check(&judged, self.options.mode);
            let row = TestRow {
                resource: judged.name.clone(),
                expected: assertion.to_string(),
                actual: answer.actual,
                message: answer.message,
                ..self.row(Some(case), answer.outcome)
            };
            self.report.rows.push(row);
        }
    }

    fn row(&self, case: Option<&Case>, outcome: TestOutcome) -> TestRow {
        TestRow {
            file: self.file.to_owned(),
            policy: self.test.name.clone(),
            rule: case.map(|case| case.name.clone()).unwrap_or_default(),
            resource: case.map_or_else(|| self.test.constraint.clone(), |case| case.object.clone()),
            expected: String::new(),
            actual: String::new(),
            outcome,
            message: String::new(),
        }
    }

    /// The same outcome for every assertion of a case.
    fn rows_of(&mut self, case: &Case, outcome: TestOutcome, message: &str) {
        for assertion in &case.assertions {
            let row = TestRow {
                expected: assertion.to_string(),
                message: message.to_owned(),
                ..self.row(Some(case), outcome)
            };
            self.report.rows.push(row);
        }
    }

    /// The same outcome for everything that the test expects.
    fn every_row(&mut self, outcome: TestOutcome, message: &str) {
        for case in &self.test.cases {
            self.rows_of(case, outcome, message);
        }
        if self.test.cases.is_empty() {
            let row = self.row(None, outcome);
            self.report.rows.push(TestRow { message: message.to_owned(), ..row });
        }
    }

    fn skip(&mut self) {
        self.every_row(TestOutcome::Skipped, "skipped");
    }
}

/// What is wrong, in a sentence.
fn sentence(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
    let messages: Vec<_> = errors.map(|diagnostic| diagnostic.message.as_str()).collect();
    messages.join("; ")
}
