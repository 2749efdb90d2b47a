//! Calls builtins in tests, with values written as JSON.

use jiff::Timestamp;
use palisade_model::Budget;
use palisade_rego_value::Value;

use super::{BuiltinError, Context, Memory, Offline, find};

/// A value from JSON; `{"$set": [..]}` is a set.
pub(super) fn value(json: &str) -> Value {
    convert(Value::from_json(json).unwrap())
}

fn convert(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::array(items.iter().cloned().map(convert).collect()),
        Value::Object(object) => match object.get_str("$set") {
            Some(items) => Value::set(items.as_array().unwrap().iter().cloned().map(convert).collect()),
            None => Value::object(object.iter().map(|(key, value)| (key.clone(), convert(value.clone()))).collect()),
        },
        other => other,
    }
}

/// What a builtin answers.
pub(super) fn run(name: &str, operands: &[Value], budget: u64) -> Result<Option<Value>, BuiltinError> {
    let mut context = Context {
        now: Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap(),
        seed: 7,
        host: &Offline,
        budget: &mut Budget { steps: budget, bytes: budget },
        memory: &mut Memory::default(),
    };
    (find(name).unwrap().run)(&mut context, operands)
}

/// The answer as text: the value as a term, `undefined`, or the error.
pub(super) fn call(name: &str, operands: &[&str]) -> String {
    let operands: Vec<Value> = operands.iter().map(|operand| value(operand)).collect();
    match run(name, &operands, 10_000_000) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}
