//! Every type of rule through whole policies: an object that it is content with or leaves alone, and one that it is not.
//!
//! What the types can do in detail is tested beside them; signed manifests, which need signatures, only there. Kyverno's
//! `assert` is refused when a policy is loaded.

use palisade_model::Value;
use palisade_policy::Effect;

use super::*;
use crate::legacy::codes;
use crate::legacy::spec::{Body, Check, Patch, Reader, Rule};

/// A type, its rule, and what comes of objects with these labels and this spec.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const CASES: &[Case] = &[
    (
        "pattern",
        "validate: {message: refused, pattern: {metadata: {labels: {team: '?*'}}}}",
        &[("{team: a}", "{}", "pass"), ("{}", "{}", "fail")],
    ),
    (
        "anyPattern",
        "validate: {message: refused, anyPattern: [{metadata: {labels: {team: a}}}, {metadata: {labels: {team: b}}}]}",
        &[("{team: b}", "{}", "pass"), ("{team: c}", "{}", "fail")],
    ),
    (
        "deny",
        "validate: {message: refused, deny: {conditions: {any: [{key: '{{ request.object.metadata.labels.team }}', operator: AnyIn, value: [a, b]}]}}}",
        &[("{team: c}", "{}", "pass"), ("{team: a}", "{}", "fail"), ("{}", "{}", "error")],
    ),
    (
        "foreach",
        "validate: {message: refused, foreach: [{list: request.object.spec.containers, pattern: {image: '!*:latest'}}]}",
        &[
            ("{}", "{containers: [{image: 'a:1'}]}", "pass"),
            ("{}", "{containers: [{image: 'a:1'}, {image: 'b:latest'}]}", "fail"),
        ],
    ),
    (
        "podSecurity",
        "validate: {podSecurity: {level: baseline, version: latest}}",
        &[("{}", "{containers: [{name: a}]}", "pass"), ("{}", "{hostNetwork: true, containers: [{name: a}]}", "fail")],
    ),
    (
        "cel",
        "validate: {cel: {expressions: [{expression: \"'team' in object.metadata.labels\", message: refused}]}}",
        &[("{team: a}", "{}", "pass"), ("{}", "{}", "fail")],
    ),
    (
        "verifyImages",
        "verifyImages: [{imageReferences: ['ghcr.io/*']}]",
        &[("{}", "{containers: [{name: a, image: 'ghcr.io/a/b:1'}]}", "error")],
    ),
    (
        "patchStrategicMerge",
        "mutate: {patchStrategicMerge: {metadata: {labels: {+(team): none}}}}",
        &[("{}", "{}", r#"pass web {"app":"web","team":"none"}"#), ("{team: a}", "{}", "skip")],
    ),
    (
        "patchesJson6902",
        "mutate: {patchesJson6902: \"- {op: replace, path: /metadata/labels/team, value: none}\"}",
        &[
            ("{team: a}", "{}", r#"pass web {"app":"web","team":"none"}"#),
            ("{team: none}", "{}", "skip"),
            ("{}", "{}", "error"),
        ],
    ),
    (
        "foreach of mutate",
        "mutate: {foreach: [{list: request.object.spec.containers, patchesJson6902: \"- {op: add, path: '/metadata/labels/{{ element.name }}', value: seen}\"}]}",
        &[
            ("{}", "{containers: [{name: a}]}", r#"pass web {"app":"web","a":"seen"}"#),
            ("{}", "{containers: []}", "skip"),
        ],
    ),
    (
        "targets",
        "mutate: {targets: [{apiVersion: v1, kind: ConfigMap, name: settings, namespace: shop}], patchStrategicMerge: {metadata: {labels: {team: '{{ request.object.metadata.labels.team }}'}}}}",
        &[("{team: a}", "{}", r#"pass settings {"team":"a"}"#)],
    ),
    (
        "data",
        "generate: {apiVersion: v1, kind: ConfigMap, name: made, namespace: shop, data: {data: {team: '{{ request.object.metadata.labels.team }}'}}}",
        &[("{team: a}", "{}", r#"pass made {"team":"a"}"#), ("{}", "{}", "error")],
    ),
    (
        "clone",
        "generate: {apiVersion: v1, kind: ConfigMap, name: made, namespace: shop, clone: {name: settings, namespace: default}}",
        &[("{}", "{}", r#"pass made {"allowed":"nginx"}"#)],
    ),
    (
        "foreach of generate",
        "generate: {foreach: [{list: request.object.spec.containers, apiVersion: v1, kind: ConfigMap, name: 'for-{{ element.name }}', namespace: shop, data: {data: {k: v}}}]}",
        &[("{}", "{containers: [{name: a}, {name: b}]}", r#"pass for-a {"k":"v"} for-b {"k":"v"}"#)],
    ),
];

fn rule(body: &str) -> String {
    format!("  - name: one\n    match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}\n    {body}\n")
}

/// The verdict, and the name with the labels or the data of each object that was changed or made.
fn told(outcome: &RuleOutcome) -> String {
    let labels = |object: &Value| object.dig(["metadata", "labels"]).map(Value::to_json);
    let data = |object: &Value| object.get("data").map(Value::to_json);
    let name = |object: &Value| object.dig(["metadata", "name"]).and_then(Value::as_str).map(str::to_owned);
    let parts: Vec<_> = match &outcome.effect {
        Effect::Patched(object) => vec![(name(object), labels(object))],
        Effect::PatchedTargets(objects) => objects.iter().map(|object| (name(object), labels(object))).collect(),
        Effect::Generated(objects) => objects.iter().map(|object| (name(object), data(object))).collect(),
        Effect::None | Effect::Deleted => Vec::new(),
    };
    let shown = |(name, part): (Option<String>, Option<String>)| {
        format!(" {} {}", name.unwrap_or_default(), part.unwrap_or_default())
    };
    format!("{}{}", outcome.verdict, parts.into_iter().map(shown).collect::<String>())
}

#[test]
fn every_type_of_rule_answers() {
    for (name, body, objects) in CASES {
        let policy = policy(&rule(body));
        for (labels, spec, expected) in *objects {
            let labels = labels.replacen('{', if *labels == "{}" { "{app: web" } else { "{app: web, " }, 1);
            let object = format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop, labels: {labels}}}\nspec: {spec}\n"
            );
            let variables = Variables::default();
            let environment = Environment::new(Timestamp::UNIX_EPOCH, &Town, &variables);
            let request = Request::admission(request(&object, Operation::Create));
            let outcomes = [Phase::Mutate, Phase::Validate, Phase::Generate]
                .map(|phase| policy.evaluate(phase, &request, &environment));
            let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
            let told: Vec<_> = outcomes.iter().map(told).collect();
            assert_eq!(told, [*expected], "{name} of {object}: {outcomes:?}");
        }
    }
}

/// The name of a rule's type in [`CASES`]. A type that is added has no name here, which does not compile.
fn type_of(rule: &Rule) -> &'static str {
    match &rule.body {
        Body::VerifyImages(_) => "verifyImages",
        Body::Validate(validation) => match &validation.check {
            Check::Pattern(_) => "pattern",
            Check::AnyPattern(_) => "anyPattern",
            Check::Deny(_) => "deny",
            Check::ForEach(_) => "foreach",
            Check::PodSecurity(_) => "podSecurity",
            Check::Cel(_) => "cel",
            Check::Manifests(_) => "manifests",
            Check::Assert(_) => "assert",
        },
        Body::Mutate(mutation) if !mutation.targets.is_empty() => "targets",
        Body::Mutate(mutation) => match &mutation.patch {
            Some(Patch::StrategicMerge(_)) => "patchStrategicMerge",
            Some(Patch::Json6902(_)) => "patchesJson6902",
            None => "foreach of mutate",
        },
        Body::Generate(generation) => match &generation.pattern {
            Some(pattern) if pattern.source.get("clone").is_some() => "clone",
            Some(_) => "data",
            None => "foreach of generate",
        },
    }
}

#[test]
fn cases_are_of_the_types_that_they_name() {
    for (name, body, _) in CASES {
        let document = documents(&format!("name: one\nmatch: {{}}\n{body}\n")).remove(0);
        let mut reader = Reader::with_codes(&document, codes::READER);
        let root = reader.root();
        assert_eq!(type_of(&Rule::read(&mut reader, &root).unwrap()), *name);
    }
}
