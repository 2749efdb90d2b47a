use palisade_model::json;
use palisade_model::patch::{self, Dialect};
use palisade_policy::steps::Steps;

use super::*;

const STEPS: u64 = 1_000_000;

fn merged(resource: &Value, overlay: &Value) -> Value {
    strategic_merge(resource, overlay, &Steps::new(STEPS, None)).unwrap()
}

fn refused(resource: &Value, overlay: &Value) -> MergeError {
    strategic_merge(resource, overlay, &Steps::new(STEPS, None)).unwrap_err()
}

fn pod(spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
    pod.as_object_mut().unwrap().insert("spec", spec);
    pod
}

/// The `spec` of a Pod after an overlay of its `spec`.
fn spec(before: Value, overlay: Value) -> Value {
    let wrapped = json!({"spec": {}});
    let mut overlay_of_pod = wrapped;
    overlay_of_pod.as_object_mut().unwrap().insert("spec", overlay);
    merged(&pod(before), &overlay_of_pod).get("spec").unwrap().clone()
}

#[test]
fn objects_merge_and_null_removes() {
    let before = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": null});
    let after = spec(before, json!({"a": null, "b": {"d": 4, "f": {"g": null, "h": 5}}}));
    assert_eq!(after, json!({"b": {"c": 2, "d": 4, "f": {"h": 5}}, "e": null}));
}

#[test]
fn keyed_lists_merge_in_place_with_new_ones_in_front() {
    let before = json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]});
    let after = spec(before, json!({"containers": [{"name": "b", "image": "3"}, {"name": "new", "image": "4"}]}));
    let expected = json!([{"name": "new", "image": "4"}, {"name": "a", "image": "1"}, {"name": "b", "image": "3"}]);
    assert_eq!(after.get("containers"), Some(&expected));
}

#[test]
fn elements_with_equal_keys_stay() {
    let ports = || {
        json!([
            {"name": "http", "containerPort": 80, "protocol": "TCP"}, {"name": "https", "containerPort": 80},
            {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"},
        ])
    };
    let before = || json!({"containers": [{"name": "a", "ports": ports()}, {"name": "b"}], "volumes": [{}, null]});
    let patched = |ports: Value| {
        let after = spec(before(), json!({"containers": [{"name": "a", "ports": ports}]}));
        assert_eq!(after.get("volumes"), before().get("volumes"), "what the patch does not mention is not looked at");
        after.dig(["containers"]).and_then(|list| list.at(0)).and_then(|first| first.get("ports")).cloned().unwrap()
    };
    let after = spec(before(), json!({"containers": [{"name": "b", "tty": true}]}));
    assert_eq!(after.get("containers"), Some(&json!([{"name": "a", "ports": ports()}, {"name": "b", "tty": true}])));
    // The name tells apart what the keys do not, and a port without protocol is TCP.
    let changed =
        patched(json!([{"name": "https", "containerPort": 80, "hostPort": 1}, {"containerPort": 53, "hostPort": 2}]));
    assert_eq!(changed.at(1), Some(&json!({"name": "https", "containerPort": 80, "hostPort": 1})));
    assert_eq!(changed.at(2), ports().at(2));
    assert_eq!(changed.at(3), Some(&json!({"containerPort": 53, "protocol": "TCP", "hostPort": 2})));
    // Two of the patch are two, and what is deleted is all that the keys name.
    let both = patched(json!([{"containerPort": 1, "name": "x"}, {"containerPort": 1, "name": "y"}]));
    assert_eq!(both.as_array().map(<[Value]>::len), Some(6));
    assert_eq!(patched(json!([{"containerPort": 80, "$patch": "delete"}])).as_array().map(<[Value]>::len), Some(2));
    let nameless = refused(&pod(before()), &json!({"spec": {"containers": [{"image": "x"}]}}));
    assert!(matches!(nameless, MergeError::Overlay(message) if message.contains("`name`")));
}

#[test]
fn every_anchored_element_applies_and_takes_nothing_away() {
    let before = || {
        json!({"containers": [
            {"name": "a", "image": "x:latest", "imagePullPolicy": "Never"}, {"name": "b", "image": "x:1"},
        ]})
    };
    let overlay = json!({"containers": [
        {"(image)": "*:latest", "tty": true}, {"(name)": "b", "stdin": true}, {"(name)": "none", "image": "lost"},
        {"(name)": "*", "+(imagePullPolicy)": "Always"},
    ]});
    let expected = json!([
        {"name": "a", "image": "x:latest", "imagePullPolicy": "Never", "tty": true},
        {"name": "b", "image": "x:1", "stdin": true, "imagePullPolicy": "Always"},
    ]);
    assert_eq!(spec(before(), overlay).get("containers"), Some(&expected));
    // A plain name beside `+()` speaks of that container alone.
    let named = spec(before(), json!({"containers": [{"name": "b", "+(imagePullPolicy)": "Always", "image": "y"}]}));
    let expected = json!([
        {"name": "a", "image": "x:latest", "imagePullPolicy": "Never"},
        {"name": "b", "image": "y", "imagePullPolicy": "Always"},
    ]);
    assert_eq!(named.get("containers"), Some(&expected));
    let none = json!({"containers": [{"(name)": "x", "tty": true}, {"(name)": "y", "tty": true}]});
    assert_eq!(spec(before(), none), before());
}

#[test]
fn anchors_select_in_lists_without_names_and_of_unknown_kinds() {
    let rollout = || {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {
            "containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}],
            "rules": [{"host": "one", "port": 1}, {"host": "two", "port": 2}],
        }})
    };
    let overlay = json!({"spec": {
        "containers": [{"(name)": "*", "tty": true}], "rules": [{"(host)": "two", "tls": true}, {"host": "three"}],
    }});
    let after = merged(&rollout(), &overlay);
    let expected = json!({
        "containers": [{"name": "a", "image": "x:1", "tty": true}, {"name": "b", "image": "y:1", "tty": true}],
        "rules": [{"host": "three"}, {"host": "one", "port": 1}, {"host": "two", "port": 2, "tls": true}],
    });
    assert_eq!(after.get("spec"), Some(&expected));
    let nothing = json!({"spec": {"rules": [{"(host)": "none", "tls": true}, {"host": "three"}]}});
    let after = merged(&rollout(), &nothing);
    assert_eq!(after.dig(["spec", "rules"]).and_then(Value::as_array).map(<[Value]>::len), Some(3));
    for overlay in
        [json!({"rules": [{"(host)": "none", "tls": true}]}), json!({"absent": [{"(host)": "*", "tls": true}]})]
    {
        let overlay = Value::object([("spec".into(), overlay)].into_iter().collect());
        assert_eq!(merged(&rollout(), &overlay), rollout());
    }
    let ports =
        json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81}]}]});
    let after = spec(ports, json!({"containers": [{"(name)": "*", "ports": [{"(hostPort)": "*", "hostPort": null}]}]}));
    assert_eq!(after, json!({"containers": [{"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 81}]}]}));
}

#[test]
fn lists_without_keys_are_replaced() {
    let tolerations = json!({"tolerations": [{"key": "a"}]});
    assert_eq!(spec(tolerations, json!({"tolerations": [{"key": "b"}]})), json!({"tolerations": [{"key": "b"}]}));
    let custom = json!({"apiVersion": "example.com/v1", "kind": "Thing", "items": [{"name": "a"}]});
    let after = merged(&custom, &json!({"items": [{"name": "b"}]}));
    assert_eq!(after.get("items"), Some(&json!([{"name": "b"}])));
}

#[test]
fn a_port_without_protocol_is_the_port_with_one() {
    let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}, {"port": 443}]}});
    let after = merged(&service, &json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "http"}]}}));
    let ports = json!([{"port": 80, "protocol": "TCP", "name": "http"}, {"port": 443}]);
    assert_eq!(after.dig(["spec", "ports"]).and_then(|ports| ports.at(1)), ports.at(1));
}

#[test]
fn directives_delete_and_replace() {
    let before = || json!({"containers": [{"name": "a"}, {"name": "b", "image": "2"}], "nodeSelector": {"x": "y"}});
    let after = spec(before(), json!({"containers": [{"name": "a", "$patch": "delete"}]}));
    assert_eq!(after.get("containers"), Some(&json!([{"name": "b", "image": "2"}])));
    let after = spec(before(), json!({"nodeSelector": {"z": "z", "$patch": "replace"}}));
    assert_eq!(after.get("nodeSelector"), Some(&json!({"z": "z"})));
    let after = spec(before(), json!({"containers": [{"$patch": "replace"}, {"name": "c", "image": "3"}]}));
    assert_eq!(after.get("containers"), Some(&json!([{"name": "c", "image": "3"}])));
    let unknown = json!({"spec": {"nodeSelector": {"$patch": "swap"}}});
    assert_eq!(refused(&pod(before()), &unknown), MergeError::Directive("swap".into()));
    assert_eq!(refused(&pod(before()), &json!({"$patch": "delete"})), MergeError::Deleted);
}

#[test]
fn conditions_select_elements() {
    let before = json!({"containers": [{"name": "a", "image": "x:latest"}, {"name": "b", "image": "x:1"}]});
    let overlay = json!({"containers": [{"(image)": "*:latest", "imagePullPolicy": "Always"}]});
    let after = spec(before, overlay);
    let expected =
        json!([{"name": "a", "image": "x:latest", "imagePullPolicy": "Always"}, {"name": "b", "image": "x:1"}]);
    assert_eq!(after.get("containers"), Some(&expected));
}

#[test]
fn a_condition_on_an_object_stops_the_whole_patch() {
    let overlay = json!({"(hostNetwork)": true, "dnsPolicy": "ClusterFirstWithHostNet"});
    assert_eq!(spec(json!({"hostNetwork": false}), overlay.clone()), json!({"hostNetwork": false}));
    assert_eq!(
        spec(json!({"hostNetwork": true}), overlay),
        json!({"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet"})
    );
}

#[test]
fn a_global_condition_needs_one_element_and_adds_nothing() {
    let overlay =
        json!({"metadata": {"labels": {"host": "yes"}}, "spec": {"volumes": [{"<(hostPath)": {"path": "/*"}}]}});
    let with = pod(json!({"volumes": [{"name": "a"}, {"name": "b", "hostPath": {"path": "/x"}}]}));
    let after = merged(&with, &overlay);
    assert_eq!(after.dig(["metadata", "labels", "host"]), Some(&Value::from("yes")));
    assert_eq!(after.get("spec"), with.get("spec"));
    let without = pod(json!({"volumes": [{"name": "a"}]}));
    assert_eq!(merged(&without, &overlay), without);
}

#[test]
fn keys_are_added_where_they_are_absent() {
    let before = json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}], "x": 1});
    let overlay = json!({
        "+(x)": 2, "+(y)": 3,
        "containers": [{"(name)": "*", "resources": {"limits": {"+(cpu)": "9", "+(memory)": "9Gi"}}}]
    });
    let expected = json!({
        "containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "9Gi"}}}], "x": 1, "y": 3
    });
    assert_eq!(spec(before, overlay), expected);
}

#[test]
fn types_must_agree_and_texts_stay_texts() {
    let found = refused(&pod(json!({"a": {}})), &json!({"spec": {"a": "text"}}));
    assert_eq!(found, MergeError::Kind { expected: "object", found: "scalar" });
    assert_eq!(spec(json!({"a": "5", "b": 5}), json!({"a": 6, "b": "6"})), json!({"a": "6", "b": "6"}));
    assert!(matches!(refused(&pod(json!({})), &json!("text")), MergeError::Overlay(_)));
}

#[test]
fn the_resource_keeps_the_order_of_its_members() {
    let before = Value::from_json(r#"{"kind":"Pod","apiVersion":"v1","spec":{"z":1,"a":2}}"#).unwrap();
    let after = merged(&before, &json!({"spec": {"a": 3, "m": 4}}));
    assert_eq!(after.to_json(), r#"{"kind":"Pod","apiVersion":"v1","spec":{"z":1,"a":3,"m":4}}"#);
}

#[test]
fn hostile_input_ends_in_an_error() {
    let nested = |levels: usize| {
        (0..levels).fold(json!("x"), |inner, _| Value::object([("a".into(), inner)].into_iter().collect()))
    };
    assert_eq!(strategic_merge(&pod(json!({})), &nested(2_000), &Steps::new(STEPS, None)), Err(MergeError::Depth));
    assert_eq!(merged(&nested(256), &nested(256)), nested(256));
    let many: Vec<Value> = (0..3_000).map(|n| json!({"name": n, "image": "x"})).collect();
    let overlay = json!({"spec": {"containers": [{"(name)": "*", "image": "y"}]}});
    let pod = pod(Value::object([("containers".into(), Value::array(many))].into_iter().collect()));
    assert_eq!(strategic_merge(&pod, &overlay, &Steps::new(STEPS, None)), Err(MergeError::StepLimit));
}

/// The inputs of the fuzz target `merge`: pairs of a change and a resource.
#[test]
fn the_fuzz_corpus_ends_within_its_budget() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/merge");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let pair = Value::from_json(&text).unwrap();
        let (change, resource) = (pair.at(0).unwrap(), pair.at(1).unwrap());
        let merge = || strategic_merge(resource, change, &Steps::new(100_000, None));
        assert_eq!(merge(), merge(), "{text}");
        let merged = merge().unwrap_or_default();
        let operations = patch::diff(resource, &merged);
        assert_eq!(patch::apply(resource, &operations, Dialect::Kubernetes).ok(), merge().ok(), "{text}");
    }
}
