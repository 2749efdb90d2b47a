//! Whole test files, held in memory, through the runner: rows, vacuity, mocks and what is reported.

use std::collections::HashMap;

use palisade_document::{Document, Limits, parse};
use palisade_model::{Diagnostic, Resource};
use palisade_policy::testing::{TestOutcome, TestReport};

use super::{Files, Mode, run};

use TestOutcome::{Error, Failed, Passed, Skipped, Vacuous};

/// Files held in memory.
struct Memory(HashMap<&'static str, &'static str>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<Document>, Diagnostic> {
        let text = self.0.get(path).ok_or_else(|| Diagnostic::error("TEST", format!("cannot read `{path}`")))?;
        Ok(parse(path, text.as_bytes(), &Limits::default()).documents)
    }
}

/// Runs a test over `policy.yaml` and `pods.yaml`; `rest` is what follows them in the test file.
fn judge(rest: &str, mode: Mode, files: &[(&'static str, &'static str)]) -> TestReport {
    let head = "{apiVersion: cli.kyverno.io/v1alpha1, kind: Test, metadata: {name: t}, ";
    let text = format!("{head}policies: [policy.yaml], resources: [pods.yaml], {rest}}}");
    let mut memory = HashMap::from([("policy.yaml", LABEL_POLICY), ("pods.yaml", PODS)]);
    memory.extend(files.iter().copied());
    let test: Vec<Resource> = parse("dir/kyverno-test.yaml", text.as_bytes(), &Limits::default())
        .documents
        .into_iter()
        .map(Document::into_resource)
        .collect();
    run(&test[0], &Memory(memory), mode, "2026-05-03T10:00:00Z".parse().unwrap())
}

fn rows(rest: &str, mode: Mode, files: &[(&'static str, &'static str)]) -> Vec<(String, TestOutcome)> {
    let report = judge(rest, mode, files);
    let row = |row: palisade_policy::testing::TestRow| (format!("{} {}", row.rule, row.resource), row.outcome);
    report.rows.into_iter().map(row).collect()
}

fn outcomes(rest: &str, mode: Mode, files: &[(&'static str, &'static str)]) -> Vec<TestOutcome> {
    rows(rest, mode, files).into_iter().map(|(_, outcome)| outcome).collect()
}

const LABEL_POLICY: &str = "
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labels}
spec:
  validationFailureAction: Audit
  rules:
  - name: team
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: {message: the label team is needed, pattern: {metadata: {labels: {team: '?*'}}}}
";

const PODS: &str = "
{apiVersion: v1, kind: Pod, metadata: {name: good, labels: {team: a}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bad}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: other}}
";

#[test]
fn rows_are_compared_with_expectations() {
    let rest = "results: [
        {policy: labels, rule: team, kind: Pod, resources: [good], result: pass},
        {policy: labels, rule: team, kind: Pod, resources: [default/bad], result: fail},
        {policy: labels, rule: team, kind: Pod, resources: [bad], result: pass}]";
    let found = rows(rest, Mode::Strict, &[]);
    let row = |name: &str, outcome| (format!("team v1/Pod/default/{name}"), outcome);
    assert_eq!(found, [row("good", Passed), row("bad", Passed), row("bad", Failed)]);
    let report = judge(rest, Mode::Strict, &[]);
    assert_eq!(report.rows[2].actual, "fail");
    assert!(report.rows[2].message.starts_with("want pass, got fail: "), "{}", report.rows[2].message);
}

#[test]
fn what_exercises_nothing_passes_only_for_upstream() {
    for (result, strict, compat) in [
        ("{policy: labels, rule: tema, resources: [bad], result: fail}", vec![Vacuous], vec![Passed]),
        ("{policy: labels, rule: team, resources: [other], result: fail}", vec![Vacuous], vec![Passed]),
        ("{policy: labels, rule: team, resources: [other], result: skip}", vec![Passed], vec![Passed]),
        ("{policy: lables, rule: team, resources: [bad], result: fail}", vec![Vacuous], vec![Failed]),
        ("{policy: labels, rule: team, resources: [bda, bad], result: fail}", vec![Vacuous, Passed], vec![Passed]),
        ("{policy: labels, rule: team, resources: [bda], result: fail}", vec![Vacuous], vec![Failed, Passed, Passed]),
    ] {
        let rest = format!("results: [{result}]");
        assert_eq!(outcomes(&rest, Mode::Strict, &[]), strict, "{result}");
        assert_eq!(outcomes(&rest, Mode::Compat, &[]), compat, "{result}");
    }
}

#[test]
fn missing_files_are_errors_that_name_the_file() {
    let rest = "variables: values.yaml, results: [{policy: labels, rule: team, resources: [good, bad], result: pass}]";
    let report = judge(rest, Mode::Compat, &[]);
    assert_eq!(report.rows.len(), 2);
    assert!(report.rows.iter().all(|row| row.outcome == Error && row.message.contains("`values.yaml`")));
    assert_eq!(report.diagnostics.len(), 1);
    let rest = "targetResources: [pods.yaml, gone.yaml], results: [{policy: labels, rule: team, resources: [good], result: pass}]";
    assert_eq!(outcomes(rest, Mode::Strict, &[]), [Error]);
    assert_eq!(outcomes(rest, Mode::Compat, &[]), [Passed]);
}

#[test]
fn misspelt_fields_and_invalid_policies_are_reported() {
    let report = judge("results: [{policy: labels, rules: team, result: passed}]", Mode::Strict, &[]);
    let messages: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].starts_with("dir/kyverno-test.yaml:1:") && messages[0].contains("`results[0].rules` is unknown")
    );
    assert!(report.rows.is_empty());
    let broken = [(
        "policy.yaml",
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: labels}, spec: {rules: [{}]}}",
    )];
    let rest = "results: [{policy: labels, rule: team, resources: [bad], result: fail}]";
    assert_eq!(outcomes(rest, Mode::Strict, &broken), [Error]);
    assert_eq!(outcomes(rest, Mode::Compat, &broken), [Skipped]);
}

const MUTATING: &str = "
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labels}
spec:
  rules:
  - name: add
    match: {any: [{resources: {kinds: [Pod]}}]}
    context: [{name: teams, configMap: {name: teams, namespace: default}}]
    mutate: {patchStrategicMerge: {metadata: {labels: {+(team): '{{ request.operation }}-{{ teams.data.one }}'}}}}
";

#[test]
fn patched_objects_are_compared_with_the_expected_file() {
    let files = [
        ("policy.yaml", MUTATING),
        (
            "good.yaml",
            "{apiVersion: v1, kind: Pod, metadata: {name: bad, labels: {team: UPDATE-x}, annotations: {}}, spec: {containers: [{name: c, image: i}]}}",
        ),
        (
            "wrong.yaml",
            "{apiVersion: v1, kind: Pod, metadata: {name: bad, labels: {team: CREATE-x}}, spec: {containers: [{name: c, image: i}]}}",
        ),
    ];
    let values = "values: {globalValues: {teams.data.one: x}, policies: [{name: labels, resources: [{name: bad, values: {request.operation: UPDATE}}]}]}";
    let result = |file: &str, more: &str| {
        format!(
            "{values}, results: [{{policy: labels, rule: add, resources: [bad], patchedResources: {file}, result: pass{more}}}]"
        )
    };
    assert_eq!(outcomes(&result("good.yaml", ""), Mode::Strict, &files), [Passed]);
    assert_eq!(outcomes(&result("wrong.yaml", ""), Mode::Strict, &files), [Failed]);
    assert_eq!(outcomes(&result("wrong.yaml", ", operation: CREATE"), Mode::Strict, &files), [Passed]);
    assert_eq!(outcomes(&result("pods.yaml", ""), Mode::Compat, &files), [Failed]);
    let missing = result("policy.yaml", "");
    assert_eq!(outcomes(&missing, Mode::Strict, &files), [Vacuous]);
    assert_eq!(outcomes(&missing, Mode::Compat, &files), []);
    assert_eq!(outcomes(&result("policy.yaml", ", failOnMissingResources: true"), Mode::Compat, &files), [Failed]);
}

const CEL_POLICY: &str = r#"
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: labels}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [services]}]
  validations:
  - {message: http, expression: "http.Get('https://svc/x').body.ok"}
  - {message: global, expression: "globalContext.Get('teams', 'names').size() == 2"}
  - {message: resource, expression: "resource.Get('v1', 'configmaps', 'default', 'cm').data.k == 'v'"}
  - {message: namespace, expression: "namespaceObject.metadata.labels.env == 'prod'"}
  - {message: user, expression: "request.userInfo.username == 'eve'"}
"#;

#[test]
fn surroundings_come_from_the_test() {
    let files = [
        ("policy.yaml", CEL_POLICY),
        ("user.yaml", "{apiVersion: cli.kyverno.io/v1alpha1, kind: UserInfo, userInfo: {username: eve}}"),
        (
            "context.yaml",
            "{kind: Context, spec: {resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: cm, namespace: default}, data: {k: v}}]}}",
        ),
    ];
    let rest = "userinfo: user.yaml, context: context.yaml,
        values: {namespaceSelector: [{name: default, labels: {env: prod}}]},
        apiCallResponses: [{url: 'https://svc/x', response: {body: {ok: true}}}],
        globalContextEntries: [{name: teams, data: {list: [{name: a}, {name: b}]}, projections: [{name: names, path: 'list[].name'}]}],
        results: [{policy: labels, isValidatingPolicy: true, resources: [other], result: pass},
            {policy: labels, isValidatingPolicy: true, resources: [good], result: pass}]";
    let report = judge(rest, Mode::Compat, &files);
    assert_eq!(report.rows[0].outcome, Passed, "{}", report.rows[0].message);
    // A policy of one plain rule is silent about what it does not select, which upstream fails.
    assert_eq!(report.rows[1].outcome, Failed, "{}", report.rows[1].message);
}

const TARGETING: &str = "
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: labels}
spec:
  rules:
  - name: touch
    match: {any: [{resources: {kinds: [Service]}}]}
    mutate:
      targets: [{apiVersion: v1, kind: Secret, name: '*', namespace: default}]
      patchStrategicMerge: {metadata: {labels: {seen: 'yes'}}}
";

#[test]
fn changed_targets_have_rows_of_their_own() {
    let files = [
        ("policy.yaml", TARGETING),
        ("targets.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s}}"),
        ("patched.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s, labels: {seen: 'yes'}}}"),
    ];
    let rest = "targetResources: [targets.yaml],
        results: [{policy: labels, rule: touch, resources: [s], patchedResources: patched.yaml, result: pass}]";
    assert_eq!(rows(rest, Mode::Strict, &files), [("touch v1/Secret/default/s".to_owned(), Passed)]);
}
