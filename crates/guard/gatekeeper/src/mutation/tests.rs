//! Tests of mutators together.

use jiff::Timestamp;
use palisade_model::{Diagnostic, Resource, Value, json};
use palisade_policy::{AdmissionRequest, Effect, Environment, Offline, Operation, Phase, Request, Variables, evaluate};

use crate::LANGUAGE;

fn pods() -> Value {
    json!([{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}])
}

fn mutator(kind: &str, name: &str, spec: Value) -> Resource {
    let mut object = json!({"apiVersion": "mutations.gatekeeper.sh/v1", "kind": kind, "metadata": {"name": name}});
    let mut spec = spec;
    if kind != "AssignMetadata" {
        spec.as_object_mut().unwrap().insert("applyTo", pods());
    }
    object.as_object_mut().unwrap().insert("spec", spec);
    Resource::in_memory(object)
}

fn assign(name: &str, location: &str, value: Value) -> Resource {
    let mut spec = json!({"location": location, "parameters": {"assign": {}}});
    let map = spec.as_object_mut().unwrap().get_mut("parameters").unwrap().as_object_mut().unwrap();
    map.get_mut("assign").unwrap().as_object_mut().unwrap().insert("value", value);
    mutator("Assign", name, spec)
}

/// The pod after all mutators, what went wrong, and what loading reported.
fn mutate(mutators: &[Resource], pod: Value) -> (Option<Value>, Vec<String>, Vec<Diagnostic>) {
    let loaded = LANGUAGE.load(mutators, &[]);
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(pod), Operation::Create));
    let (mut request, mut patched, mut errors) = (request, None, Vec::new());
    for policy in &loaded.policies {
        for outcome in evaluate(&**policy, Phase::Mutate, &request, &environment) {
            match outcome.effect {
                Effect::Patched(object) => {
                    request = request.with_object(object.clone());
                    patched = Some(object);
                }
                Effect::None if !outcome.message.is_empty() => errors.push(outcome.message),
                _ => {}
            }
        }
    }
    (patched, errors, loaded.diagnostics)
}

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": [{"name": "main", "image": "nginx:1", "args": ["--x"]}, {"name": "side", "image": "b"}]}})
}

#[test]
fn each_kind_makes_its_change() {
    let mutators = [
        assign("pull", "spec.containers[name: *].imagePullPolicy", "Always".into()),
        assign("added", "spec.containers[name: added]", json!({"name": "added", "image": "c"})),
        mutator(
            "AssignMetadata",
            "owner",
            json!({"location": "metadata.labels.owner", "parameters": {"assign": {"fromMetadata": {"field": "namespace"}}}}),
        ),
        mutator(
            "ModifySet",
            "args",
            json!({"location": "spec.containers[name: main].args",
            "parameters": {"operation": "merge", "values": {"fromList": ["--x", "--y"]}}}),
        ),
        mutator(
            "AssignImage",
            "registry",
            json!({"location": "spec.containers[name: main].image",
            "parameters": {"assignDomain": "ghcr.io", "assignTag": ":2"}}),
        ),
    ];
    let (patched, errors, diagnostics) = mutate(&mutators, pod());
    assert!(errors.is_empty() && diagnostics.is_empty(), "{errors:?} {diagnostics:?}");
    let patched = patched.unwrap();
    assert_eq!(patched.dig(["metadata", "labels", "owner"]), Some(&"shop".into()));
    let containers = patched.dig(["spec", "containers"]).unwrap();
    assert_eq!(
        *containers,
        json!([
            {"name": "main", "image": "ghcr.io/nginx:2", "args": ["--x", "--y"], "imagePullPolicy": "Always"},
            {"name": "side", "image": "b", "imagePullPolicy": "Always"},
            {"name": "added", "image": "c", "imagePullPolicy": "Always"},
        ])
    );
}

#[test]
fn path_tests_hold_a_change_back() {
    let tested = |condition: &str| {
        mutator(
            "Assign",
            "a",
            json!({"location": "spec.securityContext.runAsUser", "parameters": {
            "assign": {"value": 1}, "pathTests": [{"subPath": "spec.securityContext", "condition": condition}]}}),
        )
    };
    assert!(mutate(&[tested("MustExist")], pod()).0.is_none());
    let patched = mutate(&[tested("MustNotExist")], pod()).0.unwrap();
    assert_eq!(patched.dig(["spec", "securityContext", "runAsUser"]), Some(&Value::Int(1)));
}

#[test]
fn mutators_run_until_the_object_settles() {
    // The first depends on what the second makes, so that a second round is needed.
    let first = mutator(
        "Assign",
        "a-first",
        json!({"location": "spec.x.y", "parameters": {
        "assign": {"value": 1}, "pathTests": [{"subPath": "spec.x", "condition": "MustExist"}]}}),
    );
    let second = assign("b-second", "spec.x.z", Value::Int(2));
    let (patched, errors, _) = mutate(&[first, second], pod());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(patched.unwrap().dig(["spec", "x"]), Some(&json!({"z": 2, "y": 1})));
}

#[test]
fn mutators_that_undo_one_another_come_to_an_end() {
    let from_name = json!({"location": "spec.a", "parameters": {"assign": {"fromMetadata": {"field": "name"}}}});
    let undo = assign("undo", "spec.a", "other".into());
    // Within a round the last one wins, and the next round ends where it began.
    let (patched, errors, _) = mutate(&[mutator("Assign", "do", from_name), undo], pod());
    assert!(errors.is_empty());
    assert_eq!(patched.unwrap().dig(["spec", "a"]), Some(&"other".into()));
}

#[test]
fn contradicting_locations_are_left_out() {
    let list = assign("list", "spec.containers[name: main].image", "x".into());
    let object = assign("object", "spec.containers.image", "x".into());
    let sound = assign("sound", "spec.hostNetwork", false.into());
    let (patched, _, diagnostics) = mutate(&[list, object, sound], pod());
    assert_eq!(diagnostics.len(), 2);
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.code == "PAL-G0010"));
    assert_eq!(patched.unwrap().dig(["spec", "hostNetwork"]), Some(&false.into()));
}

#[test]
fn what_a_mutator_may_not_do_is_refused() {
    for broken in [
        assign("a", "metadata.labels.x", "y".into()),
        assign("a", "spec.containers[name: main].name", "y".into()),
        assign("a", "spec.containers[name: *]", json!({"name": "x"})),
        assign("a", "spec.containers[name: main]", json!({"name": "other"})),
        assign("a", "spec..x", "y".into()),
        mutator("AssignMetadata", "a", json!({"location": "metadata.name", "parameters": {"assign": {"value": "x"}}})),
        mutator(
            "AssignMetadata",
            "a",
            json!({"location": "metadata.labels.x", "parameters": {"assign": {"value": 1}}}),
        ),
        mutator(
            "ModifySet",
            "a",
            json!({"location": "spec.list[name: x]", "parameters": {"values": {"fromList": []}}}),
        ),
        mutator("AssignImage", "a", json!({"location": "spec.image", "parameters": {}})),
        mutator(
            "Assign",
            "a",
            json!({"location": "spec.x", "parameters": {"assign": {"value": 1}, "pathTests": [{"subPath": "spec.y", "condition": "MustExist"}]}}),
        ),
        mutator("Assign", "a", json!({"location": "spec.x", "parameters": {"assign": {}}})),
        mutator(
            "Assign",
            "a",
            json!({"location": "spec.x.y", "parameters": {"assign": {"value": 1}, "pathTests": [
            {"subPath": "spec.x.y", "condition": "MustExist"}, {"subPath": "spec.x", "condition": "MustNotExist"}]}}),
        ),
    ] {
        let loaded = LANGUAGE.load(std::slice::from_ref(&broken), &[]);
        assert!(loaded.policies.is_empty() && !loaded.diagnostics.is_empty(), "{}", broken.object);
    }
}

#[test]
fn a_location_that_does_not_fit_the_object_is_an_error() {
    let (patched, errors, _) = mutate(&[assign("a", "spec.containers.image", "x".into())], pod());
    assert!(patched.is_none());
    assert!(errors[0].contains("wants an object with `image`"), "{errors:?}");
    let external = mutator(
        "Assign",
        "a",
        json!({"location": "spec.x", "parameters": {"assign": {"externalData": {"provider": "p"}}}}),
    );
    assert!(mutate(&[external], pod()).1[0].contains("`p`"));
}
