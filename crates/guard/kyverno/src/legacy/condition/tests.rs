use std::cell::RefCell;

use palisade_model::{Value, json};
use palisade_policy::steps::Steps;

use super::{Conditions, Operator, evaluate};

fn holds(key: &Value, operator: &str, value: &Value) -> bool {
    evaluate(key, Operator::parse(operator).unwrap(), value, &Steps::new(10_000, None)).unwrap()
}

#[track_caller]
fn check(cases: &[(Value, &str, Value, bool)]) {
    for (key, operator, value, expected) in cases {
        assert_eq!(holds(key, operator, value), *expected, "{key} {operator} {value}");
    }
}

#[test]
fn equality_depends_on_the_type_of_the_key() {
    for (key, value, expected) in [
        (json!("nginx:1"), json!("nginx:*"), true),
        (json!("nginx:*"), json!("nginx:1"), false),
        (json!("1h"), json!("60m"), true),
        (json!("1h"), json!(3600), true),
        (json!(3600), json!("1h"), false),
        (json!("1Gi"), json!("1024Mi"), true),
        (json!("5"), json!("5.0"), true),
        (json!("5"), json!(5), false),
        (json!(5), json!("5"), true),
        (json!(5), json!(5.0), true),
        (json!(5), json!("x"), false),
        (json!(2.5), json!("2.5"), true),
        (json!(2.5), json!(2), false),
        (json!(true), json!(true), true),
        (json!(true), json!("true"), false),
        (json!([1, "a"]), json!([1, "a"]), true),
        (json!(["a", "b"]), json!(["b", "a"]), false),
        (json!({"a": 1}), json!({"a": 1}), true),
        (json!({"a": 1}), json!("a"), false),
        (json!([80]), Value::array([Value::Float(80.0)]), false),
        (json!({"a": ["b"]}), json!({"a": ["b"]}), true),
        (json!("5"), json!(""), false),
    ] {
        check(&[(key.clone(), "Equals", value.clone(), expected), (key, "NotEquals", value, !expected)]);
    }
    check(&[(json!(null), "Equals", json!(null), false), (json!(null), "NotEquals", json!("a"), false)]);
}

#[test]
fn membership_compares_what_is_printed_with_wildcards_on_both_sides() {
    let list = json!(["a", "b*", 3]);
    check(&[
        (json!("bc"), "AnyIn", list.clone(), true),
        (json!("?"), "AnyIn", list.clone(), true),
        (json!("c"), "AnyIn", list.clone(), false),
        (json!(3), "AllIn", list.clone(), true),
        (json!("c"), "AnyNotIn", list.clone(), true),
        (json!("a"), "AllNotIn", list.clone(), false),
        (json!(["a", "c"]), "AnyIn", list.clone(), true),
        (json!(["a", "c"]), "AllIn", list.clone(), false),
        (json!(["a", "bb", 3]), "AllIn", list.clone(), true),
        (json!(["a", "c"]), "AnyNotIn", list.clone(), true),
        (json!(["a", "c"]), "AllNotIn", list.clone(), false),
        (json!(["x", "c"]), "AllNotIn", list.clone(), true),
        (json!([]), "AllIn", list.clone(), true),
        (json!([]), "AnyIn", list.clone(), false),
        (json!(null), "AnyNotIn", list.clone(), false),
        (json!({}), "AllNotIn", list, false),
    ]);
}

#[test]
fn membership_reads_texts_as_wildcards_ranges_and_json_lists() {
    check(&[
        (json!("ab"), "AnyIn", json!("a*"), true),
        (json!("a"), "AnyIn", json!(r#"["a","b"]"#), true),
        (json!("ab"), "AnyIn", json!(r#"["a*"]"#), false),
        (json!(["ab"]), "AnyIn", json!(r#"["a*"]"#), true),
        (json!("a"), "AnyNotIn", json!("5"), false),
        (json!("a"), "AnyIn", json!("5"), false),
        (json!(5), "AnyIn", json!("1-10"), true),
        (json!(50), "AnyNotIn", json!("1-10"), true),
        (json!([5, 50]), "AnyNotIn", json!("1-10"), true),
        (json!([5, 6]), "AnyNotIn", json!("1-10"), false),
        (json!([5, 50]), "AllIn", json!("1-10"), false),
        (json!([5, 50]), "AllNotIn", json!("1-10"), false),
        (json!(["a"]), "AnyNotIn", json!("a"), false),
        (json!([1, 2]), "AnyIn", json!(2), true),
        (json!([1, 2]), "AllIn", json!(2), false),
        (json!([1, 2]), "AnyIn", json!(null), false),
        (json!(["1Gi"]), "AnyIn", json!("1Mi-2Gi"), true),
    ]);
}

#[test]
fn deprecated_membership_is_literal_for_lists() {
    check(&[
        (json!("ab"), "In", json!(["a*"]), true),
        (json!(["ab"]), "In", json!(["a*"]), false),
        (json!(["a"]), "In", json!(["a", "b"]), true),
        (json!(["a", "c"]), "NotIn", json!(["a", "b"]), true),
        (json!(["a"]), "NotIn", json!(["a", "b"]), false),
        (json!(["a"]), "NotIn", json!("a"), true),
        (json!("a"), "NotIn", json!("text"), false),
        (json!("a"), "NotIn", json!(r#"["b"]"#), true),
        (json!(["a"]), "In", json!([1]), false),
    ]);
    assert!(evaluate(&json!([1]), Operator::In, &json!([1]), &Steps::new(100, None)).is_err());
}

#[test]
fn sizes_compare_as_durations_quantities_numbers_and_versions() {
    check(&[
        (json!(5), "GreaterThan", json!(4), true),
        (json!(5), "GreaterThanOrEquals", json!("5"), true),
        (json!("5"), "LessThan", json!(5.5), true),
        (json!("1h"), "GreaterThan", json!("59m"), true),
        (json!("1h"), "LessThanOrEquals", json!(3600), true),
        (json!(10), "GreaterThan", json!("5s"), true),
        (json!("10"), "GreaterThan", json!("5s"), true),
        (json!("1Gi"), "GreaterThan", json!("1000Mi"), true),
        (json!("1Gi"), "GreaterThan", json!(5), false),
        (json!("1.10.0"), "GreaterThan", json!("1.9.0"), true),
        (json!("1.0.0-rc1"), "LessThan", json!("1.0.0"), true),
        (json!("abc"), "GreaterThan", json!("abb"), false),
        (json!(true), "GreaterThan", json!(0), false),
        (json!("10s"), "DurationGreaterThan", json!(9), true),
        (json!(60), "DurationLessThanOrEquals", json!("1m"), true),
        (json!("0"), "DurationLessThan", json!("1s"), true),
        (json!("x"), "DurationLessThan", json!("1s"), false),
    ]);
}

#[test]
fn operators_are_read_in_any_letter_case() {
    assert_eq!(Operator::parse("anynotin"), Some(Operator::AnyNotIn));
    assert_eq!(Operator::parse("Contains"), None);
    assert!(Operator::is_name("Equals") && !Operator::is_name("equals"));
}

fn run(source: &Value) -> (Result<(bool, String), String>, Vec<String>) {
    let seen = RefCell::new(Vec::new());
    let mut substitute = |value: &Value| {
        seen.borrow_mut().push(value.to_string());
        if value.as_str() == Some("boom") { Err("unknown key".to_owned()) } else { Ok(value.clone()) }
    };
    let outcome = Conditions::parse(source)
        .and_then(|conditions| conditions.evaluate(&mut substitute, &Steps::new(1_000, None)))
        .map(|outcome| (outcome.met, outcome.message));
    (outcome, seen.into_inner())
}

fn condition(key: &str, value: &str) -> Value {
    json!({"key": key, "operator": "Equals", "value": value, "message": format!("{key} is {value}")})
}

#[test]
fn blocks_stop_as_soon_as_kyverno_does() {
    let (outcome, seen) = run(&json!({"any": [condition("a", "a"), condition("boom", "b")]}));
    assert_eq!(outcome, Ok((true, "a is a".into())));
    assert_eq!(seen.len(), 2);
    let (outcome, _) = run(&json!({"any": [condition("a", "b")], "all": [condition("c", "c"), condition("d", "e")]}));
    assert_eq!(outcome, Ok((false, "a is b; d is e".into())));
    let (outcome, _) = run(&json!({"all": [condition("a", "b"), condition("boom", "c")]}));
    assert_eq!(outcome, Ok((false, "a is b".into())));
    let (outcome, _) = run(&json!({"any": [condition("a", "b"), condition("boom", "c")]}));
    assert!(outcome.unwrap_err().contains("unknown key"));
    assert_eq!(run(&json!({"any": []})).0, Ok((false, String::new())));
    assert_eq!(run(&json!(null)).0, Ok((true, String::new())));
}

#[test]
fn bare_lists_mean_all() {
    let (outcome, _) = run(&json!([condition("a", "a"), condition("b", "b")]));
    assert_eq!(outcome, Ok((true, "a is a;b is b".into())));
    let (outcome, seen) = run(&json!([condition("a", "b"), condition("boom", "b")]));
    assert_eq!((outcome, seen.len()), (Ok((false, "a is b".into())), 2));
    let (outcome, _) = run(&json!([{"key": 1, "operator": "Foo", "value": 1}]));
    assert!(outcome.unwrap_err().contains("`Foo`"));
    assert!(run(&json!("text")).0.is_err());
    let blocks =
        Conditions::parse_blocks(&json!([{"all": [condition("a", "a")]}, {"any": [condition("b", "b")]}])).unwrap();
    assert_eq!(blocks.iter().count(), 2);
    let outcome = blocks.evaluate(&mut |value| Ok(value.clone()), &Steps::new(100, None)).unwrap();
    assert_eq!((outcome.met, outcome.message.as_str()), (true, "a is a;b is b"));
}

#[test]
fn wide_comparisons_end_in_an_error() {
    let many = Value::array((0..2_000).map(Value::Int).collect::<Vec<_>>());
    let error = evaluate(&many, Operator::AllNotIn, &many, &Steps::new(100_000, None)).unwrap_err();
    assert!(error.contains("too many steps"));
}
