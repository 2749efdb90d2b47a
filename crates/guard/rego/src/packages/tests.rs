use palisade_model::{Source, Value, Verdict, json};
use palisade_policy::{Environment, Offline, Payload, Phase, Programs, Request, RuleOutcome, Variables, evaluate};

use super::{CheckKind, LANGUAGE};

fn judge(policy: &str, input: Value) -> Vec<RuleOutcome> {
    let modules = vec![Source::new("policy.rego", policy)];
    let data = json!({"allowed": ["registry.example"]});
    let loaded = LANGUAGE.load_programs(&Programs { modules, data, ..Programs::default() });
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let variables = Variables::default();
    let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::new(Payload::Document(input));
    loaded.policies.iter().flat_map(|policy| evaluate(&**policy, Phase::Validate, &request, &environment)).collect()
}

fn shown(outcomes: &[RuleOutcome]) -> Vec<(String, Verdict, String, String)> {
    let path = |outcome: &RuleOutcome| outcome.paths.first().map(ToString::to_string).unwrap_or_default();
    outcomes
        .iter()
        .map(|outcome| (outcome.rule.to_string(), outcome.verdict, outcome.message.clone(), path(outcome)))
        .collect()
}

#[test]
fn definitions_answer_on_their_own_and_name_the_field() {
    let outcomes = judge(
        "package main

deny contains msg if {
	some container in input.containers
	not container.limits.memory
	msg := sprintf(\"%s has no limit\", [container.name])
}

deny contains msg if {
	input.kind == \"Pod\"
	image := input.containers[_].image
	not startswith(image, data.allowed[0])
	msg := sprintf(\"%s is from elsewhere\", [image])
}

warn_never contains \"never\" if input.kind == \"Job\"
",
        json!({"kind": "Pod", "containers": [
            {"name": "a", "image": "registry.example/a", "limits": {"memory": "1Gi"}},
            {"name": "b", "image": "docker.io/b"},
        ]}),
    );
    assert_eq!(
        shown(&outcomes),
        [
            ("deny".into(), Verdict::Fail, "b has no limit".into(), "containers[1].limits.memory".into()),
            ("deny".into(), Verdict::Fail, "docker.io/b is from elsewhere".into(), "containers[1].image".into()),
            ("warn_never".into(), Verdict::Pass, String::new(), String::new()),
        ]
    );
}

#[test]
fn what_comes_through_other_rules_is_found_by_identity() {
    let outcomes = judge(
        "package main
containers contains container if { some container in input.spec.containers }
containers contains container if { some container in input.spec.initContainers }
privileged(container) if container.privileged
deny contains \"privileged\" if {
	some container in containers
	privileged(container)
}
",
        json!({"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "b", "privileged": true}]}}),
    );
    assert_eq!(shown(&outcomes)[0].3, "spec.initContainers[0]");
}

#[test]
fn violations_may_be_objects_and_exceptions_exempt() {
    let outcomes = judge(
        "package main
violation_root contains {\"msg\": \"root\", \"path\": \"spec.user\", \"owner\": \"team\"} if input.spec.user == 0
deny_other contains \"other\" if true
exception contains rules if { input.exempt; rules := [\"other\"] }
",
        json!({"spec": {"user": 0}, "exempt": true}),
    );
    let verdicts: Vec<_> = shown(&outcomes).into_iter().map(|(rule, verdict, _, path)| (rule, verdict, path)).collect();
    assert!(verdicts.contains(&("deny_other".into(), Verdict::Skip, String::new())), "{verdicts:?}");
    assert!(verdicts.contains(&("violation_root".into(), Verdict::Fail, "spec.user".into())), "{verdicts:?}");
    let properties = outcomes.iter().flat_map(|outcome| &outcome.properties);
    assert!(properties.into_iter().any(|(key, value)| &**key == "owner" && &**value == "team"));
}

#[test]
fn what_is_no_violation_is_an_error_and_never_a_pass() {
    let outcomes = judge(
        "package main\ndeny contains 7 if true\nwarn contains x if { x := 1 / input.zero }\n",
        json!({"zero": 0}),
    );
    assert_eq!(outcomes[0].verdict, Verdict::Error, "{}", outcomes[0].message);
    let endless = "package main\ndeny contains \"x\" if { count([1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i == j]) > 1 }";
    let outcomes = judge(&format!("{endless}\ndeny contains \"y\" if count(numbers.range(1, 9)) == 9\n"), Value::Null);
    assert_eq!(outcomes[0].verdict, Verdict::Error);
    assert!(outcomes[0].message.contains("steps"), "{}", outcomes[0].message);
    assert_eq!((outcomes[1].verdict, &*outcomes[1].message), (Verdict::Fail, "y"), "a neighbour keeps its verdict");
}

#[test]
fn older_syntax_is_understood() {
    let outcomes = judge("package main\ndeny[msg] { input.bad; msg = \"bad\" }\n", json!({"bad": true}));
    assert_eq!(shown(&outcomes), [("deny".into(), Verdict::Fail, "bad".into(), "bad".into())]);
}

#[test]
fn names_of_checks_are_known() {
    assert_eq!(CheckKind::of("deny"), Some((CheckKind::Deny, "")));
    assert_eq!(CheckKind::of("violation_run_as_root"), Some((CheckKind::Deny, "run_as_root")));
    assert_eq!(CheckKind::of("warn_2"), Some((CheckKind::Warn, "2")));
    for other in ["denied", "deny_", "deny__x", "allow", "test_deny", "deny_a-b"] {
        assert_eq!(CheckKind::of(other), None, "{other}");
    }
}
