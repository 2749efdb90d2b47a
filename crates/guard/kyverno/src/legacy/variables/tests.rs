use palisade_model::{Value, json};

use super::*;
use crate::legacy::context::testing;

fn check(document: &Value) -> Result<Value, VariableError> {
    let fixture = testing::Fixture::pod();
    substitute(document, &fixture.context())
}

#[test]
fn whole_variables_keep_their_type_and_others_become_text() {
    assert_eq!(check(&json!("{{ request.object.spec.containers[0].ports }}")).unwrap(), json!([80, 81]));
    assert_eq!(check(&json!("ports {{ request.object.spec.containers[0].ports }}")).unwrap(), json!("ports [80,81]"));
    assert_eq!(check(&json!({"{{request.object.metadata.name}}": 1})).unwrap(), json!({"web": 1}));
}

#[test]
fn variables_nest_and_stand_side_by_side() {
    let nested = json!("{{ request.object.metadata.labels.{{ request.object.metadata.name }} }}");
    assert_eq!(check(&nested).unwrap(), json!("label-of-web"));
    let adjacent = json!("{{request.object.metadata.name}}{{request.operation}}");
    assert_eq!(check(&adjacent).unwrap(), json!("webCREATE"));
}

#[test]
fn escapes_and_shallow_variables_are_left_alone() {
    assert_eq!(check(&json!("\\{{ x }}")).unwrap(), json!("{{ x }}"));
    assert_eq!(check(&json!("a {{- request.object.metadata.annotations.tricky }}")).unwrap(), json!("a {{ boom }}"));
}

#[test]
fn a_missing_key_is_told_apart_from_other_trouble() {
    assert!(check(&json!("{{ nothing }}")).unwrap_err().is_not_found());
    assert!(!check(&json!("{{ ]] }}")).unwrap_err().is_not_found());
}

#[test]
fn references_take_the_text_of_another_field() {
    let pattern =
        json!({"spec": {"limits": {"memory": "10Gi"}, "=(requests)": {"memory": "<=$(./../../limits/memory)"}}});
    let resolved = check(&pattern).unwrap();
    assert_eq!(resolved.dig(["spec", "=(requests)", "memory"]), Some(&json!("<=10Gi")));
    assert!(check(&json!({"a": "$(./../b)"})).is_err());
    assert_eq!(check(&json!("\\$(a)")).unwrap(), json!("$(a)"));
}

#[test]
fn a_variable_that_produces_itself_ends() {
    let error = check(&json!("x{{ request.object.metadata.annotations.loop }}")).unwrap_err();
    assert!(error.to_string().contains("too many steps"), "{error}");
}

#[test]
fn places_in_the_policy_become_places_in_the_resource() {
    let place = |path| scan::place_in_resource(path, &["request", "object"]);
    assert_eq!(place("/mutate/patchStrategicMerge/spec/containers/0/image"), "request.object.spec.containers[0].image");
    assert_eq!(
        place("/mutate/patchStrategicMerge/metadata/labels/a.b\\/c"),
        r#"request.object.metadata.labels."a.b/c""#
    );
}

#[test]
fn numbers_print_as_go_prints_them() {
    for (number, text) in [(1.0, "1"), (0.5, "0.5"), (1e21, "1e+21"), (1e-7, "1e-7"), (1e20, "100000000000000000000")] {
        assert_eq!(go_json(&Value::Float(number)), text);
    }
    assert_eq!(go_json(&json!({"b": "<&>", "a": 1})), r#"{"a":1,"b":"\u003c\u0026\u003e"}"#);
}
