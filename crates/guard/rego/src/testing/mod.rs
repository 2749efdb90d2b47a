//! Rego's own tests: rules called `test_...`, as `opa test` runs them
//! (<https://www.openpolicyagent.org/docs/policy-testing>).
//!
//! A test passes where it is true. One that is a partial object has cases: `test_it[note] if { some note, case in cases; ..
//! }`. Where it fails, the furthest condition that did not hold is named. A test that never reaches a rule outside of the
//! tests says nothing about a policy; it is vacuous.

mod cases;
mod observer;

use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Diagnostic, Level, Location, Str};
use palisade_policy::Programs;
use palisade_policy::testing::{TestOutcome, TestRow};
use palisade_rego_builtins::{Host, Offline};
use palisade_rego_value::Value;

use crate::compile::{CompileOptions, compile};
use crate::machine::coverage::Coverage;
use crate::machine::{EvalError, Inputs, Limits, Machine, Session};
use crate::packages::modules;
use crate::plan::{Program, RuleId, RuleKind};
use observer::Watch;

/// The tests of a folder, compiled together with what they test.
#[derive(Debug)]
pub struct Suite {
    program: Arc<Program>,
    data: Value,
    tests: Vec<Test>,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// The package, such as `main`.
    pub package: String,
    /// The rule's name.
    pub name: Str,
    /// Where it is written.
    pub location: Option<Location>,
    rule: RuleId,
    /// The queries of the program that list the names of its cases.
    cases: Vec<usize>,
}

impl Test {
    /// `data.main.test_it`, which `--run` is matched with.
    pub fn path(&self) -> String {
        format!("data.{}.{}", self.package, self.name)
    }
}

impl Suite {
    /// Compiles programs and finds their tests; what is wrong with them otherwise.
    pub fn load(programs: &Programs) -> Result<Self, Vec<Diagnostic>> {
        let (modules, diagnostics) = modules(&programs.modules);
        if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            return Err(diagnostics);
        }
        let options = CompileOptions { instrument: true, ..CompileOptions::default() };
        let mut program = compile(&modules, &[], options)?;
        let tests = tests(&mut program);
        Ok(Self { program: Arc::new(program), data: Value::from(&programs.data), tests })
    }

    /// The tests in order of their packages.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The program, which coverage is reported for.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Runs one test: its rows, what it printed, and what it covered. `files` reads a file that a test names.
    pub fn run(&self, test: &Test, now: Timestamp, files: &Files) -> Ran {
        let mut watch = Watch::new(&self.program, test);
        let mut machine = Machine::new(Arc::clone(&self.program));
        let file = test.location.as_ref().map(|location| location.source.name().to_owned()).unwrap_or_default();
        let host = Beside { file, files };
        let inputs = Inputs {
            host: &host,
            data: self.data.clone(),
            now,
            observer: Some(&mut watch),
            limits: Limits::default(),
            ..Inputs::empty()
        };
        let mut session = machine.session(inputs);
        let answers = if is_todo(test) { vec![Answer::todo()] } else { self.answers(test, &mut session) };
        drop(session);
        let rows = answers.into_iter().map(|answer| self.row(test, answer, &watch)).collect();
        Ran { rows, prints: watch.prints, coverage: watch.coverage }
    }

    fn answers(&self, test: &Test, session: &mut Session<'_>) -> Vec<Answer> {
        let path: Vec<Str> =
            self.program.rules.get(test.rule as usize).map(|rule| rule.path.clone()).unwrap_or_default();
        let value = match session.evaluate(&path) {
            Ok(value) => value,
            Err(error) => return vec![Answer { case: None, result: Err(error) }],
        };
        if test.cases.is_empty() {
            return vec![Answer {
                case: None,
                result: Ok(value.is_some_and(|value| matches!(value, Value::Bool(true)))),
            }];
        }
        match cases::names(&test.cases, session) {
            Err(error) => vec![Answer { case: None, result: Err(error) }],
            Ok(names) => names
                .into_iter()
                .map(|name| {
                    let passed = value.as_ref().and_then(|value| name.iter().try_fold(value, |at, key| at.get(key)));
                    let passed = matches!(passed, Some(Value::Bool(true)));
                    Answer { case: Some(cases::title(&name)), result: Ok(passed) }
                })
                .collect(),
        }
    }

    fn row(&self, test: &Test, answer: Answer, watch: &Watch<'_>) -> TestRow {
        let (outcome, message) = match &answer.result {
            _ if is_todo(test) => (TestOutcome::Skipped, "it is still to be written".into()),
            Err(error) => (TestOutcome::Error, error.to_string()),
            Ok(true) if !watch.reached_policy => {
                (TestOutcome::Vacuous, "it passes without reaching any rule outside of the tests".into())
            }
            Ok(true) => (TestOutcome::Passed, String::new()),
            Ok(false) => (TestOutcome::Failed, watch.furthest_failure(&self.program).unwrap_or_default()),
        };
        let actual = match &answer.result {
            Ok(true) => "pass",
            Ok(false) => "fail",
            Err(_) => "error",
        };
        TestRow {
            file: test.location.as_ref().map(ToString::to_string).unwrap_or_default(),
            policy: test.package.clone(),
            rule: test.name.to_string(),
            resource: answer.case.unwrap_or_default(),
            expected: "pass".into(),
            actual: actual.into(),
            outcome,
            message,
        }
    }
}

/// Reads a file by its path.
pub type Files = dyn Fn(&str) -> Result<String, String> + Sync;

/// What a test sees of the world: the files that its policy's folder leads to.
struct Beside<'a> {
    file: String,
    files: &'a Files,
}

impl Host for Beside<'_> {
    fn http(&self, request: &Value) -> Result<Value, String> {
        Offline.http(request)
    }

    fn addresses(&self, name: &str) -> Result<Vec<Str>, String> {
        Offline.addresses(name)
    }

    fn runtime(&self) -> Value {
        Offline.runtime()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let folder = self.file.rfind(['/', '\\']).and_then(|end| self.file.get(..=end)).unwrap_or_default();
        (self.files)(&format!("{folder}{path}"))
    }
}

/// What running a test gave.
#[derive(Debug)]
pub struct Ran {
    /// One row, or one for each case.
    pub rows: Vec<TestRow>,
    /// What was printed, line by line.
    pub prints: Vec<String>,
    /// What was evaluated.
    pub coverage: Coverage,
}

/// Whether a test, or one of its cases, holds.
struct Answer {
    case: Option<String>,
    result: Result<bool, EvalError>,
}

impl Answer {
    fn todo() -> Self {
        Self { case: None, result: Ok(false) }
    }
}

fn is_todo(test: &Test) -> bool {
    test.name.starts_with("todo_")
}

/// Whether a rule of this name is a test.
fn is_test(name: &str) -> bool {
    name.starts_with("test_") || name.starts_with("todo_test_")
}

/// The tests of a program, to which the queries for the names of their cases are added.
fn tests(program: &mut Program) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut queries = Vec::new();
    for (id, rule) in (0..).zip(&program.rules) {
        let Some((name, package)) = rule.path.split_last().filter(|(name, _)| is_test(name)) else { continue };
        if matches!(rule.kind, RuleKind::Function { .. }) {
            continue;
        }
        let first = program.queries.len() + queries.len();
        if rule.kind == RuleKind::Object {
            queries.extend(rule.definitions.iter().filter_map(cases::query));
        }
        tests.push(Test {
            package: package.join("."),
            name: name.clone(),
            location: program.location(rule.place),
            rule: id,
            cases: (first..program.queries.len() + queries.len()).collect(),
        });
    }
    program.queries.extend(queries);
    tests.sort_by(|a, b| {
        (&a.package, &a.location.as_ref().map(|at| at.span.start))
            .cmp(&(&b.package, &b.location.as_ref().map(|at| at.span.start)))
    });
    tests
}

#[cfg(test)]
mod tests;
