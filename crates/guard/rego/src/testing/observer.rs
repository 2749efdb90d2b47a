//! What is watched while a test runs.

use palisade_model::Str;

use super::{Test, is_test};
use crate::machine::Observer;
use crate::machine::coverage::Coverage;
use crate::plan::{Place, Program, RuleId};

/// Files of this ending hold tests and what only tests need.
const TEST_FILE: &str = "_test.rego";

/// Prints, coverage, and what tells a test that says something from one that does not.
pub(super) struct Watch<'a> {
    program: &'a Program,
    test: RuleId,
    /// Whether the test's own conditions are being evaluated: rules that are entered and not yet left.
    running: Vec<RuleId>,
    /// The condition of the test that did not hold after the most others did.
    furthest: Option<u32>,
    only_test_files: bool,
    pub(super) reached_policy: bool,
    pub(super) prints: Vec<String>,
    pub(super) coverage: Coverage,
}

impl<'a> Watch<'a> {
    pub(super) fn new(program: &'a Program, test: &Test) -> Self {
        let only_test_files = program.sources.iter().all(|source| source.name().ends_with(TEST_FILE));
        Self {
            program,
            test: test.rule,
            running: Vec::new(),
            furthest: None,
            only_test_files,
            reached_policy: false,
            prints: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// `file:line: CONDITION does not hold`.
    pub(super) fn furthest_failure(&self, program: &Program) -> Option<String> {
        let place = *program.expressions.get(self.furthest? as usize)?;
        let location = program.location(place)?;
        let text = location.source.slice(location.span).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(format!("`{text}` does not hold (line {})", location.start().line))
    }

    /// Whether a definition belongs to what is tested.
    fn is_policy(&self, rule: RuleId, definition: Place) -> bool {
        let name = self.program.rules.get(rule as usize).and_then(|rule| rule.path.last());
        let file = self.program.sources.get(definition.source as usize);
        let in_test_file = file.is_some_and(|source| source.name().ends_with(TEST_FILE));
        !name.is_some_and(|name: &Str| is_test(name)) && (self.only_test_files || !in_test_file)
    }
}

impl Observer for Watch<'_> {
    fn entered(&mut self, rule: RuleId, definition: Place) {
        self.running.push(rule);
        self.reached_policy |= self.is_policy(rule, definition);
        self.coverage.entered(rule, definition);
    }

    fn exited(&mut self, rule: RuleId, definition: Place) {
        self.running.pop();
        self.coverage.exited(rule, definition);
    }

    fn failed(&mut self, rule: RuleId, definition: Place) {
        self.running.pop();
        self.coverage.failed(rule, definition);
    }

    fn expression_entered(&mut self, number: u32) {
        self.coverage.expression_entered(number);
    }

    fn expression_failed(&mut self, number: u32) {
        if self.running.last() == Some(&self.test) {
            let start = |number: u32| self.program.expressions.get(number as usize).map(|place| place.span.start);
            if self.furthest.is_none_or(|furthest| start(furthest) < start(number)) {
                self.furthest = Some(number);
            }
        }
        self.coverage.expression_failed(number);
    }

    fn print(&mut self, place: Place, text: &str) {
        let place = self.program.location(place).map(|location| format!("{location}: ")).unwrap_or_default();
        self.prints.push(format!("{place}{text}"));
    }
}
