//! Tests of templates and constraints as policies.

use jiff::Timestamp;
use palisade_document::{Document, Limits, parse};
use palisade_model::{Diagnostic, Resource, Value, Verdict, json};
use palisade_policy::{
    AdmissionRequest, Enforcement, Environment, Offline, Operation, Phase, Reads, Request, RuleOutcome, Variables,
    evaluate,
};

use crate::{Preference, load};

/// A template of kind `Foo`, whose target goes on with `target`, and one constraint whose spec is `spec`.
fn documents(target: &str, spec: &str) -> Vec<Resource> {
    let text = format!(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {{name: foo}}\nspec:\n  crd:\n    \
         spec:\n      names: {{kind: Foo}}\n      validation:\n        openAPIV3Schema:\n          type: object\n          \
         properties: {{limit: {{type: integer, default: 2}}}}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n{target}\n\
         ---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Foo\nmetadata: {{name: few}}\nspec: {spec}\n"
    );
    let parsed = parse("policies.yaml", text.as_bytes(), &Limits::default());
    assert!(parsed.diagnostics.is_empty(), "{:?}\n{text}", parsed.diagnostics);
    parsed.documents.into_iter().map(Document::into_resource).collect()
}

const REGO: &str = r#"    rego: |
      package anything
      import data.lib.counting
      violation[{"msg": msg, "details": {"path": "spec.containers"}}] {
        n := counting.number(input.review.object)
        n > input.parameters.limit
        msg := sprintf("%v containers, not %v", [n, input.parameters.limit])
      }
    libs:
    - |
      package lib.counting
      number(object) = n { n := count(object.spec.containers) }
"#;

const BOTH: &str = r#"    code:
    - engine: Rego
      source:
        rego: |
          package a
          violation[{"msg": "from rego"}] { true }
    - engine: K8sNativeValidation
      source:
        variables:
        - name: count
          expression: size(variables.anyObject.spec.containers)
        validations:
        - expression: variables.count <= variables.params.limit
          message: from cel
        - expression: "!has(object.spec.hostNetwork)"
          messageExpression: '"host network of " + object.metadata.name'
"#;

fn pod(containers: usize) -> Value {
    let containers = (0..containers).map(|n| json!({"name": format!("c{n}")}).to_json()).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a"}},"spec":{{"hostNetwork":true,"containers":[{containers}]}}}}"#
    );
    Value::from_json(&text).unwrap()
}

fn judge(documents: &[Resource], preference: Preference, pod: Value) -> (Vec<RuleOutcome>, Vec<Diagnostic>) {
    let loaded = load(documents, preference);
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(pod), Operation::Create));
    let outcomes =
        loaded.policies.iter().flat_map(|policy| evaluate(&**policy, Phase::Validate, &request, &environment));
    (outcomes.collect(), loaded.diagnostics)
}

fn messages(outcomes: &[RuleOutcome]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.message.as_str()).collect()
}

#[test]
fn rego_judges_with_libraries_defaults_and_details() {
    let (outcomes, diagnostics) = judge(&documents(REGO, "{parameters: {}}"), Preference::Cel, pod(3));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(messages(&outcomes), ["3 containers, not 2"]);
    assert_eq!((outcomes[0].verdict, outcomes[0].enforcement), (Verdict::Fail, Enforcement::Enforce));
    assert_eq!(outcomes[0].paths[0].to_string(), "spec.containers");
    let (outcomes, _) = judge(&documents(REGO, "{parameters: {limit: 3}}"), Preference::Cel, pod(3));
    assert_eq!(outcomes[0].verdict, Verdict::Pass);
}

#[test]
fn cel_is_preferred_and_reports_every_violation() {
    let spec = "{enforcementAction: warn, parameters: {}}";
    let (outcomes, diagnostics) = judge(&documents(BOTH, spec), Preference::Cel, pod(3));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(messages(&outcomes), ["from cel", "host network of a"]);
    assert!(outcomes.iter().all(|outcome| outcome.enforcement == Enforcement::Warn));
    let (outcomes, _) = judge(&documents(BOTH, spec), Preference::Rego, pod(3));
    assert_eq!(messages(&outcomes), ["from rego"]);
}

#[test]
fn scoped_actions_count_where_they_are_taken() {
    let scoped =
        |points: &str| format!("{{enforcementAction: scoped, parameters: {{}}, scopedEnforcementActions: [{points}]}}");
    let point = |action: &str, name: &str| format!("{{action: {action}, enforcementPoints: [{{name: {name}}}]}}");
    for (points, expected) in [
        (point("warn", "validation.gatekeeper.sh"), Some(Enforcement::Warn)),
        (
            format!("{}, {}", point("warn", "validation.gatekeeper.sh"), point("deny", "vap.k8s.io")),
            Some(Enforcement::Enforce),
        ),
        (point("dryrun", "'*'"), Some(Enforcement::Audit)),
        (point("deny", "gator.gatekeeper.sh"), Some(Enforcement::Enforce)),
        (point("deny", "audit.gatekeeper.sh"), Some(Enforcement::Audit)),
        (point("deny", "example.com"), None),
    ] {
        let (outcomes, diagnostics) = judge(&documents(REGO, &scoped(&points)), Preference::Cel, pod(3));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(outcomes.first().map(|outcome| outcome.enforcement), expected, "{points}");
    }
}

#[test]
fn mistakes_in_rego_are_marked_in_the_file() {
    let broken = REGO.replace("n > input.parameters.limit", "n > nowhere.limit");
    let (outcomes, diagnostics) = judge(&documents(&broken, "{}"), Preference::Cel, pod(3));
    assert!(outcomes.is_empty());
    let label = &diagnostics[0].labels[0];
    let marked = label.location.source.slice(label.location.span);
    assert!(label.location.source.name() == "policies.yaml" && marked.contains("nowhere"), "{marked}: {diagnostics:?}");
}

#[test]
fn rego_that_gatekeeper_refuses_is_refused() {
    for (text, wanted) in [
        ("package a\ndeny[{\"msg\": \"m\"}] { true }", "no rule `violation`"),
        ("package a\nviolation(x) { x }", "no rule `violation`"),
        ("package a\nviolation[{\"msg\": \"m\"}] { data.secrets.x }", "`data.secrets`"),
        ("package a\nimport data.other\nviolation[{\"msg\": \"m\"}] { other.x }", "`data.other`"),
        ("package a\nviolation[{\"msg\": \"m\"}] { data[_].x }", "`data.*`"),
    ] {
        let target = format!("    rego: {}\n", Value::from(text).to_json());
        let (_, diagnostics) = judge(&documents(&target, "{}"), Preference::Cel, pod(1));
        let found =
            diagnostics.iter().any(|diagnostic| diagnostic.code == "PAL-G0008" && diagnostic.message.contains(wanted));
        assert!(found, "{text}: {diagnostics:?}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_never_a_pass() {
    for (text, wanted) in [
        (
            "package a\nviolation[{\"msg\": \"m\"}] { external_data({\"provider\": \"p\", \"keys\": [\"k\"]}) }",
            "external data",
        ),
        ("package a\nviolation[{\"msg\": \"m\"}] { data.inventory.cluster }", "`data.inventory`"),
        ("package a\nf = 1 { true }\nf = 2 { true }\nviolation[{\"msg\": \"m\"}] { f }", "policies.yaml:"),
        ("package a\nviolation[\"text\"] { true }", "`msg` is text"),
    ] {
        let target = format!("    rego: {}\n", Value::from(text).to_json());
        let (outcomes, diagnostics) = judge(&documents(&target, "{}"), Preference::Cel, pod(1));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert!(outcomes[0].verdict == Verdict::Error && outcomes[0].message.contains(wanted), "{outcomes:?}");
    }
}

#[test]
fn constraints_are_checked_against_their_template() {
    for (spec, code) in [
        ("{parameters: {limit: many}}", "PAL-G0005"),
        ("{parameters: {limits: 1}}", "PAL-G0003"),
        ("{match: {kinds: [Pod]}}", "PAL-G0005"),
        ("{match: {namespace: [a]}}", "PAL-G0003"),
        ("{enforcementAction: block}", "PAL-G0004"),
    ] {
        let (outcomes, diagnostics) = judge(&documents(REGO, spec), Preference::Cel, pod(3));
        assert!(outcomes.is_empty() && diagnostics[0].code == code, "{spec}: {diagnostics:?}");
        assert!(!diagnostics[0].labels.is_empty());
    }
    let lonely = documents(REGO, "{}").split_off(1);
    assert_eq!(load(&lonely, Preference::Cel).diagnostics[0].code, "PAL-G0006");
}

#[test]
fn the_version_of_a_constraint_covers_its_template() {
    let digest = |target: &str| load(&documents(target, "{}"), Preference::Cel).policies[0].reference().digest.clone();
    assert_eq!(digest(REGO), digest(REGO));
    assert_ne!(digest(REGO), digest(&REGO.replace("n > input", "n >= input")));
}

#[test]
fn ten_thousand_constraints_share_their_template() {
    let mut documents = documents(REGO, "{match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}]}}");
    let constraint = documents.pop().unwrap();
    documents.extend((0..10_000).map(|n| {
        let mut object = constraint.object.clone();
        object
            .as_object_mut()
            .unwrap()
            .get_mut("metadata")
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert("name", format!("c{n}"));
        Resource::in_memory(object)
    }));
    let (outcomes, diagnostics) = judge(&documents, Preference::Cel, pod(3));
    assert!(outcomes.is_empty() && diagnostics.is_empty());
}

#[test]
fn runaway_rego_stops_at_its_limit() {
    let text = "package a\nviolation[{\"msg\": \"m\"}] { n := numbers.range(1, 3000); n[_] + n[_] + n[_] < 0 }";
    let target = format!("    rego: {}\n", Value::from(text).to_json());
    let loaded = load(&documents(&target, "{}"), Preference::Cel);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let variables = Variables::default();
    let mut environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    environment.step_limit = 100_000;
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(pod(1)), Operation::Create));
    let outcomes = evaluate(&*loaded.policies[0], Phase::Validate, &request, &environment);
    assert_eq!(outcomes[0].verdict, Verdict::Error);
}

#[test]
fn templates_that_read_a_namespace_nobody_knows_have_no_verdict() {
    let rego = |condition: &str| {
        format!("    rego: |\n      package a\n      violation[{{\"msg\": \"bad\"}}] {{ {condition} }}\n")
    };
    let mut pod = pod(1);
    let metadata = pod.as_object_mut().unwrap().get_mut("metadata").unwrap();
    metadata.as_object_mut().unwrap().insert("namespace", "shop");
    let verdict =
        |condition: &str| judge(&documents(&rego(condition), "{}"), Preference::Rego, pod.clone()).0[0].verdict;
    assert_eq!(verdict("input.review.namespaceObject.metadata.labels.env == \"prod\""), Verdict::Error);
    assert_eq!(verdict("input.review.object.metadata.name == \"other\""), Verdict::Pass);
}

#[test]
fn a_constraint_states_what_it_and_its_template_read() {
    let reads = |body: &str, spec: &str| {
        let rego = format!("    rego: |\n      package a\n      violation[{{\"msg\": \"bad\"}}] {{ {body} }}\n");
        load(&documents(&rego, spec), Preference::Rego).policies[0].info().reads.clone()
    };
    let plain = "input.review.object.spec.replicas > 2";
    assert_eq!(reads(plain, "{}"), Reads::nothing());
    assert!(reads(plain, "{match: {namespaceSelector: {matchLabels: {a: b}}}}").namespace);
    assert!(reads("input.review.namespaceObject.metadata.labels.a", "{}").namespace);
    assert!(reads("data.inventory.cluster.v1.Namespace[_].metadata.name == \"a\"", "{}").looks_up("Namespace"));
    assert!(reads("input.review.object.status.phase == \"Running\"", "{}").status);
    assert!(reads("count(input.review.object) > 2", "{}").server_fields);
    let cel = load(&documents(BOTH, "{}"), Preference::Cel).policies[0].info().reads.clone();
    assert_eq!(cel, Reads::nothing());
}
