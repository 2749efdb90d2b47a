//! Tests of matching.

use jiff::Timestamp;
use palisade_cel::admission::{NamespaceView, Reader};
use palisade_model::{Resource, Value, json};
use palisade_policy::{Environment, Offline, Operation, Variables};

use super::{ApplyTo, Criteria, Origin, Target};
use crate::codes;

fn criteria(criteria: &Value) -> Criteria {
    let document = Resource::in_memory(json!({"spec": {"match": serde(criteria)}}));
    let mut reader = Reader::with_codes(&document, codes::READER);
    let root = reader.root();
    let spec = reader.object(&root, "spec").unwrap();
    let read = Criteria::read(&mut reader, &spec);
    assert!(reader.into_diagnostics().is_empty());
    read
}

fn serde(value: &Value) -> palisade_model::value::serde_json::Value {
    palisade_model::value::serde_json::from_str(&value.to_json()).unwrap()
}

/// Whether the criteria select the object, which no request but its own puts.
fn selects(given: &Value, object: &Value, origin: Origin) -> Result<bool, String> {
    let mut variables = Variables::default();
    let labels = json!({"env": "prod"}).as_object().unwrap().clone();
    variables.namespace_labels.insert("shop".into(), labels);
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let resource = Resource::in_memory(object.clone());
    let gvk = resource.gvk().unwrap();
    let namespace = NamespaceView::new(resource.namespace(), &environment);
    let target = Target { object, gvk: &gvk, namespace_name: "", namespace: &namespace, origin };
    criteria(given).matches(&target)
}

#[test]
fn every_criterion_must_hold() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}}});
    for (given, expected) in [
        (json!({}), true),
        (json!({"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}, {"apiGroups": [""], "kinds": ["Pod"]}]}), true),
        (json!({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}), false),
        (json!({"kinds": [{"kinds": ["Pod"]}]}), true),
        (json!({"namespaces": ["sh*"]}), true),
        (json!({"namespaces": ["prod"]}), false),
        (json!({"excludedNamespaces": ["*op"]}), false),
        (json!({"scope": "Cluster"}), false),
        (json!({"scope": "Namespaced", "name": "web-*"}), true),
        (json!({"name": "*-2"}), false),
        (json!({"labelSelector": {"matchLabels": {"app": "web"}}}), true),
        (
            json!({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}}),
            false,
        ),
        (json!({"namespaceSelector": {"matchLabels": {"env": "prod"}}}), true),
        (json!({"namespaceSelector": {"matchLabels": {"env": "test"}}}), false),
        (json!({"source": "Generated"}), false),
        (json!({"source": "All"}), true),
    ] {
        assert_eq!(selects(&given, &pod, Origin::Original), Ok(expected), "{given}");
    }
    assert_eq!(selects(&json!({"source": "Generated"}), &pod, Origin::Generated), Ok(true));
}

#[test]
fn cluster_scoped_objects_are_in_no_namespace() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}});
    let given =
        json!({"namespaces": ["shop"], "namespaceSelector": {"matchLabels": {"env": "prod"}}, "scope": "Cluster"});
    assert_eq!(selects(&given, &role, Origin::Original), Ok(true));
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"env": "prod"}}});
    assert_eq!(selects(&given, &namespace, Origin::Original), Ok(true));
    assert_eq!(selects(&json!({"excludedNamespaces": ["shop"]}), &namespace, Origin::Original), Ok(false));
}

#[test]
fn unknown_labels_of_a_namespace_are_an_error() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "elsewhere"}});
    let given = json!({"namespaceSelector": {"matchLabels": {"env": "prod"}}});
    let error = selects(&given, &pod, Origin::Original).unwrap_err();
    assert!(error.contains("`elsewhere`"), "{error}");
    // What the rest already rules out needs no labels.
    let elsewhere = json!({"namespaces": ["shop"], "namespaceSelector": {"matchLabels": {"env": "prod"}}});
    assert_eq!(selects(&elsewhere, &pod, Origin::Original), Ok(false));
}

#[test]
fn generated_names_match_prefixes_only() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "web-"}});
    assert_eq!(selects(&json!({"name": "web-*"}), &pod, Origin::Original), Ok(true));
    assert_eq!(selects(&json!({"name": "*-web"}), &pod, Origin::Original), Ok(false));
}

#[test]
fn entries_name_every_combination() {
    let document = Resource::in_memory(json!({"spec": {"applyTo": [
        {"groups": ["apps", ""], "versions": ["v1"], "kinds": ["Deployment", "Pod"], "operations": ["CREATE"]}]}}));
    let mut reader = Reader::with_codes(&document, codes::READER);
    let root = reader.root();
    let spec = reader.object(&root, "spec").unwrap();
    let entries = ApplyTo::read(&mut reader, &spec, codes::INVALID_MUTATOR);
    assert_eq!(entries[0].combinations().count(), 4);
    assert!(entries[0].combinations().all(|gvk| entries[0].names(&gvk)));
    assert!(entries[0].allows(Some(Operation::Create)) && entries[0].allows(None));
    assert!(!entries[0].allows(Some(Operation::Update)));
}
