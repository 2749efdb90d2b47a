#![expect(clippy::needless_pass_by_value, reason = "literals read better without a borrow")]

use palisade_model::{Resource, json};
use palisade_policy::{Operation, Variables};

use super::*;
use crate::legacy::codes;
use crate::legacy::context::testing::Fixture;
use crate::legacy::spec::{Body, Node, Reader};

fn rule(mutate: Value) -> Rule {
    let document = Resource::in_memory(json!({
        "name": "rule",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "mutate": mutate
    }));
    let mut reader = Reader::with_codes(&document, codes::READER);
    let node: Node<'_> = reader.root();
    let rule = Rule::read(&mut reader, &node).unwrap();
    let diagnostics = reader.into_diagnostics();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    rule
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"web": "label-of-web"}},
        "spec": {"containers": [{"name": "a", "image": "nginx:1.2", "args": ["x", "y"]}]}
    })
}

fn mutated(mutate: Value) -> Mutated {
    let fixture = Fixture::of(pod(), Operation::Create, Variables::default());
    let rule = rule(mutate);
    let context = fixture.context();
    let Body::Mutate(mutation) = &rule.body else { panic!("not a mutate rule") };
    let object = context.object();
    apply_rule(&rule, mutation, &object, &context).remove(0)
}

fn patched(mutate: Value) -> Value {
    let outcome = mutated(mutate);
    match outcome.effect {
        Effect::Patched(object) => object,
        _ => panic!("{}: {}", outcome.verdict, outcome.message),
    }
}

#[test]
fn a_merge_uses_variables_and_reports_what_it_changed() {
    let overlay =
        json!({"metadata": {"labels": {"+(team)": "{{ request.object.metadata.namespace }}", "+(web)": "x"}}});
    let outcome = mutated(json!({"patchStrategicMerge": overlay}));
    assert_eq!(outcome.message, "mutated Pod/web in namespace shop");
    let Effect::Patched(object) = outcome.effect else { panic!("{}", outcome.message) };
    assert_eq!(object.dig(["metadata", "labels"]), Some(&json!({"web": "label-of-web", "team": "shop"})));
}

#[test]
fn a_change_that_changes_nothing_is_skipped() {
    let outcome = mutated(json!({"patchStrategicMerge": {"metadata": {"labels": {"+(web)": "x"}}}}));
    assert_eq!((outcome.verdict, outcome.message.as_str()), (Verdict::Skip, "no patches applied"));
}

#[test]
fn json_patches_are_yaml_or_json_and_create_missing_parents() {
    let yaml = "- op: add\n  path: /spec/nodeSelector/disk\n  value: '{{ request.object.metadata.name }}'\n";
    let object = patched(json!({"patchesJson6902": yaml}));
    assert_eq!(object.dig(["spec", "nodeSelector", "disk"]), Some(&Value::from("web")));
    let json = r#"[{"op": "remove", "path": "/spec/containers/0/args"}, {"op": "remove", "path": "/none"}]"#;
    let object = patched(json!({"patchesJson6902": json}));
    assert_eq!(object.dig(["spec", "containers"]), Some(&json!([{"name": "a", "image": "nginx:1.2"}])));
}

#[test]
fn what_cannot_be_evaluated_is_an_error() {
    for mutate in [
        json!({"patchStrategicMerge": {"metadata": {"labels": {"x": "{{ request.object.spec.none }}"}}}}),
        json!({"patchStrategicMerge": {"metadata": "text"}}),
        json!({"patchStrategicMerge": {"kind": null}}),
        json!({"patchesJson6902": "[{]"}),
        json!({"patchesJson6902": "- op: test\n  path: /kind\n  value: Job"}),
        json!({"foreach": [{"list": "request.object.none", "patchStrategicMerge": {"a": 1}}]}),
    ] {
        assert_eq!(mutated(mutate.clone()).verdict, Verdict::Error, "{mutate}");
    }
}

#[test]
fn loops_bind_elements_and_carry_changes_on() {
    let object = patched(json!({"foreach": [
        {
            "list": "request.object.spec.containers",
            "patchStrategicMerge": {"spec": {"containers": [{
                "(name)": "{{ element.name }}", "image": "registry.local/{{ element.image }}"
            }]}}
        },
        {
            "list": "request.object.spec.containers[].image",
            "order": "Descending",
            "preconditions": {"all": [{"key": "{{ element }}", "operator": "Equals", "value": "registry.local/*"}]},
            "patchesJson6902": "- op: add\n  path: /metadata/labels/image{{ elementIndex }}\n  value: '{{ element }}'"
        }
    ]}));
    assert_eq!(object.dig(["metadata", "labels", "image0"]), Some(&Value::from("registry.local/nginx:1.2")));
}

#[test]
fn nested_loops_see_the_elements_around_them() {
    let object = patched(json!({"foreach": [{
        "list": "request.object.spec.containers",
        "foreach": [{
            "list": "element.args",
            "patchesJson6902":
                "- op: add\n  path: /metadata/labels/p{{ element1 }}\n  value: '{{ element0.name }}-{{ elementIndex1 }}'"
        }]
    }]}));
    assert_eq!(object.dig(["metadata", "labels"]), Some(&json!({"web": "label-of-web", "px": "a-0", "py": "a-1"})));
}

#[test]
fn targets_that_cannot_be_looked_up_are_an_error() {
    let outcome = mutated(json!({
        "targets": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "namespace": "y"}],
        "patchStrategicMerge": {"data": {"a": "b"}}
    }));
    assert_eq!(outcome.verdict, Verdict::Error);
    assert!(outcome.message.contains("not available here"), "{}", outcome.message);
}

#[test]
fn an_unset_variable_elsewhere_in_the_rule_is_an_error_too() {
    let mut document = json!({
        "name": "rule",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "mutate": {"patchStrategicMerge": {"metadata": {"labels": {"a": "b"}}}}
    });
    let any =
        json!([{"key": 1, "operator": "Equals", "value": 1}, {"key": "{{ none }}", "operator": "Equals", "value": 1}]);
    document.as_object_mut().unwrap().insert("preconditions", json!({"any": any}));
    let document = Resource::in_memory(document);
    let mut reader = Reader::with_codes(&document, codes::READER);
    let node = reader.root();
    let rule = Rule::read(&mut reader, &node).unwrap();
    let Body::Mutate(mutation) = &rule.body else { panic!("not a mutate rule") };
    let fixture = Fixture::of(json!({"kind": "Pod", "metadata": {}}), Operation::Create, Variables::default());
    let context = fixture.context();
    let outcomes = apply_rule(&rule, mutation, &context.object(), &context);
    assert_eq!(outcomes[0].verdict, Verdict::Error);
}

#[test]
fn patches_that_can_never_apply_are_found_before_they_run() {
    for (text, problem) in [
        ("- op: add\n  path: /a\n  value: {{ x }}", None),
        ("[{\"op\": \"remove\", \"path\": \"/a\"}]", None),
        ("- op: change\n  path: /a", Some("operation 0 of the JSON patch: unknown operation `change`")),
        ("- op: add\n  path: /a", Some("operation 0 of the JSON patch: `value` is missing")),
        ("- op: remove\n  path: a", Some("operation 0 of the JSON patch: path `a` must begin with a forward slash")),
        ("op: remove", Some("a JSON patch is a list of operations, not object")),
        (
            "- op: remove\n  path: '/{{ x }}'",
            Some("a JSON patch of a rule cannot have variables in its paths; use foreach"),
        ),
    ] {
        assert_eq!(json_patch_problem(&text.into()).as_deref(), problem, "{text}");
    }
}
