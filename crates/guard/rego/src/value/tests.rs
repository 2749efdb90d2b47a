use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn numbers_compare_by_value_and_print_as_written() {
    assert_eq!(number("1"), number("1.0"));
    assert_eq!(number("1e3"), number("1000"));
    assert_eq!(number("-0"), number("0"));
    assert!(number("-1.5") < number("-1"));
    assert!(number("0.1") < number("0.11"));
    assert!(number("99999999999999999999") > number("99999999999999999998"));
    assert!(number("1e-400") > number("0"));
    assert_eq!(number("1.50").to_string(), "1.50");
    assert_eq!(number("1e3").as_i64(), Some(1000));
    assert_eq!(number("9223372036854775808").as_i64(), None);
    for text in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1e99999999999", "-01"] {
        assert!(Number::parse(text).is_none(), "{text}");
    }
}

#[test]
fn values_are_in_regos_order() {
    let values = Value::set(vec![
        Value::set(vec![]),
        Value::object(vec![]),
        Value::array(vec![]),
        Value::from("a"),
        Value::from(2),
        Value::from(true),
        Value::from(false),
        Value::Null,
        Value::from(number("2.0").clone()),
    ]);
    assert_eq!(values.to_string(), r#"{null, false, true, 2, "a", [], {}, set()}"#);
}

#[test]
fn objects_keep_the_last_of_a_key_and_print_keys_of_all_types() {
    let object = Value::object(vec![
        (Value::from("b"), Value::from(1)),
        (Value::from(3), Value::Null),
        (Value::from("b"), Value::from(2)),
        (Value::array(vec![Value::from("<")]), Value::set(vec![Value::from(2), Value::from(1)])),
    ]);
    assert_eq!(object.to_json(), "{\"3\":null,\"[\\\"\\u003c\\\"]\":[1,2],\"b\":2}".replace("\\u003c", "\\\\u003c").as_str());
    assert_eq!(object.get_str("b"), Some(&Value::from(2)));
    assert_eq!(object.get(&Value::from(number("3.0"))), Some(&Value::Null));
    assert_eq!(object.depth(), 2);
}

#[test]
fn sets_join_meet_and_differ() {
    let set = |items: &[i64]| items.iter().map(|item| Value::from(*item)).collect::<Set>();
    let (a, b) = (set(&[1, 2, 3]), set(&[3, 4]));
    assert_eq!(Value::from(a.union(&b)), Value::from(set(&[1, 2, 3, 4])));
    assert_eq!(Value::from(a.intersection(&b)), Value::from(set(&[3])));
    assert_eq!(Value::from(a.difference(&b)), Value::from(set(&[1, 2])));
}
