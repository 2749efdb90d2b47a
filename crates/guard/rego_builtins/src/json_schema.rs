//! `json.match_schema` and `json.verify_schema`.

use palisade_rego_value::Value;
use palisade_schema::{Schema, Unjudged};

use super::declare::{ARRAY, OBJECT, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const DOCUMENT: Type = Type::OneOf(&[Type::String, OBJECT]);

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("json.match_schema", &[DOCUMENT, DOCUMENT], ARRAY, match_schema),
    builtin("json.verify_schema", &[DOCUMENT], ARRAY, verify_schema),
];

/// A document, given as it is or as JSON text.
fn document(value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) => Value::from_json(text).map_err(|_| "invalid JSON string".to_owned()),
        Value::Object(_) | Value::Array(_) => Ok(value.clone()),
        _ => Err("wrong type, expected string or object".to_owned()),
    }
}

fn match_schema(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let given = document(operands::any(operands, 1)?).map_err(BuiltinError::Failed)?;
    let schema = document(operands::any(operands, 2)?).map_err(BuiltinError::Failed)?;
    let schema = Schema::compile(&schema).map_err(BuiltinError::Failed)?;
    let violations = schema.validate(&given, &mut context.budget.steps).map_err(|error| match error {
        Unjudged::TooDeep => BuiltinError::Failed(error.to_string()),
        Unjudged::TooManySteps => BuiltinError::Halt(error.to_string()),
    })?;
    let shown = violations.into_iter().map(|violation| {
        let error = format!("{}: {}", violation.field, violation.description);
        let members = [
            ("desc", violation.description),
            ("error", error),
            ("field", violation.field),
            ("type", violation.kind.to_owned()),
        ];
        Value::object(members.into_iter().map(|(name, text)| (Value::from(name), Value::from(text))).collect())
    });
    let shown: Vec<_> = shown.collect();
    context.collect(shown.len())?;
    answer(Value::array(vec![Value::from(shown.is_empty()), Value::array(shown)]))
}

fn verify_schema(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let verdict = document(operands::any(operands, 1)?).and_then(|schema| Schema::compile(&schema));
    let (valid, error) = match verdict {
        Ok(_) => (true, Value::Null),
        Err(error) => (false, Value::from(format!("jsonschema: {error}"))),
    };
    answer(Value::array(vec![Value::from(valid), error]))
}
