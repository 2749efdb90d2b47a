use palisade_model::{Value, json};
use palisade_pod_security::{Level, Version, evaluate};
use palisade_policy::steps::Steps;

use super::{Mismatch, Pattern, PatternError};
use crate::legacy::condition::Conditions;

fn judge(pattern: &Value, resource: &Value) -> Result<(), PatternError> {
    Pattern::compile(pattern).validate(resource, &Steps::new(100_000, None))
}

fn verdict(pattern: &Value, resource: &Value) -> (Option<Mismatch>, String) {
    match judge(pattern, resource) {
        Ok(()) => (None, String::new()),
        Err(error) => (Some(error.mismatch), error.pointer()),
    }
}

const PASS: Option<Mismatch> = None;
const SKIP: Option<Mismatch> = Some(Mismatch::Skip);
const FAIL: Option<Mismatch> = Some(Mismatch::Fail);
const ERROR: Option<Mismatch> = Some(Mismatch::Error);

#[test]
fn plain_members_must_all_match() {
    let pattern = json!({"metadata": {"name": "web-*"}, "spec": {"replicas": ">1", "paused": null, "note": "*"}});
    let good = json!({"metadata": {"name": "web-1"}, "spec": {"replicas": 2, "note": "x", "other": 1}});
    assert_eq!(verdict(&pattern, &good), (PASS, String::new()));
    let few = json!({"metadata": {"name": "web-1"}, "spec": {"replicas": 1, "note": "x"}});
    assert_eq!(verdict(&pattern, &few), (FAIL, "/spec/replicas/".into()));
    let missing = json!({"metadata": {"name": "web-1"}, "spec": {"replicas": 2}});
    assert_eq!(verdict(&pattern, &missing), (FAIL, "/spec/".into()));
    assert_eq!(verdict(&pattern, &json!({"metadata": "x"})), (FAIL, "/metadata/".into()));
    let message = judge(&pattern, &few).unwrap_err().message;
    assert_eq!(message, "resource value '1' does not match '>1' at path /spec/replicas/");
}

#[test]
fn lists_take_one_pattern_for_all_elements() {
    let maps = json!({"containers": [{"image": "!*:latest"}]});
    assert_eq!(verdict(&maps, &json!({"containers": [{"image": "a:1"}, {"image": "b:2"}]})).0, PASS);
    assert_eq!(
        verdict(&maps, &json!({"containers": [{"image": "a:1"}, {"image": "b:latest"}]})),
        (FAIL, "/containers/1/image/".into())
    );
    assert_eq!(verdict(&maps, &json!({"containers": []})).0, PASS);
    assert_eq!(verdict(&maps, &json!({"containers": {}})), (FAIL, "/containers/".into()));
    let scalars = json!({"args": ["a*"]});
    assert_eq!(verdict(&scalars, &json!({"args": ["a", "ab"]})).0, PASS);
    assert_eq!(verdict(&scalars, &json!({"args": ["a", "b"]})), (FAIL, "/args/".into()));
    assert_eq!(verdict(&json!({"args": "a*"}), &json!({"args": ["a", "ab"]})).0, PASS);
    assert_eq!(verdict(&json!({"args": []}), &json!({"args": ["a"]})), (FAIL, "/args/".into()));
    let nested = json!({"rows": [["a"], ["b"]]});
    assert_eq!(verdict(&nested, &json!({"rows": [["a"], ["b"], ["c"]]})).0, PASS);
    assert_eq!(verdict(&nested, &json!({"rows": [["a"]]})).0, ERROR);
}

#[test]
fn condition_anchors_skip_what_they_do_not_select() {
    let pattern = json!({"containers": [{"(image)": "*:latest", "imagePullPolicy": "Always"}]});
    let pod =
        |policy: &str| json!({"containers": [{"image": "a:1"}, {"image": "b:latest", "imagePullPolicy": policy}]});
    assert_eq!(verdict(&pattern, &pod("Always")).0, PASS);
    assert_eq!(verdict(&pattern, &pod("Never")), (FAIL, "/containers/1/imagePullPolicy/".into()));
    assert_eq!(verdict(&pattern, &json!({"containers": [{"image": "a:1"}]})).0, SKIP);
    assert_eq!(verdict(&json!({"(a)": 1, "b": 1}), &json!({"b": 2})).0, SKIP);
    // A failed condition hides failures of the anchors after it, which are judged in the order of their keys.
    assert_eq!(verdict(&json!({"(a)": 1, "X(b)": null}), &json!({"a": 2, "b": 1})).0, SKIP);
}

#[test]
fn an_absent_condition_key_makes_a_later_failure_an_error() {
    let pattern = json!({"list": [{"(a)": 1, "b": 1}]});
    assert_eq!(verdict(&pattern, &json!({"list": [{"b": 2}, {"a": 1, "b": 2}]})), (FAIL, "/list/1/b/".into()));
    let pattern = json!({"x": [{"(a)": 1, "b": 1}, {}], "y": {"^(c)": [{"d": 1}]}, "z": 1});
    assert_eq!(verdict(&pattern, &json!({"x": [], "y": {}, "z": 2})).0, ERROR);
}

#[test]
fn global_anchors_skip_the_whole_rule() {
    let pattern = json!({"spec": {"containers": [{"<(image)": "registry/*"}], "secret": "x"}});
    let other = json!({"spec": {"containers": [{"image": "docker/a"}], "secret": "y"}});
    assert_eq!(verdict(&pattern, &other).0, SKIP);
    let mixed = json!({"spec": {"containers": [{"image": "docker/a"}, {"image": "registry/a"}], "secret": "y"}});
    assert_eq!(verdict(&pattern, &mixed), (FAIL, "/spec/secret/".into()));
    assert_eq!(verdict(&json!({"<(a)": 1, "b": 1}), &json!({"b": 1})).0, PASS);
}

#[test]
fn equality_negation_existence_and_addition() {
    assert_eq!(verdict(&json!({"=(a)": {"=(b)": false}}), &json!({})).0, PASS);
    assert_eq!(verdict(&json!({"=(a)": {"=(b)": false}}), &json!({"a": {"b": true}})), (FAIL, "/a/b/".into()));
    assert_eq!(verdict(&json!({"X(a)": null}), &json!({"b": 1})).0, PASS);
    assert_eq!(verdict(&json!({"X(a)": null}), &json!({"a": null})), (FAIL, "/a/".into()));
    let some = json!({"^(list)": [{"name": "a"}, {"name": "b"}]});
    assert_eq!(verdict(&some, &json!({"list": [{"name": "b"}, {"name": "c"}, {"name": "a"}]})).0, PASS);
    assert_eq!(verdict(&some, &json!({"list": [{"name": "a"}]})), (FAIL, "/list/".into()));
    assert_eq!(verdict(&some, &json!({"list": "a"})), (FAIL, "/list/".into()));
    assert_eq!(verdict(&json!({"^(list)": "a"}), &json!({"list": []})), (FAIL, "/list/".into()));
    assert_eq!(verdict(&json!({"+(a)": "*"}), &json!({"a": 1})), (FAIL, "/".into()));
}

#[test]
fn label_keys_may_be_wildcards() {
    let pattern = json!({"metadata": {"labels": {"app.*/name": "?*", "X(legacy)": null}}});
    let labelled = |labels: Value| json!({"metadata": {"labels": labels}});
    assert_eq!(verdict(&pattern, &labelled(json!({"app.k8s.io/name": "x"}))).0, PASS);
    assert_eq!(
        verdict(&pattern, &labelled(json!({"app.k8s.io/name": ""}))),
        (FAIL, "/metadata/labels/app.k8s.io/name/".into())
    );
    assert_eq!(verdict(&pattern, &labelled(json!({"a": "x"}))), (FAIL, "/metadata/labels/app.*/name/".into()));
    let anchored = json!({"=(metadata)": {"=(annotations)": {"=(sec*)": "on"}}});
    assert_eq!(verdict(&anchored, &json!({"metadata": {"annotations": {"secure": "off"}}})).0, FAIL);
    assert_eq!(verdict(&anchored, &json!({"metadata": {"annotations": {"x": "off"}}})).0, PASS);
    // Elsewhere a wildcard is a letter like any other.
    assert_eq!(verdict(&json!({"spec": {"a*": "1"}}), &json!({"spec": {"ab": "1"}})).0, FAIL);
}

#[test]
fn hostile_patterns_end_in_an_error() {
    let mut nested = json!("*");
    for _ in 0..5_000 {
        nested = Value::object([("=(a)".into(), nested)].into_iter().collect());
    }
    let mut deep = json!("x");
    for _ in 0..5_000 {
        deep = Value::object([("a".into(), deep)].into_iter().collect());
    }
    let error = judge(&nested, &deep).unwrap_err();
    assert_eq!(error.mismatch, Mismatch::Error);
    assert!(error.message.contains("nested too deeply"));
    // Dropping a value this deep is recursive, as parsing it would be; parsers refuse such documents.
    std::mem::forget((nested, deep));

    let patterns: Vec<Value> = (0..1_000).map(|n| json!({"name": n})).collect();
    let items: Vec<Value> = (0..1_000).map(|n| json!({"name": -n - 1})).collect();
    let exponential = json!({"^(list)": patterns});
    let error = judge(&exponential, &json!({"list": items})).unwrap_err();
    assert!(error.mismatch == Mismatch::Fail, "{error}");
    let wide = json!({"^(list)": (0..1_000).map(|_| json!({"name": 999})).collect::<Vec<_>>()});
    let items: Vec<Value> = (0..1_000).map(|n| json!({"name": n})).collect();
    let error = judge(&wide, &json!({"list": items})).unwrap_err();
    assert!(error.message.contains("too many steps"), "{error}");
}

/// The inputs of the fuzz target `pattern`: pairs of a policy's part and a resource.
#[test]
fn the_fuzz_corpus_ends_within_its_budget() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/pattern");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let Ok(pair) = Value::from_json(&text) else { continue };
        let (Some(policy), Some(resource)) = (pair.at(0), pair.at(1)) else { continue };
        assert_eq!(judge(policy, resource), judge(policy, resource), "{text}");
        if let Ok(conditions) = Conditions::parse(policy) {
            let evaluate = || conditions.evaluate(&mut |value| Ok(value.clone()), &Steps::new(100_000, None));
            assert_eq!(evaluate(), evaluate(), "{text}");
        }
        let pod = || evaluate(Level::Restricted, Version::Latest, &[], resource);
        assert_eq!(pod(), pod(), "{text}");
    }
}
