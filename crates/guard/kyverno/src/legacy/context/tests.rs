use palisade_model::json;
use palisade_policy::Variables;

use super::loading::mentions;
use super::testing::Fixture;
use super::*;
use crate::legacy::spec::EntrySource;

fn variable(name: &str, jmes_path: &str, default: Value) -> ContextEntry {
    let source = EntrySource::Variable { value: Value::Null, jmes_path: Some(jmes_path.into()), default };
    ContextEntry { name: name.into(), source }
}

#[test]
fn words_are_mentioned_unless_they_follow_a_dot() {
    for (text, expected) in [
        ("x", true),
        ("x.y", true),
        ("y.x", false),
        ("xy", false),
        ("length(x)", true),
        ("a[?b == x]", true),
        ("ax", false),
        ("_x", true),
    ] {
        assert_eq!(mentions(text, "x"), expected, "{text}");
    }
}

#[test]
fn entries_are_loaded_when_mentioned_and_see_earlier_ones_only() {
    let fixture = Fixture::pod();
    let entries = [
        variable("first", "request.object.metadata.name", Value::Null),
        variable("second", "first", Value::Null),
        variable("broken", "later", Value::Null),
        variable("later", "first", Value::Null),
        variable("guarded", "request.object.nothing", json!("default")),
    ];
    let context = fixture.context();
    context.add_entries(&entries);
    assert_eq!(context.query("second").unwrap(), json!("web"));
    assert_eq!(context.query("guarded").unwrap(), json!("default"));
    assert!(matches!(context.query("broken"), Err(QueryError::NotFound { .. })));
    assert!(context.query("later").is_ok());
}

#[test]
fn loops_forget_their_bindings_and_keep_what_the_rule_loaded() {
    let fixture = Fixture::pod();
    let entries = [variable("name", "request.object.metadata.name", Value::Null)];
    let inner = [variable("own", "element", Value::Null)];
    let context = fixture.context();
    context.add_entries(&entries);
    context.checkpoint();
    for (index, element) in [json!("a"), json!("b")].iter().enumerate() {
        context.reset();
        context.bind_element(element, index, 0);
        context.add_entries(&inner);
        assert_eq!(&context.query("own").unwrap(), element);
        assert_eq!(context.query("[name, element0, elementIndex]").unwrap().at(2), Some(&json!(index)));
    }
    context.restore();
    assert!(context.query("element").is_err());
    assert_eq!(context.query("name").unwrap(), json!("web"));
}

#[test]
fn values_files_stand_in_for_look_ups_and_change_the_request() {
    let mut variables = Variables::default();
    variables.globals.insert("request.object.metadata.labels.extra", "given");
    let own: Map = [(Str::from("dictionary.data.env"), Value::from("prod"))].into_iter().collect();
    variables.rules.insert(("policy".into(), "rule".into()), own);
    let fixture = Fixture::of(Fixture::pod().admission.object, Operation::Create, variables);
    let source = EntrySource::ConfigMap { name: "x".into(), namespace: "".into() };
    let entries = [
        ContextEntry { name: "dictionary".into(), source: source.clone() },
        ContextEntry { name: "unknown".into(), source },
    ];
    let context = fixture.context();
    context.add_entries(&entries);
    assert_eq!(context.query("dictionary.data.env").unwrap(), json!("prod"));
    assert_eq!(context.query("request.object.metadata.labels.extra").unwrap(), json!("given"));
    let error = context.query("unknown.data.env").unwrap_err().to_string();
    assert!(error.contains("`unknown`") && error.contains("--values"), "{error}");
}

#[test]
fn what_nobody_knows_is_absent() {
    let fixture = Fixture::pod();
    let context = fixture.context();
    assert!(context.query("request.oldObject").is_err());
    assert!(context.query("serviceAccountName").is_err());
    assert_eq!(context.query("images.containers.a.tag").unwrap(), json!("1.2"));
}
