//! Policies, bindings and parameters judged end to end.

use palisade_model::{Resource, Value, Verdict, json};
use palisade_policy::evaluate;
use palisade_policy::{
    AdmissionRequest, Effect, Enforcement, Environment, Loaded, Offline, Operation, Phase, Request, RuleOutcome,
    Variables,
};

use super::LANGUAGE;

fn load(documents: &[Value]) -> Loaded {
    let documents: Vec<_> = documents.iter().cloned().map(Resource::in_memory).collect();
    let (claimed, others): (Vec<_>, Vec<_>) = documents.into_iter().partition(|document| LANGUAGE.claims(document));
    LANGUAGE.load(&claimed, &others)
}

fn ask(documents: &[Value], phase: Phase, object: Value) -> Vec<RuleOutcome> {
    let loaded = load(documents);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let variables = Variables::default();
    let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object), Operation::Create));
    loaded.policies.iter().flat_map(|policy| evaluate(&**policy, phase, &request, &environment)).collect()
}

fn policy(kind: &str, spec: &str) -> Value {
    Value::from_json(&format!(
        r#"{{"apiVersion":"admissionregistration.k8s.io/v1","kind":"{kind}","metadata":{{"name":"p"}},"spec":{{
            "matchConstraints":{{"resourceRules":[{{"apiGroups":["apps"],"apiVersions":["v1"],
                "operations":["CREATE"],"resources":["deployments"]}}]}},{spec}}}}}"#
    ))
    .unwrap()
}

fn validating(spec: &str) -> Value {
    policy("ValidatingAdmissionPolicy", spec)
}

fn binding(spec: &str) -> Value {
    Value::from_json(&format!(
        r#"{{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
            "metadata":{{"name":"b"}},"spec":{{"policyName":"p",{spec}}}}}"#
    ))
    .unwrap()
}

fn deployment(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "shop"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [
            {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:latest"},
        ]}}},
    })
}

#[test]
fn what_is_violated_is_known_beside_what_cannot_be_evaluated() {
    for ignoring in ["Fail", "Ignore"] {
        let policy = validating(&format!(
            r#""failurePolicy":"{ignoring}","validations":[{{"expression":"object.spec.paused == true","message":"broken"}},
                {{"expression":"object.spec.replicas < 5","message":"too many"}}]"#
        ));
        let outcomes = ask(std::slice::from_ref(&policy), Phase::Validate, deployment(7));
        assert_eq!((outcomes[0].verdict, &*outcomes[0].message), (Verdict::Fail, "too many"));
        assert_eq!(outcomes[0].enforcement, Enforcement::Enforce);
        let outcomes = ask(std::slice::from_ref(&policy), Phase::Validate, deployment(1));
        assert_eq!(outcomes[0].verdict, Verdict::Error, "{}", outcomes[0].message);
    }
}

#[test]
fn a_plain_value_stands_for_itself_where_an_optional_was_expected() {
    let holds = |expression: &str| {
        let policy = validating(&format!(r#""validations":[{{"expression":"{expression}"}}]"#));
        ask(std::slice::from_ref(&policy), Phase::Validate, deployment(3))[0].verdict
    };
    for held in [
        "object.spec.replicas.orValue(7) == 3",
        "dyn(object.spec.replicas.or(optional.of(1))) == dyn(3)",
        "object.spec.template.or(optional.of(object)) == object.spec.template",
        "object.?spec.paused.orValue(true) == true",
        "object.spec.template.spec.containers.all(c, c.image.orValue('') != '')",
    ] {
        assert_eq!(holds(held), Verdict::Pass, "{held}");
    }
    assert_eq!(holds("object.spec.paused.orValue(true) == true"), Verdict::Error, "what is not there has no value");
    assert_eq!(holds("object.spec.replicas.hasValue()"), Verdict::Error);
}

#[test]
fn the_first_violated_validation_speaks() {
    let policy = validating(
        r#""variables":[{"name":"replicas","expression":"object.spec.replicas"},
                        {"name":"broken","expression":"object.nowhere.at.all"}],
           "validations":[{"expression":"variables.replicas < 5","message":"too many",
                           "messageExpression":"'at most 4, not ' + string(variables.replicas)"},
                          {"expression":"variables.replicas > 1"}]"#,
    );
    let outcomes = ask(std::slice::from_ref(&policy), Phase::Validate, deployment(7));
    assert_eq!((outcomes[0].verdict, &*outcomes[0].message), (Verdict::Fail, "at most 4, not 7"));
    assert_eq!(outcomes[0].paths[0].to_string(), "spec.replicas");
    let outcomes = ask(std::slice::from_ref(&policy), Phase::Validate, deployment(1));
    assert_eq!(outcomes[0].message, "failed expression: variables.replicas > 1");
    let outcomes = ask(&[policy], Phase::Validate, deployment(3));
    assert_eq!(outcomes[0].verdict, Verdict::Pass);
}

#[test]
fn the_element_at_fault_is_found() {
    let policy = validating(
        r#""variables":[{"name":"containers","expression":"object.spec.template.spec.containers"}],
           "validations":[{"expression":"variables.containers.all(c, !c.image.endsWith(':latest'))"}]"#,
    );
    let outcomes = ask(&[policy], Phase::Validate, deployment(1));
    assert_eq!(outcomes[0].paths[0].to_string(), "spec.template.spec.containers[1].image");
}

#[test]
fn variables_that_multiply_do_not_hold_up_a_verdict() {
    let doubled = |n: usize| format!(r#"{{"name":"v{n}","expression":"variables.v{} + variables.v{}"}}"#, n - 1, n - 1);
    let variables: Vec<_> = (1..12).map(doubled).collect();
    let policy = validating(&format!(
        r#""variables":[{{"name":"v0","expression":"[object.spec.replicas]"}},{}],
           "validations":[{{"expression":"variables.v11.size() < 0"}}]"#,
        variables.join(",")
    ));
    assert_eq!(ask(&[policy], Phase::Validate, deployment(1))[0].verdict, Verdict::Fail);
}

#[test]
fn what_cannot_be_evaluated_is_an_error() {
    let policy = validating(r#""validations":[{"expression":"object.spec.missing == 1"}]"#);
    let outcomes = ask(&[policy], Phase::Validate, deployment(1));
    assert_eq!(outcomes[0].verdict, Verdict::Error);
    assert!(outcomes[0].message.contains("spec.validations[0].expression"), "{}", outcomes[0].message);
}

#[test]
fn conditions_decline_and_failure_policy_decides_about_their_errors() {
    let with = |condition: &str, failure: &str| {
        let spec = format!(
            r#""failurePolicy":"{failure}","matchConditions":[{{"name":"c","expression":"{condition}"}}],
               "validations":[{{"expression":"false"}}]"#
        );
        ask(&[validating(&spec)], Phase::Validate, deployment(1))[0].verdict
    };
    assert_eq!(with("object.spec.replicas > 3", "Fail"), Verdict::Skip);
    assert_eq!(with("object.spec.replicas == 1", "Fail"), Verdict::Fail);
    assert_eq!(with("object.spec.missing == 1", "Fail"), Verdict::Error);
    assert_eq!(with("object.spec.missing == 1", "Ignore"), Verdict::Skip);
}

#[test]
fn bindings_bring_actions_and_parameters() {
    let policy = validating(
        r#""paramKind":{"apiVersion":"v1","kind":"ConfigMap"},
           "validations":[{"expression":"object.spec.replicas <= int(params.data.max)"}]"#,
    );
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits", "namespace": "shop"},
        "data": {"max": "3"},
    });
    let bound = binding(r#""validationActions":["Warn"],"paramRef":{"name":"limits","namespace":"shop"}"#);
    let outcomes = ask(&[policy.clone(), bound.clone(), config], Phase::Validate, deployment(7));
    assert_eq!((outcomes[0].verdict, outcomes[0].enforcement), (Verdict::Fail, Enforcement::Warn));
    let outcomes = ask(&[policy.clone(), bound], Phase::Validate, deployment(7));
    assert_eq!(outcomes[0].verdict, Verdict::Error);
    let elsewhere =
        binding(r#""matchResources":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"other"}}}"#);
    assert!(ask(&[policy, elsewhere], Phase::Validate, deployment(7)).is_empty());
}

#[test]
fn objects_are_mutated_by_configurations_and_patches() {
    let policy = policy(
        "MutatingAdmissionPolicy",
        r#""reinvocationPolicy":"Never","mutations":[
            {"patchType":"ApplyConfiguration","applyConfiguration":{"expression":
                "Object{spec: Object.spec{replicas: object.spec.replicas + 1}}"}},
            {"patchType":"JSONPatch","jsonPatch":{"expression":
                "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'n': string(object.spec.replicas)}}]"}}]"#,
    );
    let outcomes = ask(&[policy], Phase::Mutate, deployment(1));
    let Effect::Patched(object) = &outcomes[0].effect else { panic!("{outcomes:?}") };
    assert_eq!(object.dig(["spec", "replicas"]), Some(&Value::Int(2)));
    assert_eq!(object.dig(["metadata", "labels"]), Some(&json!({"n": "2"})));
}

#[test]
fn broken_policies_are_told_of_and_left_out() {
    let broken = |spec: &str| {
        let loaded = load(&[validating(spec)]);
        assert!(loaded.policies.is_empty());
        loaded.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(broken(r#""validations":[{"expression":"object.spec."}]"#).contains("PAL-C0003"));
    assert!(broken(r#""validations":[{"expression":"undefined_name == 1"}]"#).contains("PAL-C0003"));
    assert!(broken(r#""validations":[{"expression":"'text'"}]"#).contains("PAL-C0004"));
    assert!(broken(r#""validations":[{"message":"x"}]"#).contains("PAL-C0002"));
    assert!(broken(r#""failurePolicy":"Maybe","validations":[]"#).contains("PAL-C0005"));
    let vague = load(&[validating(r#""validations":[{"expression":"object.spec.flag"}]"#)]);
    assert_eq!(vague.policies.len(), 1);
    assert!(vague.diagnostics[0].to_string().contains("warning[PAL-C0004]"));
    let dangling = load(&[binding(r#""validationActions":["Deny"]"#)]);
    assert!(dangling.diagnostics[0].to_string().contains("PAL-C0006"));
}

#[test]
fn a_namespace_that_nobody_knows_is_an_error_where_it_counts() {
    let plain = validating(r#""validations":[{"expression":"true"}]"#);
    let prod = r#""matchResources":{"namespaceSelector":{"matchLabels":{"env":"prod"}}},"validationActions":["Warn"]"#;
    let outcomes = ask(&[plain.clone(), binding(prod)], Phase::Validate, deployment(1));
    assert_eq!((outcomes[0].verdict, outcomes[0].enforcement), (Verdict::Error, Enforcement::Warn));
    assert!(outcomes[0].message.contains("namespace `shop`"), "{}", outcomes[0].message);
    let elsewhere = r#""matchResources":{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"other"}}}"#;
    assert!(ask(&[plain, binding(elsewhere)], Phase::Validate, deployment(1)).is_empty(), "the name decides");
    for (reading, verdict) in [
        ("namespaceObject == null", Verdict::Fail),
        ("namespaceObject.metadata.name == 'shop'", Verdict::Pass),
        ("namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'shop'", Verdict::Pass),
        ("!has(namespaceObject.metadata.labels.strict)", Verdict::Error),
        ("namespaceObject.metadata.labels.all(l, l != 'strict')", Verdict::Error),
        ("'strict' in namespaceObject.metadata.labels", Verdict::Error),
        ("namespaceObject.metadata.?labels['strict'].orValue('') == ''", Verdict::Pass),
    ] {
        let reading = validating(&format!(r#""validations":[{{"expression":"{reading}"}}]"#));
        let outcomes = ask(&[reading], Phase::Validate, deployment(1));
        assert_eq!(outcomes[0].verdict, verdict, "{outcomes:?}");
        let named = outcomes[0].message.contains("namespace `shop`");
        assert!(verdict != Verdict::Error || named, "{outcomes:?}");
    }
}
