//! What keeps a policy from being loaded.

use palisade_policy::Reads;

use super::*;

/// The errors of a policy with one rule; `spec` holds further settings.
fn errors(spec: &str, rule: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: test}}\nspec:\n  {spec}\n  rules:\n  - name: r\n{rule}"
    );
    let (policy, diagnostics) = load(&text);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.level == Level::Error)
        .map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message))
        .collect();
    assert_eq!(policy.is_none(), !errors.is_empty(), "{errors:?}");
    errors
}

const PODS: &str = "    match: {any: [{resources: {kinds: [Pod]}}]}\n";

fn rule(body: &str) -> Vec<String> {
    errors("background: true", &format!("{PODS}    {body}\n"))
}

fn starts(errors: &[String], code: &str) -> bool {
    errors.iter().any(|error| error.starts_with(code))
}

#[test]
fn a_sound_policy_loads() {
    assert_eq!(rule("validate: {pattern: {spec: {=(hostNetwork): false}}}"), [""; 0]);
}

#[test]
fn unknown_fields_are_warnings_with_a_place_and_a_hint() {
    let text = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: test}\nspec:\n  Background: true\n  rules:\n  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: {pattern: {}}\n";
    let (policy, diagnostics) = load(text);
    assert!(policy.is_some());
    assert_eq!(
        diagnostics[0].to_string(),
        "test.yaml:5:15: warning[PAL-K0001]: unknown field `Background` has no effect"
    );
    assert_eq!(diagnostics[0].help, ["did you mean `background`?"]);
}

#[test]
fn variables_must_parse_and_be_known() {
    assert!(starts(&rule("validate: {message: '{{ request..x }}', deny: {}}"), "PAL-K0007"));
    assert!(starts(&rule("validate: {message: '{{ nobody.knows }}', deny: {}}"), "PAL-K0008"));
    assert!(starts(&rule("validate: {message: '{{ element.name }}', deny: {}}"), "PAL-K0008"));
    assert!(starts(&rule("validate: {message: '{{ request.userInfo.username }}', deny: {}}"), "PAL-K0008"));
    assert!(starts(&rule("validate: {pattern: {spec: {a: '$(./../nothing)'}}}"), "PAL-K0007"));
    let entry = "context: [{name: known, variable: {value: 1}}]\n    validate: {message: '{{ known }}', deny: {}}";
    assert_eq!(rule(entry), [""; 0]);
}

#[test]
fn variables_within_expressions_fit_where_they_stand() {
    let with = |key: &str| {
        rule(&format!(
            "preconditions: {{all: [{{key: \"{key}\", operator: Equals, value: x}}]}}\n    validate: {{pattern: {{kind: '?*'}}}}"
        ))
    };
    for sound in [
        "{{ request.object.spec.groups[{{ request.object.spec.at }}].name }}",
        "{{ request.object.{{ request.object.field }}.name }}",
        "{{ request.object.spec.groups[?name == {{ request.object.name }}] }}",
    ] {
        assert_eq!(with(sound), Vec::<String>::new(), "{sound}");
    }
    assert!(starts(&with("{{ request.object.spec[[{{ request.object.at }}] }}"), "PAL-K0007"));
    assert!(starts(&with("{{ to_uper(request.object.kind) }}"), "PAL-K0007"));
    assert!(starts(&with("{{ time_since(request.object.kind) }}"), "PAL-K0007"));
}

#[test]
fn conditions_must_be_complete() {
    let deny = |condition: &str| rule(&format!("validate: {{deny: {{conditions: {{any: [{condition}]}}}}}}"));
    assert!(starts(&deny("{key: a, operator: Like, value: b}"), "PAL-K0005"));
    assert!(starts(&deny("{key: a, operator: Equals}"), "PAL-K0005"));
    assert!(starts(&deny("{key: '{{ request.operation }}', operator: Equals, value: WRITE}"), "PAL-K0005"));
    assert_eq!(deny("{key: '{{ request.operation }}', operator: AnyIn, value: [CREATE]}"), [""; 0]);
}

#[test]
fn blocks_must_select_something_that_is_left() {
    let pattern = "    validate: {pattern: {}}\n";
    let with = |blocks: &str| errors("background: true", &format!("    {blocks}\n{pattern}"));
    assert!(starts(&with("match: {any: [{resources: {namespaces: [a]}}]}"), "PAL-K0004"));
    assert!(starts(&with("match: {any: [{resources: {kinds: ['*']}}]}"), "PAL-K0004"));
    assert!(starts(&with("match: {resources: {kinds: [Pod]}}\n    exclude: {resources: {kinds: [Pod]}}"), "PAL-K0004"));
    assert!(starts(
        &with("match: {any: [{resources: {kinds: [Pod]}, subjects: [{kind: User, name: a}]}]}"),
        "PAL-K0004"
    ));
    assert!(starts(&with("match: {any: [{resources: {kinds: Pod}}]}"), "PAL-K0002"));
}

#[test]
fn rules_do_one_thing_that_exists() {
    assert!(starts(&rule("validate: {pattern: {}, deny: {}}"), "PAL-K0004"));
    assert!(starts(&rule("validate: {pattern: {spec: {+(a): 1}}}"), "PAL-K0004"));
    assert!(starts(&rule("validate: {pattern: {metadata: {labels: {a: 1}}}}"), "PAL-K0004"));
    assert!(starts(&rule("validate: {assert: {}}"), "PAL-K0012"));
    assert!(starts(
        &rule("celPreconditions: [{name: a, expression: 'true'}]\n    validate: {pattern: {}}"),
        "PAL-K0004"
    ));
    assert!(starts(
        &rule("validate: {podSecurity: {level: baseline, exclude: [{controlName: Sysctls, images: [a]}]}}"),
        "PAL-K0004"
    ));
    assert!(starts(&rule("validate: {failureAction: Deny, pattern: {}}"), "PAL-K0003"));
}

#[test]
fn settings_must_fit_together() {
    let sound = format!("{PODS}    validate: {{pattern: {{}}}}\n");
    assert!(starts(&errors("webhookTimeoutSeconds: 31", &sound), "PAL-K0010"));
    assert!(starts(&errors("admission: false\n  background: false", &sound), "PAL-K0010"));
    let overrides =
        "validationFailureActionOverrides: [{action: Enforce, namespaces: [a]}, {action: Audit, namespaces: ['*']}]";
    assert!(starts(&errors(overrides, &sound), "PAL-K0010"));
}

#[test]
fn hostile_documents_end_in_diagnostics() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(rule(&format!("validate: {{pattern: {{spec: {deep}}}}}")), [""; 0]);
    for rules in ["rules: 1", "rules: []", "rules: [1, null, {}]", "rules: [{name: [], match: x, validate: []}]"] {
        let (policy, diagnostics) = load(&format!(
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: a}}\nspec: {{{rules}}}\n"
        ));
        assert!(policy.is_none() && !diagnostics.is_empty(), "{rules}");
    }
}

#[test]
fn a_policy_states_what_it_reads() {
    let of = |context: &str, rest: &str| {
        let rule = format!(
            "  - name: r\n    match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}\n    context: [{context}]\n    {rest}\n"
        );
        policy(&rule).info().reads.clone()
    };
    let deny = |key: &str| {
        format!("validate: {{deny: {{conditions: {{all: [{{key: \"{key}\", operator: Equals, value: a}}]}}}}}}")
    };
    assert_eq!(of("", &deny("{{ request.object.spec.nodeName }}")), Reads::nothing());
    assert!(of("", &deny("{{ request.object.status.phase }}")).status);
    assert!(of("", "validate: {pattern: {=(status): {phase: Running}}}").status);
    let config = "{name: c, configMap: {name: a, namespace: b}}";
    let reads = of(config, &deny("{{ c.data.x }}"));
    assert!(reads.names("ConfigMap") && !reads.looks_up("Secret"));
    let call = |path: &str| format!("{{name: c, apiCall: {{urlPath: \"{path}\"}}}}");
    let reads =
        of(&call("/apis/networking.k8s.io/v1/namespaces/{{request.namespace}}/ingresses"), &deny("{{ c.items }}"));
    assert!(reads.names("Ingress") && !reads.looks_up("Secret"));
    for unknown in [
        call("/api/v1/{{ request.object.metadata.labels.kind }}"),
        call("/version"),
        "{name: c, imageRegistry: {reference: 'a:1'}}".to_owned(),
        "{name: c, globalReference: {name: entry}}".to_owned(),
        "{name: c, apiCall: {method: POST, urlPath: /apis/authorization.k8s.io/v1/subjectaccessreviews}}".to_owned(),
    ] {
        assert!(of(&unknown, &deny("{{ c.x }}")).looks_up("Secret"), "{unknown}");
    }
    let cel = |expression: &str| format!("validate: {{cel: {{expressions: [{{expression: \"{expression}\"}}]}}}}");
    assert!(of("", &cel("namespaceObject.metadata.name == 'a'")).namespace);
    assert!(!of("", &cel("object.metadata.name == 'a'")).namespace);
    let param = "validate: {cel: {paramKind: {apiVersion: v1, kind: Secret}, paramRef: {name: a, parameterNotFoundAction: Deny}, \
                 expressions: [{expression: params.data.a == 'b'}]}}";
    assert!(of("", param).names("Secret"));
}

#[test]
fn an_addition_below_a_condition_for_several_elements_is_told() {
    let warnings = |patch: &str| {
        let text = format!(
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: test}}\nspec:\n  rules:\n  - name: r\n{PODS}    mutate: {patch}\n"
        );
        let (policy, diagnostics) = load(&text);
        assert!(policy.is_some(), "{diagnostics:?}");
        diagnostics.iter().filter(|diagnostic| diagnostic.code == "PAL-K0013").count()
    };
    let merge = |element: &str| format!("{{patchStrategicMerge: {{spec: {{containers: [{element}]}}}}}}");
    assert_eq!(
        warnings(&merge("{(name): '*', +(imagePullPolicy): Always, securityContext: {+(privileged): false}}")),
        2
    );
    assert_eq!(warnings(&merge("{(image): 'x', +(imagePullPolicy): Always}")), 1);
    assert_eq!(warnings(&merge("{(name): web, +(imagePullPolicy): Always}")), 0);
    assert_eq!(warnings(&merge("{(name): '*', imagePullPolicy: Always}")), 0);
    assert_eq!(warnings("{patchStrategicMerge: {spec: {+(hostNetwork): false}}}"), 0);
    let looped = "{foreach: [{list: request.object.spec.containers, patchStrategicMerge: {spec: {containers: [{(name): '{{ element.name }}', +(tty): true}]}}}]}";
    assert_eq!(warnings(looped), 0);
}
