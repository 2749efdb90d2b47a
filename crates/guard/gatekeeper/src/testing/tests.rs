//! Tests of suites.

use std::collections::HashMap;

use jiff::Timestamp;
use palisade_document::{Document, Limits, parse};
use palisade_model::{Diagnostic, Resource};
use palisade_policy::testing::{Mode, TestFiles, TestOutcome, TestReport};

use super::{Options, claims, run};
use crate::Preference;

struct InMemory(HashMap<&'static str, &'static str>);

impl TestFiles for InMemory {
    fn resources(&self, path: &str) -> Result<Vec<Resource>, Diagnostic> {
        let text = self.0.get(path).ok_or_else(|| Diagnostic::error("PAL-P0001", format!("cannot read `{path}`")))?;
        Ok(documents(text))
    }
}

fn documents(text: &str) -> Vec<Resource> {
    let parsed = parse("suite.yaml", text.as_bytes(), &Limits::default());
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.documents.into_iter().map(Document::into_resource).collect()
}

const FILES: [(&str, &str); 10] = [
    (
        "template.yaml",
        r#"
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: foo}
spec:
  crd: {spec: {names: {kind: Foo}, validation: {openAPIV3Schema: {type: object, properties: {a: {type: string}}}}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package foo
      violation[{"msg": msg}] { input.review.object.metadata.labels.bad; msg := "labelled bad" }
      violation[{"msg": msg}] { input.review.operation == "DELETE"; msg := sprintf("%v deletes", [input.review.userInfo.username]) }
      violation[{"msg": msg}] { data.inventory.namespace[ns].v1.Pod[name]; msg := sprintf("there is %v/%v", [ns, name]) }
"#,
    ),
    (
        "constraint.yaml",
        "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Foo, metadata: {name: c}, \
          spec: {match: {kinds: [{apiGroups: [\"\"], kinds: [Pod]}]}}}",
    ),
    (
        "invalid.yaml",
        "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Foo, metadata: {name: c}, spec: {parameters: {a: 1}}}",
    ),
    (
        "expansion.yaml",
        "{apiVersion: expansion.gatekeeper.sh/v1alpha1, kind: ExpansionTemplate, metadata: {name: pods}, spec: {applyTo: \
          [{groups: [apps], versions: [v1], kinds: [Deployment]}], templateSource: spec.template, \
          generatedGVK: {group: \"\", version: v1, kind: Pod}}}",
    ),
    ("good.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: good}}"),
    ("bad.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: bad, labels: {bad: x}}}"),
    ("service.yaml", "{apiVersion: v1, kind: Service, metadata: {name: s}}"),
    (
        "deployment.yaml",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {metadata: {labels: {bad: x}}}}}",
    ),
    ("inventory.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}}"),
    (
        "deletion.yaml",
        "{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {operation: DELETE, userInfo: {username: bob}, \
          oldObject: {apiVersion: v1, kind: Pod, metadata: {name: good}}}}",
    ),
];

/// The report on a suite with one test that goes on with `test`.
fn report(test: &str, mode: Mode) -> TestReport {
    let suite = format!(
        "kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests:\n- name: t\n  template: template.yaml\n{test}"
    );
    let suite = &documents(&suite)[0];
    assert!(claims(suite));
    let options = Options { mode, now: Timestamp::UNIX_EPOCH, preference: Preference::Cel };
    run(suite, &InMemory(FILES.into()), options)
}

/// The outcomes of one case with these assertions.
fn outcomes(object: &str, rest: &str, assertions: &str, mode: Mode) -> Vec<TestOutcome> {
    let test = format!(
        "  constraint: constraint.yaml\n{rest}  cases:\n  - name: c\n    object: {object}\n    assertions: [{assertions}]\n"
    );
    let report = report(&test, mode);
    assert!(report.diagnostics.is_empty(), "{:?}", report.diagnostics);
    report.rows.iter().map(|row| row.outcome).collect()
}

#[test]
fn assertions_count_violations() {
    use TestOutcome::{Failed, Passed};
    let all = "{violations: yes}, {violations: no}, {violations: 1}, {violations: 2}, {}, {message: '^labelled'}, {violations: 0, message: other}";
    let expected = [Passed, Failed, Passed, Failed, Passed, Passed, Passed];
    assert_eq!(outcomes("bad.yaml", "", all, Mode::Strict), expected);
    assert_eq!(outcomes("good.yaml", "", "{violations: no}", Mode::Strict), [Passed]);
    assert_eq!(outcomes("deletion.yaml", "", "{message: 'bob deletes'}", Mode::Strict), [Passed]);
}

#[test]
fn passing_what_is_not_selected_is_vacuous() {
    assert_eq!(outcomes("service.yaml", "", "{violations: no}", Mode::Strict), [TestOutcome::Vacuous]);
    assert_eq!(outcomes("service.yaml", "", "{violations: no}", Mode::Compat), [TestOutcome::Passed]);
    assert_eq!(outcomes("service.yaml", "", "{violations: yes}", Mode::Compat), [TestOutcome::Failed]);
}

#[test]
fn expansion_and_inventory_are_given_by_the_suite() {
    let expansion = "  expansion: expansion.yaml\n";
    let implied = "{violations: 1, message: '^\\[Implied by pods\\] labelled bad$'}";
    assert_eq!(outcomes("deployment.yaml", expansion, implied, Mode::Strict), [TestOutcome::Passed]);
    let test = "  constraint: constraint.yaml\n  cases:\n  - name: c\n    object: good.yaml\n    inventory: [inventory.yaml]\n    \
                assertions: [{message: there is shop/p}]\n";
    assert_eq!(report(test, Mode::Strict).rows[0].outcome, TestOutcome::Passed);
}

#[test]
fn invalid_constraints_are_expected_to_break_the_schema() {
    let outcome = |constraint: &str| {
        let test = format!("  constraint: {constraint}\n  invalid: true\n");
        report(&test, Mode::Strict).rows[0].outcome
    };
    assert_eq!(outcome("invalid.yaml"), TestOutcome::Passed);
    assert_eq!(outcome("constraint.yaml"), TestOutcome::Failed);
    assert_eq!(outcome("missing.yaml"), TestOutcome::Failed);
}

#[test]
fn what_cannot_be_run_is_an_error_for_every_assertion() {
    let rows = |object: &str, constraint: &str| {
        let test = format!(
            "  constraint: {constraint}\n  cases:\n  - name: c\n    object: {object}\n    assertions: [{{violations: no}}, {{violations: 0}}]\n"
        );
        report(&test, Mode::Compat).rows.iter().map(|row| row.outcome).collect::<Vec<_>>()
    };
    assert_eq!(rows("missing.yaml", "constraint.yaml"), [TestOutcome::Error; 2]);
    assert_eq!(rows("good.yaml", "invalid.yaml"), [TestOutcome::Error; 2]);
    assert_eq!(rows("good.yaml", "template.yaml"), [TestOutcome::Error; 2]);
}

#[test]
fn misspelt_suites_are_refused() {
    for broken in [
        "  constraint: constraint.yaml\n  case: []\n",
        "  constraint: constraint.yaml\n  cases:\n  - {name: c, object: good.yaml, assertions: []}\n",
        "  constraint: constraint.yaml\n  cases:\n  - {name: c, object: good.yaml, assertions: [{violation: no}]}\n",
        "  constraint: constraint.yaml\n  cases:\n  - {name: c, object: good.yaml, assertions: [{violations: -1}]}\n",
        "  constraint: constraint.yaml\n  cases:\n  - {name: c, object: good.yaml, assertions: [{message: '('}]}\n",
        "  cases:\n  - {name: c, object: good.yaml, assertions: [{violations: no}]}\n",
    ] {
        let report = report(broken, Mode::Strict);
        assert!(report.rows.is_empty() && !report.diagnostics.is_empty(), "{broken}");
    }
}
