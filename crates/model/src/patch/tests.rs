use super::*;
use crate::json;

fn patched(document: &Value, operations: &Value, dialect: Dialect) -> Result<Value, String> {
    apply(document, operations, dialect).map_err(|error| error.to_string())
}

#[test]
fn operations_do_what_the_rfc_says() {
    let document = json!({"a": [1, 2], "b": {"c": "x"}, "d/e": 1});
    let operations = json!([
        {"op": "test", "path": "/b/c", "value": "x"},
        {"op": "add", "path": "/a/1", "value": 9},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "replace", "path": "/d~1e", "value": 2},
        {"op": "move", "from": "/b/c", "path": "/f"},
        {"op": "copy", "from": "/a/-1", "path": "/b/last"},
        {"op": "remove", "path": "/a/0"}
    ]);
    let expected = json!({"a": [9, 2, 3], "b": {"last": 3}, "d/e": 2, "f": "x"});
    for dialect in [Dialect::Kubernetes, Dialect::Kyverno] {
        assert_eq!(patched(&document, &operations, dialect), Ok(expected.clone()));
    }
}

#[test]
fn dialects_differ_in_what_may_be_missing() {
    let deep = json!([{"op": "add", "path": "/spec/list/2/name", "value": "x"}]);
    assert_eq!(
        patched(&json!({}), &deep, Dialect::Kyverno),
        Ok(json!({"spec": {"list": [null, null, {"name": "x"}]}}))
    );
    assert!(patched(&json!({}), &deep, Dialect::Kubernetes).is_err());

    let gone = json!([{"op": "remove", "path": "/spec/gone"}, {"op": "remove", "path": "/list/7"}]);
    let document = json!({"list": [1]});
    assert_eq!(patched(&document, &gone, Dialect::Kyverno), Ok(document.clone()));
    assert!(patched(&document, &gone, Dialect::Kubernetes).is_err());

    let replace = json!([{"op": "replace", "path": "/new", "value": 1}]);
    assert!(patched(&document, &replace, Dialect::Kyverno).is_err());
    assert_eq!(patched(&document, &replace, Dialect::Kubernetes), Ok(json!({"list": [1], "new": 1})));
}

#[test]
fn a_failed_test_is_told_apart_and_changes_nothing() {
    let document = json!({"a": 1});
    let operations = json!([{"op": "remove", "path": "/a"}, {"op": "test", "path": "/b", "value": 1}]);
    let error = apply(&document, &operations, Dialect::Kubernetes).unwrap_err();
    assert_eq!((error.index, error.path.as_str(), error.test_failed), (1, "/b", true));
    assert_eq!(document, json!({"a": 1}));
}

#[test]
fn mistakes_are_named() {
    for (operations, message) in [
        (json!({}), "patch operation 0 at ``: a JSON patch is an array of operations, not an object"),
        (json!([{"op": "add", "path": "/a"}]), "patch operation 0 at `/a`: `value` is missing"),
        (json!([{"op": "move", "path": "/a"}]), "patch operation 0 at `/a`: `from` is missing"),
        (json!([{"op": "add", "path": "/a/x", "value": 1}]), "patch operation 0 at `/a/x`: `x` is not an array index"),
        (
            json!([{"op": "add", "path": "/a/5", "value": 1}]),
            "patch operation 0 at `/a/5`: index 5 is outside the array",
        ),
    ] {
        assert_eq!(patched(&json!({"a": [1]}), &operations, Dialect::Kyverno), Err(message.to_owned()));
    }
}

#[test]
fn growth_and_depth_are_bounded() {
    let far = json!([{"op": "add", "path": "/a/900000000/b", "value": 1}]);
    assert!(patched(&json!({}), &far, Dialect::Kyverno).is_err());
    let deep = json!([{"op": "add", "path": "/a".repeat(100_000), "value": 1}]);
    assert!(patched(&json!({}), &deep, Dialect::Kyverno).is_err());
    let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
    let bomb = Value::array(vec![double; 64]);
    assert!(patched(&json!({"a": [1]}), &bomb, Dialect::Kyverno).is_err());
}

#[test]
fn a_difference_applied_gives_the_new_value() {
    for (old, new) in [
        (json!({"a": 1, "b/c": [1, 2, 3], "d": {}}), json!({"b/c": [1, 3], "d": {"e~": null}})),
        (json!([{"n": "a"}, {"n": "b", "v": 1}]), json!([{"n": "z"}, {"n": "a"}, {"n": "b", "v": 2}])),
        (json!([1, 2, 3, 4]), json!([4])),
        (json!({"a": {"b": 1}}), json!({"a": [1]})),
    ] {
        let operations = diff(&old, &new);
        assert_eq!(apply(&old, &operations, Dialect::Kubernetes), Ok(new.clone()), "{operations}");
        assert_eq!(diff(&new, &new), json!([]));
    }
    assert_eq!(
        diff(&json!({"l": [1, 2, 3]}), &json!({"l": [1, 9, 2, 3]})),
        json!([{"op": "add", "path": "/l/1", "value": 9}])
    );
}

#[test]
fn merge_patches_follow_the_rfc() {
    let target = json!({"a": "b", "c": {"d": "e", "f": "g"}});
    assert_eq!(merge(&target, &json!({"a": "z", "c": {"f": null}})), json!({"a": "z", "c": {"d": "e"}}));
    assert_eq!(merge(&target, &json!([1])), json!([1]));
    assert_eq!(merge(&json!([1]), &json!({"a": {"b": null}})), json!({"a": {}}));
    assert_eq!(merge(&json!({"e": null}), &json!({"a": 1})), json!({"e": null, "a": 1}));
}
