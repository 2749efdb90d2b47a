//! From answers to rows: which answers a result is about, and whether they are as expected.

use palisade_model::{Value, Verdict};
use palisade_policy::testing::{TestOutcome, TestReport, TestRow};
use palisade_policy::{Effect, Phase, RuleOutcome};

use super::compare::{Comparison, compare};
use super::engine::{Change, Response, Session, Trigger};
use super::manifest::{Expectation, Manifest};
use super::material::Material;
use super::objects::Key;
use super::{Files, Mode};

/// Adds the rows of every result.
pub(super) fn rows(
    manifest: &Manifest,
    material: &Material,
    session: &Session,
    files: &dyn Files,
    mode: Mode,
    report: &mut TestReport,
) {
    for expectation in &manifest.expectations {
        let checking = Checking { file: &manifest.file, expectation, material, session, files, mode };
        report.rows.extend(checking.rows());
    }
}

/// One result being checked.
struct Checking<'a> {
    file: &'a str,
    expectation: &'a Expectation,
    material: &'a Material,
    session: &'a Session,
    files: &'a dyn Files,
    mode: Mode,
}

/// What came of comparing one answer.
struct Checked {
    outcome: TestOutcome,
    actual: String,
    message: String,
}

impl<'a> Checking<'a> {
    fn rows(&self) -> Vec<TestRow> {
        let (selected, unknown) = self.selected();
        let mut rows = Vec::new();
        if self.mode == Mode::Strict {
            rows.extend(
                unknown.iter().map(|name| {
                    self.vacuous(name, format!("no resource of the test is called `{name}`; check the name"))
                }),
            );
        }
        for key in selected {
            rows.extend(self.rows_of(&key));
        }
        if rows.is_empty() && self.mode == Mode::Strict {
            let names = self.expectation.resources.as_deref().unwrap_or_default().join(", ");
            rows.push(
                self.vacuous(&names, "nothing was compared: the expected file has none of the resources".to_owned()),
            );
        }
        rows
    }

    /// The rule that a row names: none for policies that have no rules.
    fn rule_of(&self, policy: usize, outcome: &RuleOutcome) -> String {
        if self.has_no_rules(policy) { String::new() } else { outcome.rule.to_string() }
    }

    fn row(&self, rule: &str, resource: String, checked: Checked) -> TestRow {
        TestRow {
            file: self.file.to_owned(),
            policy: self.expectation.policy.clone(),
            rule: rule.to_owned(),
            resource,
            expected: self.expectation.result.clone(),
            actual: checked.actual,
            outcome: checked.outcome,
            message: checked.message,
        }
    }

    fn vacuous(&self, resource: &str, message: String) -> TestRow {
        let checked = Checked { outcome: TestOutcome::Vacuous, actual: String::new(), message };
        self.row(&self.expectation.rule, resource.to_owned(), checked)
    }

    fn triggers(&self) -> &'a [Trigger] {
        self.session.run(self.expectation.operation)
    }

    /// The objects that the result is about, targets first, and the names that fit none. As upstream has it, a result
    /// that selects nothing is about everything; strictly, only one that names nothing is.
    fn selected(&self) -> (Vec<Key>, Vec<&'a str>) {
        let mut targets: Vec<&Key> = Vec::new();
        for change in &self.session.changes {
            if !targets.contains(&&change.key) {
                targets.push(&change.key);
            }
        }
        let triggers: Vec<&Key> = self.triggers().iter().map(|trigger| &trigger.key).collect();
        let known = || targets.iter().chain(&triggers).copied();
        let (mut selected, mut unknown) = (Vec::new(), Vec::new());
        if let Some(names) = &self.expectation.resources {
            for name in names {
                let before = selected.len();
                selected.extend(known().filter(|key| key.is_called(name)).cloned());
                if selected.len() == before {
                    unknown.push(name.as_str());
                }
            }
            for spec in &self.expectation.specs {
                let fits = |key: &&Key| {
                    *key.api_version == *spec.api_version
                        && *key.namespace == *spec.namespace
                        && *key.name == *spec.name
                };
                let before = selected.len();
                selected.extend(known().filter(fits).cloned());
                if selected.len() == before {
                    unknown.push(spec.name.as_str());
                }
            }
        }
        if selected.is_empty() && (self.mode == Mode::Compat || unknown.is_empty()) {
            selected = known().cloned().collect();
        }
        (selected, unknown)
    }

    /// The rows about one object.
    fn rows_of(&self, key: &Key) -> Vec<TestRow> {
        let mut rows = Vec::new();
        let mut dropped = false;
        let responses =
            self.triggers().iter().filter(|trigger| trigger.key == *key).flat_map(|trigger| &trigger.responses);
        for response in responses.filter(|response| self.is_about(response)) {
            for outcome in response.outcomes.iter().filter(|outcome| self.wants(response, outcome)) {
                self.rows_of_outcome(key, response, outcome, &mut rows, &mut dropped);
            }
            if rows.is_empty() && !dropped {
                rows.push(self.excluded(key));
            }
        }
        for change in self.session.changes.iter().filter(|change| change.key == *key) {
            rows.push(self.row_of_change(change));
        }
        if rows.is_empty() && !dropped {
            rows.push(self.unanswered(key));
        }
        rows
    }

    fn is_about(&self, response: &Response) -> bool {
        let policy = self.material.policies.get(response.policy);
        policy.is_some_and(|entry| &*entry.policy.reference().name == self.expectation.policy_name())
    }

    /// Whether the result is about this outcome: any of a policy without rules, or one of the rule or derived from it.
    fn wants(&self, response: &Response, outcome: &RuleOutcome) -> bool {
        let rule = &self.expectation.rule;
        rule.is_empty() || self.has_no_rules(response.policy) || is_named(&outcome.rule, rule)
    }

    fn has_no_rules(&self, policy: usize) -> bool {
        let policy = self.material.policies.get(policy);
        policy.is_some_and(|entry| !matches!(&*entry.policy.reference().kind, "ClusterPolicy" | "Policy"))
    }

    fn rows_of_outcome(
        &self,
        key: &Key,
        response: &Response,
        outcome: &RuleOutcome,
        rows: &mut Vec<TestRow>,
        dropped: &mut bool,
    ) {
        let (rule, resource) = (self.rule_of(response.policy, outcome), key.to_string());
        if outcome.phase == Phase::Generate {
            let Effect::Generated(generated) = &outcome.effect else {
                rows.push(self.row(&rule, resource, self.check_verdict(outcome)));
                return;
            };
            rows.extend(generated.iter().map(|object| {
                let name = Key::of(object).name.to_string();
                self.row(&rule, name, self.check(outcome, object))
            }));
            return;
        }
        let object = match (outcome.phase, self.material.objects.iter().find(|object| object.key == *key)) {
            (Phase::Mutate, _) | (_, None) => &response.patched,
            (_, Some(object)) => &object.resource.object,
        };
        if !self.expectation.fail_on_missing && self.is_missing(object) {
            *dropped = true;
            return;
        }
        rows.push(self.row(&rule, resource, self.check(outcome, object)));
    }

    /// Whether the file of the expected object does not have it: such rows are left out unless the test wants them.
    fn is_missing(&self, object: &Value) -> bool {
        let is_missing = |path: &str| compare(object, self.files, path) == Comparison::Missing;
        match (&self.expectation.patched, &self.expectation.generated[..]) {
            (Some(path), _) | (None, [path]) => is_missing(path),
            _ => false,
        }
    }

    fn row_of_change(&self, change: &Change) -> TestRow {
        self.row(
            &self.rule_of(change.policy, &change.outcome),
            change.key.to_string(),
            self.check(&change.outcome, &change.patched),
        )
    }

    /// Compares the object with the expected one where there is one, then the verdict.
    fn check(&self, outcome: &RuleOutcome, object: &Value) -> Checked {
        let failed =
            |message: String| Checked { outcome: TestOutcome::Failed, actual: outcome.verdict.to_string(), message };
        let compared = |what: &str, path: &str| describe(&compare(object, self.files, path), what, path, object);
        if let Some(difference) = self.expectation.patched.as_ref().and_then(|path| compared("patched", path)) {
            return failed(difference);
        }
        let mut difference = None;
        for path in &self.expectation.generated {
            difference = compared("generated", path);
            if difference.is_none() {
                break;
            }
        }
        difference.map_or_else(|| self.check_verdict(outcome), failed)
    }

    fn check_verdict(&self, outcome: &RuleOutcome) -> Checked {
        let actual = outcome.verdict.to_string();
        // Of an object that a deleting policy keeps, upstream's versions say one or the other.
        let kept = outcome.phase == Phase::Delete && outcome.verdict == Verdict::Fail;
        let skipped = kept && self.expectation.result == Verdict::Skip.to_string();
        if actual == self.expectation.result || skipped {
            return Checked { outcome: TestOutcome::Passed, actual, message: outcome.message.clone() };
        }
        let why = if outcome.message.is_empty() { String::new() } else { format!(": {}", outcome.message) };
        let message = format!("want {}, got {actual}{why}", self.expectation.result);
        Checked { outcome: TestOutcome::Failed, actual, message }
    }

    /// The policy was asked and no such rule answered. Upstream passes; strictly, that proves something only where the
    /// rule exists and the test expects a skip.
    fn excluded(&self, key: &Key) -> TestRow {
        let expects_skip = self.expectation.result == Verdict::Skip.to_string();
        let (outcome, message) = match (self.mode, self.rule_exists()) {
            (Mode::Compat, _) => (TestOutcome::Passed, "excluded: no rule answered".to_owned()),
            (Mode::Strict, false) => {
                (TestOutcome::Vacuous, format!("the policy has no rule `{}`; check the name", self.expectation.rule))
            }
            (Mode::Strict, true) if expects_skip => (TestOutcome::Passed, "the rule does not select it".to_owned()),
            (Mode::Strict, true) => (
                TestOutcome::Vacuous,
                "the rule does not select the resource; expect `skip` if it should not".to_owned(),
            ),
        };
        let checked = Checked { outcome, actual: String::new(), message };
        self.row(&self.expectation.rule, key.to_string(), checked)
    }

    fn rule_exists(&self) -> bool {
        let rule = &self.expectation.rule;
        self.material.policies.iter().enumerate().any(|(index, entry)| {
            &*entry.policy.reference().name == self.expectation.policy_name()
                && (rule.is_empty()
                    || self.has_no_rules(index)
                    || entry.policy.rules().iter().any(|own| is_named(&own.name, rule)))
        })
    }

    /// No policy of the name answered at all.
    fn unanswered(&self, key: &Key) -> TestRow {
        let name = self.expectation.policy_name();
        let invalid = self.material.invalid.iter().find(|(key, _)| &*key.name == name);
        let known = self.material.policies.iter().any(|entry| &*entry.policy.reference().name == name);
        let (outcome, message) = match (invalid, known) {
            (Some((key, reason)), _) if self.mode == Mode::Compat && key.api_version.starts_with("kyverno.io/") => {
                (TestOutcome::Skipped, format!("the policy is invalid: {reason}"))
            }
            (Some((_, reason)), _) => (TestOutcome::Error, format!("the policy is invalid: {reason}")),
            (None, true) if self.mode == Mode::Strict && self.expectation.result == Verdict::Skip.to_string() => {
                (TestOutcome::Passed, "the policy does not select it".to_owned())
            }
            (None, true) => (self.nothing(), "the policy does not select the resource".to_owned()),
            (None, false) => (self.nothing(), format!("the test has no policy called `{name}`; check the name")),
        };
        let checked = Checked { outcome, actual: String::new(), message };
        self.row(&self.expectation.rule, key.to_string(), checked)
    }

    /// What a row comes to that upstream fails because nothing answered.
    fn nothing(&self) -> TestOutcome {
        match self.mode {
            Mode::Strict => TestOutcome::Vacuous,
            Mode::Compat => TestOutcome::Failed,
        }
    }
}

/// Whether `rule` is `wanted` or was derived from it by autogen.
fn is_named(rule: &str, wanted: &str) -> bool {
    let plain = rule.strip_prefix("autogen-").unwrap_or(rule);
    rule == wanted || plain == wanted || plain.strip_prefix("cronjob-") == Some(wanted)
}

/// What is wrong with a comparison; `None` where the objects are equal.
fn describe(comparison: &Comparison, what: &str, path: &str, object: &Value) -> Option<String> {
    match comparison {
        Comparison::Equal => None,
        Comparison::Missing => {
            Some(format!("resource with name {} not found in manifest `{path}`", Key::of(object).name))
        }
        Comparison::Unreadable(why) => Some(why.clone()),
        Comparison::Different => {
            Some(format!("the {what} resource differs from the one in `{path}`; it is {}", object.to_canonical_json()))
        }
    }
}
