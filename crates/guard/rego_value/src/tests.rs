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
    assert_eq!(
        object.to_json(),
        "{\"3\":null,\"[\\\"\\u003c\\\"]\":[1,2],\"b\":2}".replace("\\u003c", "\\\\u003c").as_str()
    );
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

#[test]
fn arithmetic_is_exact_on_whole_numbers_and_of_64_bits_elsewhere() {
    type Operation = fn(&Number, &Number) -> Result<Number, ArithmeticError>;
    let (sum, product, quotient) = (Number::plus, Number::times, Number::divided_by);
    let cases: [(&str, Operation, &str, &str); 12] = [
        ("1", sum, "2", "3"),
        ("9223372036854775807", sum, "1", "9223372036854775808"),
        ("99999999999", product, "99999999999", "9999999999800000000001"),
        ("0.1", sum, "0.2", "0.3"),
        ("1", quotient, "3", "0.33333333333333333334"),
        ("10", quotient, "4", "2.5"),
        ("1234567", quotient, "2", "617283.5"),
        ("12345678", sum, "0.5", "1.23456785e+07"),
        ("0", quotient, "-5", "-0"),
        (
            "1e100",
            product,
            "0.5",
            "5000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        ("0.00001", product, "0.1", "1e-06"),
        ("1.5", Number::minus, "1.5", "0"),
    ];
    for (a, operation, b, expected) in cases {
        assert_eq!(operation(&number(a), &number(b)).unwrap().to_string(), expected, "{a} {b}");
    }
    assert_eq!(number("-7").remainder(&number("3")).unwrap(), Number::Int(-1));
    assert_eq!(number("7.5").remainder(&number("3")), Err(ArithmeticError::ModuloOnFloat));
    assert_eq!(number("7").remainder(&number("0")), Err(ArithmeticError::ModuloByZero));
    assert_eq!(number("7").divided_by(&number("0.0")), Err(ArithmeticError::DivideByZero));
    assert_eq!(number("-2.5").round().unwrap(), Number::Int(-3));
    assert_eq!(number("-2.5").ceil().unwrap(), Number::Int(-2));
    assert_eq!(number("-2.5").floor().unwrap(), Number::Int(-3));
    assert_eq!(number("2.1").ceil().unwrap(), Number::Int(3));
    assert_eq!(number("-3.0").abs().unwrap().to_string(), "3");
}

/// Test threads have small stacks and unoptimised frames are large: what holds here holds everywhere.
#[test]
fn the_deepest_values_can_be_compared_printed_converted_and_dropped() {
    let deepest = || {
        (1..MAX_DEPTH).fold(Value::object(vec![]), |value, n| match n % 3 {
            0 => Value::set(vec![value]),
            1 => Value::array(vec![value]),
            _ => Value::object(vec![(Value::from("k"), value)]),
        })
    };
    let (a, b) = (deepest(), deepest());
    assert_eq!(a.depth(), MAX_DEPTH);
    assert!(a == b && a.cmp(&b).is_eq() && a.detached() == b);
    assert_eq!(a.to_json().matches(['{', '[']).count(), MAX_DEPTH as usize);
    assert!(a.to_string().starts_with('{') || a.to_string().starts_with('['));
    assert_eq!(Value::from(&a.to_model()).depth(), MAX_DEPTH);
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&a, &mut hasher);
}
