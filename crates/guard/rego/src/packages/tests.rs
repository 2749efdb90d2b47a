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

/// What the checks of a policy in package `main` say of an input, in order.
fn said(policy: &str, input: Value) -> Vec<String> {
    judge(&format!("package main\n{policy}\n"), input).into_iter().map(|outcome| outcome.message).collect()
}

#[test]
fn references_bind_for_the_rest_of_a_composite() {
    let input = || json!({"list": ["a", "b"], "obj": {"k": 1}, "at": {"a": {"x": "b"}, "b": {"x": "a"}}});
    assert_eq!(said("warn contains json.marshal(x) if x := [i, input.list[i]]", input()), ["[0,\"a\"]", "[1,\"b\"]"]);
    assert_eq!(said("warn contains json.marshal({\"k\": k, \"v\": input.obj[k]})", input()), ["{\"k\":\"k\",\"v\":1}"]);
    assert_eq!(said("warn contains sprintf(\"%v=%v\", [k, input.obj[k]])", input()), ["k=1"]);
    assert_eq!(
        said("warn contains y if { x := [[10, 20][i], i]; y := json.marshal(x) }", input()),
        ["[10,0]", "[20,1]"]
    );
    assert_eq!(
        said("warn contains json.marshal(x) if x := {[input.at[l].x, l] | input.list[_] == l}", input()),
        ["[[\"a\",\"b\"],[\"b\",\"a\"]]"]
    );
    let both = "warn contains json.marshal(pair) if some pair in {[l, input.at[l].x, i] | input.list[i] = l}";
    assert_eq!(said(both, input()), ["[\"a\",\"b\",0]", "[\"b\",\"a\",1]"]);
    assert_eq!(said("warn contains \"in\" if [\"b\", 1] in [[input.list[i], i] | true]", input()), ["in"]);
}

#[test]
fn empty_composites_may_turn_out_to_be_any() {
    let policy = "names := [] if not input.names\nnames := input.names if input.names\n
        settings := object.union({}, input.settings)
        seen := {x | some x in [[], input.list][_]}
        warn contains settings.mode if count(names) == 0
        warn contains names[0]
        warn contains \"seen\" if \"a\" in seen";
    assert_eq!(said(policy, json!({"settings": {"mode": "x"}, "list": ["a"]})), ["x", "", "seen"]);
}

#[test]
fn a_rule_with_empty_parentheses_is_no_function() {
    let policy = "settings() := {\"limit\": 3}\nready() if input.ready\ndefault level() := 1\n
        warn contains sprintf(\"%v %v\", [settings.limit, data.main.level]) if ready";
    assert_eq!(said(policy, json!({"ready": true})), ["3 1"]);
}

#[test]
fn a_rule_with_one_value_gives_a_list_of_violations_or_none() {
    let rule = "violation := [{\"msg\": name, \"details\": {\"of\": {\"name\": name}}} | some name in input.names]";
    let outcomes = judge(&format!("package main\n{rule}\n"), json!({"names": ["a", "b"]}));
    let shown: Vec<_> = outcomes.iter().map(|outcome| (outcome.verdict, &*outcome.message)).collect();
    assert_eq!(shown, [(Verdict::Fail, "a"), (Verdict::Fail, "b")]);
    assert_eq!(outcomes[0].properties, [("details.of.name".into(), "a".into())]);
    let verdict = |policy: &str, input| judge(&format!("package main\n{policy}\n"), input)[0].verdict;
    assert_eq!(verdict(rule, json!({"names": []})), Verdict::Pass);
    assert_eq!(verdict("deny := false if true", Value::Null), Verdict::Pass);
    assert_eq!(verdict("deny if true", Value::Null), Verdict::Error, "what Conftest passes over is told");
    assert_eq!(verdict("deny contains [\"a\"]", Value::Null), Verdict::Error);
}

#[test]
fn one_violation_is_about_every_field_that_gave_it() {
    let rule = "deny contains \"privileged\" if input.containers[_].privileged";
    let input = json!({"containers": [{"privileged": true}, {}, {"privileged": true}]});
    let [only] = &judge(&format!("package main\n{rule}\n"), input)[..] else { panic!() };
    let paths: Vec<String> = only.paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["containers[0].privileged", "containers[2].privileged"]);
}

#[test]
fn conditions_are_joined_by_imported_keywords() {
    let holds = |condition: &str| {
        let input = json!({"a": true, "no": false, "list": [1, 2], "user": "x"});
        let policy = format!("import future.keywords\nf(x) := x\nwarn contains \"yes\" if {{ {condition} }}");
        said(&policy, input) == ["yes"]
    };
    for held in [
        "input.zip or input.a",
        "input.a or input.zip",
        "input.a and not input.no",
        "input.no and input.a or input.a",
        "input.a or input.no and input.no",
        "(input.zip or input.a) and input.a",
        "not (input.no or input.zip)",
        "not startswith(input.zip, \"a\")",
        "not f(f(input.zip)) == 1",
        "{ some x in input.list; x > 1 } or input.no",
        "not { some x in input.list; x > 2 }",
        "input.list[0] == 1 and (1 in input.list) and { y := 3; y > 2 }",
        "count([x | some x in input.list; x > 0 or x < 3]) == 2",
        "input.b or (input.b with input as {\"b\": 1})",
        "input.zip or input.b with input as {\"b\": 1}",
        "and({1}, {1, 2}) == {1} and or({1}, {2}) == {1, 2}",
        "x := 3; { x > 2 } and x < 4",
        "{1, 2} & {2} == {2}",
        "({1, 2} & {2}) == {2} or input.zip",
        "every x in input.list { x == 1 or x == 2 }",
    ] {
        assert!(holds(held), "{held}");
    }
    for failed in [
        "input.no or input.zip",
        "input.a and input.zip",
        "input.no or input.no and input.a",
        "not (input.a or input.zip)",
        "not { some x in input.list; x > 1 }",
        "not f(input.a)",
    ] {
        assert!(!holds(failed), "{failed}");
    }
}

#[test]
fn what_older_keywords_mean_stays() {
    let input = || json!({"a": true});
    assert!(!said("warn contains \"yes\" if not startswith(input.zip, \"a\")", input()).contains(&"yes".to_owned()));
    assert_eq!(said("or := 1\nand := {2}\nwarn contains \"or\" if { or == 1; and[2] }", input()), ["or"]);
    assert_eq!(
        said(
            "import future.keywords.or\nwarn contains \"x\" if { x := {input.a | input.a}; x == {true} or input.zip }",
            input()
        ),
        ["x"]
    );
}

#[test]
fn an_object_that_is_called_like_a_check_is_told() {
    let warned = |rule: &str| {
        let modules =
            vec![Source::new("policy.rego", format!("package main\n{rule}\ndeny_other contains \"x\" if false\n"))];
        let loaded = LANGUAGE.load_programs(&Programs { modules, ..Programs::default() });
        loaded.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let told = warned("deny[\"text\"] if input.bad");
    assert!(told.contains("warning[PAL-R0007]: `deny.text` makes an object"), "{told}");
    assert_eq!(warned("deny contains \"text\" if input.bad"), "");
    assert_eq!(warned("denied[\"text\"] if input.bad"), "");
}

#[test]
fn numbers_are_indices_by_their_value_and_replaced_documents_have_no_type() {
    assert_eq!(said("warn contains json.marshal(input.b[1.0])", json!({"b": [1, 2]})), ["2"]);
    assert_eq!(said("warn contains json.marshal(array.slice(input.b, 1.0, 2e0))", json!({"b": [1, 2]})), ["[2]"]);
    let replaced = "p := {\"b\": 1}\nwarn contains x if x := data.main.p.a with data.main.p as {\"a\": \"c\"}";
    assert_eq!(said(replaced, Value::Null), ["c"]);
    assert_eq!(
        said("warn contains json.marshal(yaml.unmarshal(\"on: [y, true, ~]\"))", Value::Null),
        ["{\"on\":[\"y\",true,null]}"]
    );
}

#[test]
fn a_document_is_seen_as_it_is_written() {
    use palisade_model::Resource;
    use palisade_policy::{AdmissionRequest, Operation};
    let modules = vec![Source::new("policy.rego", "package main\ndeny contains json.marshal(input)\n")];
    let loaded = LANGUAGE.load_programs(&Programs { modules, ..Programs::default() });
    let variables = Variables::default();
    let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
    let object = json!({"apiVersion": "v1", "kind": "Pod", "spec": null});
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object), Operation::Create));
    let said =
        |request: Request| evaluate(&*loaded.policies[0], Phase::Validate, &request, &environment).remove(0).message;
    let request = request.completed(|object| Some(object.without_null_members()));
    assert_eq!(said(request), "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":null}");
}
