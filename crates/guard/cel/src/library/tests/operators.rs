//! Operators: every signature of the checker's table with operands of just those types.

use super::{Family, ODD, value};
use crate::check::Operators;
use crate::{Env, Type, Val};

/// An operator by cel-go's name, its operands, and an expression of what comes out.
const RESULTS: &[(&str, &[&str], &str)] = &[
    ("_+_", &["b'a'", "b'b'"], "b'ab'"),
    ("_+_", &["1.5", "2.0"], "3.5"),
    ("_+_", &["hour", "hour"], "duration('2h')"),
    ("_+_", &["1", "2"], "3"),
    ("_+_", &["[1]", "[2]"], "[1, 2]"),
    ("_+_", &["'a'", "'b'"], "'ab'"),
    ("_+_", &["1u", "2u"], "3u"),
    ("_+_", &["hour", "moment"], "timestamp('2026-05-03T11:20:30.5Z')"),
    ("_+_", &["moment", "hour"], "timestamp('2026-05-03T11:20:30.5Z')"),
    ("_-_", &["1.5", "2.0"], "-0.5"),
    ("_-_", &["hour", "duration('30m')"], "duration('30m')"),
    ("_-_", &["1", "2"], "-1"),
    ("_-_", &["2u", "1u"], "1u"),
    ("_-_", &["moment", "hour"], "timestamp('2026-05-03T09:20:30.5Z')"),
    ("_-_", &["moment", "timestamp('2026-05-03T10:20:30Z')"], "duration('500ms')"),
    ("_*_", &["1.5", "2.0"], "3.0"),
    ("_*_", &["3", "-2"], "-6"),
    ("_*_", &["3u", "2u"], "6u"),
    ("_/_", &["3.0", "2.0"], "1.5"),
    ("_/_", &["-7", "2"], "-3"),
    ("_/_", &["7u", "2u"], "3u"),
    ("_%_", &["-7", "2"], "-1"),
    ("_%_", &["7u", "2u"], "1u"),
    ("-_", &["1.5"], "-1.5"),
    ("-_", &["7"], "-7"),
    ("!_", &["true"], "false"),
    ("_==_", &["[1, 2]", "[1, 2]"], "true"),
    ("_!=_", &["{'a': 1}", "{'a': 2}"], "true"),
    ("@in", &["2", "[1, 2]"], "true"),
    ("@in", &["'b'", "{'a': 1}"], "false"),
    ("_?_:_", &["1 > 2", "'a'", "'b'"], "'b'"),
    ("_[_]", &["['a', 'b']", "1"], "'b'"),
    ("_[_]", &["{'a': 1}", "'a'"], "1"),
    ("_[_]", &["optional.of(['a'])", "0"], "optional.of('a')"),
    ("_[_]", &["optional.of({'a': 1})", "'a'"], "optional.of(1)"),
    ("_[?_]", &["['a']", "7"], "optional.none()"),
    ("_[?_]", &["optional.of(['a'])", "0"], "optional.of('a')"),
    ("_[?_]", &["{'a': 1}", "'b'"], "optional.none()"),
    ("_[?_]", &["optional.of({'a': 1})", "'a'"], "optional.of(1)"),
];

/// A lesser and a greater value of each type that has an order.
const ORDERED: &[[&str; 2]] = &[
    ["false", "true"],
    ["b'a'", "b'b'"],
    ["'a'", "'b'"],
    ["moment", "moment + hour"],
    ["hour", "hour + hour"],
    ["1", "2"],
    ["1u", "2u"],
    ["1.0", "2.0"],
];

/// What the ordering operators say of a lesser and a greater value, and of a value and itself.
const ORDERS: &[(&str, bool, bool)] =
    &[("_<_", true, false), ("_<=_", true, true), ("_>_", false, false), ("_>=_", false, true)];

/// Operations without a result, and a part of what is said.
const REFUSED: &[(&str, &str)] = &[
    ("9223372036854775807 + 1", "overflow"),
    ("-9223372036854775807 - 2", "overflow"),
    ("0u - 1u", "overflow"),
    ("9223372036854775807 * 2", "overflow"),
    ("1 / 0", "by zero"),
    ("1u / 0u", "by zero"),
    ("1 % 0", "modulus"),
    ("moment + duration('300000h') + duration('90000000h')", "duration"),
    ("[1][5]", "5"),
    ("{'a': 1}['b']", "b"),
    ("true && 1", "bool"),
    ("'a' || false", "bool"),
];

fn env() -> Env {
    Family { libraries: Vec::new(), cases: &[] }.whole()
}

fn written(operator: &str, operands: &[&str]) -> String {
    match (operator, operands) {
        ("_[_]", [a, b]) => format!("({a})[{b}]"),
        ("_[?_]", [a, b]) => format!("({a})[?{b}]"),
        ("_?_:_", [a, b, c]) => format!("({a}) ? ({b}) : ({c})"),
        (_, [a]) => format!("{}({a})", operator.trim_matches('_')),
        (_, [a, b]) => format!("({a}) {} ({b})", operator.trim_matches(['_', '@'])),
        _ => panic!("{operator} with {operands:?}"),
    }
}

fn type_of(env: &Env, operand: &str) -> Type {
    env.compile(operand).unwrap_or_else(|errors| panic!("{operand}: {errors:?}")).result_type().clone()
}

/// Whether a type is of the form of a signature's.
fn fits(wanted: &Type, of: &Type) -> bool {
    match (wanted, of) {
        (Type::Param(_), _) => true,
        (Type::List(wanted), Type::List(of)) | (Type::Optional(wanted), Type::Optional(of)) => fits(wanted, of),
        (Type::Map(wanted), Type::Map(of)) => fits(&wanted.0, &of.0) && fits(&wanted.1, &of.1),
        _ => wanted == of,
    }
}

#[test]
fn every_signature_has_a_result() {
    let env = env();
    for (operator, signature) in
        Operators::default().all().filter(|(name, _)| ORDERS.iter().all(|(order, ..)| order != name))
    {
        let about = |operands: &[&str]| {
            operands.len() == signature.params.len()
                && operands.iter().zip(signature.params).all(|(operand, of)| fits(of, &type_of(&env, operand)))
        };
        let case = RESULTS.iter().find(|(name, operands, _)| *name == operator && about(operands));
        let (_, operands, result) = case.unwrap_or_else(|| panic!("no case for {operator} of {:?}", signature.params));
        let source = format!("({}) == {result}", written(operator, operands));
        assert_eq!(value(&env, &source), Ok(Val::Bool(true)), "{source}");
    }
}

#[test]
fn every_order_holds_between_every_two_types_that_have_one() {
    let env = env();
    let sample = |of: &Type| {
        ORDERED.iter().find(|sample| type_of(&env, sample[0]) == *of).unwrap_or_else(|| panic!("no values of {of}"))
    };
    for (operator, of_lesser, of_equals) in ORDERS {
        for signature in Operators::default().of(operator) {
            let [left, right] = [sample(&signature.params[0]), sample(&signature.params[1])];
            for (operands, expected) in [([left[0], right[1]], of_lesser), ([left[0], right[0]], of_equals)] {
                let source = written(operator, &operands);
                assert_eq!(value(&env, &source), Ok(Val::Bool(*expected)), "{source}");
            }
        }
    }
}

#[test]
fn operands_of_wrong_types_are_refused() {
    let env = env();
    for (operator, operands, _) in RESULTS {
        let position = if *operator == "_?_:_" { 0 } else { operands.len() - 1 };
        let mut wrong = operands.to_vec();
        wrong[position] = ODD;
        let source = written(operator, &wrong);
        assert!(env.compile(&source).is_err(), "{source}");
        // Anything may be compared for equality where types are not known.
        if !["_==_", "_!=_"].contains(operator) {
            let outcome = env.compile_unchecked(&source).map(|program| super::evaluate(&program));
            assert!(!matches!(outcome, Ok(Ok(_))), "{source}: {outcome:?}");
        }
    }
}

#[test]
fn operations_without_a_result_are_errors() {
    let env = env();
    for (source, part) in REFUSED {
        let error = value(&env, source).unwrap_err();
        assert!(error.contains(part), "{source}: {error}");
    }
}
