//! What validate rules say.

use palisade_model::Verdict;

use super::*;

const LATEST: &str = r#"
  - name: no-latest
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      failureAction: Enforce
      message: "{{ request.object.metadata.name }} uses latest"
      pattern: {spec: {containers: [{image: "!*:latest"}]}}
"#;

#[test]
fn a_pattern_names_the_field_and_substitutes_the_message() {
    let outcome = only(&*policy(LATEST), &pod("{containers: [{name: a, image: x:1}, {name: b, image: y:latest}]}"));
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert_eq!(outcome.paths.first().unwrap().to_string(), "spec.containers[1].image");
    assert_eq!(outcome.message, "web uses latest");
    assert_eq!(only(&*policy(LATEST), &pod("{containers: [{image: x:1}]}")).verdict, Verdict::Pass);
}

#[test]
fn derived_rules_judge_controllers_at_their_own_depth() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{image: 'y:latest'}]}}}\n";
    let outcome = only(&*policy(LATEST), deployment);
    assert_eq!((&*outcome.rule, outcome.verdict), ("autogen-no-latest", Verdict::Fail));
    assert_eq!(outcome.paths.first().unwrap().to_string(), "spec.template.spec.containers[0].image");
}

#[test]
fn loops_point_at_the_element_and_skip_what_preconditions_leave_out() {
    let policy = policy(
        r#"
  - name: no-root
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      message: refused
      foreach:
      - list: request.object.spec.initContainers
        deny: {}
      - list: "request.object.spec.[containers, others][]"
        context: [{name: user, variable: {jmesPath: element.user, default: 1}}]
        preconditions: {all: [{key: "{{ element.skip || `false` }}", operator: Equals, value: false}]}
        deny: {conditions: {any: [{key: "{{ user }}", operator: Equals, value: 0}]}}
"#,
    );
    let outcome = only(&*policy, &pod("{containers: [{user: 1}, {user: 0, skip: true}, {user: 0}]}"));
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert_eq!(outcome.paths.first().unwrap().to_string(), "spec.containers[2]");
    assert_eq!(only(&*policy, &pod("{containers: [{user: 2}]}")).verdict, Verdict::Pass);
    assert!(judge(&*policy, request(&pod("{}"), Operation::Create), &Offline).is_empty());
}

#[test]
fn nested_loops_see_both_elements() {
    let policy = policy(
        r#"
  - name: ports
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      message: bad
      foreach:
      - list: request.object.spec.containers
        foreach:
        - list: element.ports
          deny: {conditions: {all: [{key: "{{ element0.name }}-{{ element1 }}-{{ elementIndex1 }}", operator: Equals, value: b-81-1}]}}
"#,
    );
    let outcome = only(&*policy, &pod("{containers: [{name: a, ports: [80, 81]}, {name: b, ports: [80, 81]}]}"));
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert_eq!(only(&*policy, &pod("{containers: [{name: a, ports: [80, 81]}]}")).verdict, Verdict::Pass);
}

#[test]
fn unmet_preconditions_skip_and_unknown_keys_are_errors() {
    let policy = policy(
        r#"
  - name: skipped
    match: {any: [{resources: {kinds: [Pod]}}]}
    preconditions: {all: [{key: "{{ request.object.spec.hostNetwork || `false` }}", operator: Equals, value: true, message: not on the host}]}
    validate: {deny: {}}
  - name: broken
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: {deny: {conditions: {any: [{key: "{{ request.object.spec.nothing }}", operator: Equals, value: 1}]}}}
"#,
    );
    let outcomes = judge(&*policy, request(&pod("{containers: []}"), Operation::Create), &Offline);
    let said: Vec<_> = outcomes.iter().map(|outcome| (outcome.verdict, outcome.message.as_str())).collect();
    assert_eq!(said[0], (Verdict::Skip, "preconditions not met; not on the host"));
    assert_eq!(said[1].0, Verdict::Error);
    assert!(said[1].1.contains("request.object.spec.nothing"), "{}", said[1].1);
}

#[test]
fn look_ups_answer_default_or_make_the_rule_an_error() {
    let policy = policy(
        r#"
  - name: allowed
    match: {any: [{resources: {kinds: [Pod]}}]}
    context:
    - {name: settings, configMap: {name: settings, namespace: default}}
    - {name: api, apiCall: {urlPath: /api/v1/nodes, default: none}}
    - {name: joined, variable: {value: "{{ settings.data.allowed }}/{{ api }}"}}
    - {name: hidden, variable: {jmesPath: settings.data.other, default: fallback}}
    validate: {deny: {conditions: {all: [{key: "{{ joined }}", operator: Equals, value: nginx/none}, {key: "{{ hidden }}", operator: Equals, value: fallback}]}}}
"#,
    );
    let outcomes = judge(&*policy, request(&pod("{}"), Operation::Create), &Town);
    assert_eq!(outcomes[0].verdict, Verdict::Fail, "{}", outcomes[0].message);
    let outcome = only(&*policy, &pod("{}"));
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.message.contains("`settings`") && outcome.message.contains("--values"), "{}", outcome.message);
}

#[test]
fn cel_rules_have_preconditions_variables_and_messages() {
    let policy = policy(
        r#"
  - name: replicas
    match: {any: [{resources: {kinds: [Deployment]}}]}
    celPreconditions: [{name: named, expression: "object.metadata.name != 'free'"}]
    validate:
      cel:
        variables: [{name: count, expression: object.spec.replicas}]
        expressions: [{expression: variables.count <= 3, messageExpression: "'at most 3, not ' + string(variables.count)"}]
"#,
    );
    let deployment = |name: &str, n: u8| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{replicas: {n}}}\n"
        )
    };
    let outcome = only(&*policy, &deployment("d", 5));
    assert_eq!((outcome.verdict, outcome.message.as_str()), (Verdict::Fail, "at most 3, not 5"));
    assert_eq!(verdicts(&*policy, &deployment("d", 3)), ["replicas: pass"]);
    assert_eq!(verdicts(&*policy, &deployment("free", 5)), ["replicas: skip"]);
}

#[test]
fn an_update_of_what_violated_before_is_let_pass() {
    let policy = policy(LATEST);
    let unsaid = request(&pod("{containers: [{image: y:latest}]}"), Operation::Update);
    assert_eq!(judge(&*policy, unsaid.clone(), &Offline)[0].verdict, Verdict::Fail, "nobody says what it was before");
    let update = AdmissionRequest { old_object: unsaid.object.clone(), ..unsaid };
    let outcomes = judge(&*policy, update.clone(), &Offline);
    assert_eq!(outcomes[0].verdict, Verdict::Skip, "{}", outcomes[0].message);
    let clean = documents(&pod("{containers: [{image: y:1}]}")).remove(0).object;
    let worse = AdmissionRequest { old_object: clean, ..update };
    assert_eq!(judge(&*policy, worse, &Offline)[0].verdict, Verdict::Fail);
}

#[test]
fn signatures_are_an_error_for_the_images_that_a_rule_names() {
    let policy = policy(
        r#"
  - name: signed
    match: {any: [{resources: {kinds: [Pod]}}]}
    verifyImages: [{imageReferences: ["ghcr.io/*"], skipImageReferences: ["ghcr.io/free/*"]}]
"#,
    );
    let outcome = only(&*policy, &pod("{containers: [{name: a, image: ghcr.io/org/app}]}"));
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.message.contains("ghcr.io/org/app:latest"), "{}", outcome.message);
    assert!(
        verdicts(&*policy, &pod("{containers: [{name: a, image: nginx}, {name: b, image: ghcr.io/free/x}]}"))
            .is_empty()
    );
}

#[test]
fn digests_are_told_from_the_reference() {
    let policy = policy(
        r#"
  - name: digests
    match: {any: [{resources: {kinds: [Pod]}}]}
    verifyImages: [{imageReferences: ["*"], mutateDigest: false, required: false}]
"#,
    );
    assert_eq!(verdicts(&*policy, &pod("{containers: [{name: a, image: nginx}]}")), ["digests: fail"]);
    let digest = format!("{{containers: [{{name: a, image: 'nginx@sha256:{}'}}]}}", "a".repeat(64));
    assert_eq!(verdicts(&*policy, &pod(&digest)), ["digests: pass"]);
}
