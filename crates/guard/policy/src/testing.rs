//! What a run of policy tests reports, whatever the format of the test files.

use palisade_model::{Diagnostic, Resource};

/// What becomes of a row that exercises nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is vacuous, which counts as a failure.
    #[default]
    Strict,
    /// It passes where upstream lets it pass.
    Compat,
}

/// The files that a test names.
pub trait TestFiles {
    /// The documents of the file at `path`, which is relative to the test file.
    fn resources(&self, path: &str) -> Result<Vec<Resource>, Diagnostic>;
}

/// How a row of a test came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestOutcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not judged, as the test asks for (or, leniently, because upstream would not judge it).
    Skipped,
    /// The row exercises nothing: no such rule, policy or resource, or a rule that does not select the resource.
    Vacuous,
    /// The row could not be run.
    Error,
}

impl TestOutcome {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Vacuous => "vacuous",
            Self::Error => "error",
        }
    }
}

/// One printed row: one rule's answer about one resource against what the test expects.
#[derive(Clone, Debug)]
pub struct TestRow {
    /// The test file.
    pub file: String,
    /// Policy, as the test names it.
    pub policy: String,
    /// Rule that answered, `autogen-` included; empty where the policy has none.
    pub rule: String,
    /// Resource, as `Kind namespace/name` or as the test names it.
    pub resource: String,
    /// Expected result: `pass`, `fail`, `skip`, `warn`, `error`.
    pub expected: String,
    /// What came out; a verdict, or empty where nothing was evaluated.
    pub actual: String,
    /// How it came out.
    pub outcome: TestOutcome,
    /// Why, in a sentence.
    pub message: String,
}

/// The rows of one test file.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// Rows in the order of the file.
    pub rows: Vec<TestRow>,
    /// What was wrong with the test file or what it names.
    pub diagnostics: Vec<Diagnostic>,
}
