//! Whether a literal is of the type that is expected where it stands.

use palisade_rego_value::{Object, Value};

use crate::query::{Checker, Expected};
use crate::suggestions::{close_names, did_you_mean};
use crate::tree::{is_required, items, named, text, type_text, value_text};

pub(crate) const VARIABLE: i64 = 0;
const INT: i64 = 1;
const FLOAT: i64 = 2;
const STRING: i64 = 3;
const BLOCK: i64 = 4;
const BOOLEAN: i64 = 5;
pub(crate) const NULL: i64 = 6;
const ENUM: i64 = 7;
const LIST: i64 = 8;
pub(crate) const OBJECT: i64 = 9;

pub(crate) fn kind(value: &Value) -> i64 {
    value.get_str("Kind").and_then(Value::as_i64).unwrap_or(VARIABLE)
}

/// A type that may be null.
pub(crate) fn optional(kind: &Value) -> Value {
    let mut members = kind.as_object().cloned().unwrap_or_else(Object::new);
    members.insert(Value::from("NonNull"), Value::from(false));
    Value::from(members)
}

/// Reports a literal of the wrong type.
pub(crate) fn check(checker: &mut Checker<'_, '_>, value: &Value, expected: Expected<'_>) {
    const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];
    let definition = expected.definition;
    let name = definition.name.as_str();
    if definition.kind == "SCALAR" && !SCALARS.contains(&name) {
        return;
    }
    let raw = text(value, "Raw");
    let fits = match kind(value) {
        NULL => !is_required(expected.kind),
        LIST => expected.kind.get_str("Elem").is_some(),
        INT => matches!(name, "Int" | "Float" | "ID") && raw.parse::<i64>().is_ok(),
        FLOAT => name == "Float",
        STRING | BLOCK => matches!(name, "String" | "ID"),
        BOOLEAN => name == "Boolean",
        ENUM => return check_enum(checker, value, expected),
        OBJECT => return check_object(checker, value, expected),
        _ => true,
    };
    if !fits {
        let mut message = mismatch(value, expected);
        if definition.kind == "ENUM" && matches!(kind(value), STRING | BLOCK) {
            message.push_str(&enum_suggestion(raw, expected));
        }
        checker.report(value, message);
    }
}

fn enum_suggestion(raw: &str, expected: Expected<'_>) -> String {
    let names = expected.definition.values.iter().map(|value| text(value, "Name"));
    did_you_mean(" the enum value", &close_names(raw, names))
}

fn check_enum(checker: &mut Checker<'_, '_>, value: &Value, expected: Expected<'_>) {
    let raw = text(value, "Raw");
    if expected.definition.kind != "ENUM" {
        checker.report(value, mismatch(value, expected));
    } else if named(&expected.definition.values, raw).is_none() {
        let of = type_text(expected.kind);
        let suggestion = enum_suggestion(raw, expected);
        checker.report(value, format!("Value {raw:?} does not exist in {of:?} enum.{suggestion}"));
    }
}

fn check_object(checker: &mut Checker<'_, '_>, value: &Value, expected: Expected<'_>) {
    let (name, fields) = (&expected.definition.name, &expected.definition.fields);
    let given = items(value, "Children");
    for field in fields {
        let kind = field.get_str("Type").unwrap_or(&Value::Null);
        let field_name = text(field, "Name");
        let missing = named(given, field_name).is_none() && field.get_str("DefaultValue").is_none();
        if is_required(kind) && missing {
            let (shown, kind) = (format!("{name}.{field_name}"), type_text(kind));
            checker.report(value, format!("Field {shown:?} of required type {kind:?} was not provided."));
        }
    }
    for child in given {
        let field_name = text(child, "Name");
        if named(fields, field_name).is_none() {
            let suggested = close_names(field_name, fields.iter().map(|field| text(field, "Name")));
            let suggested = did_you_mean("", &suggested);
            checker.report(child, format!("Field {field_name:?} is not defined by type {name:?}.{suggested}"));
        }
    }
}

fn mismatch(value: &Value, expected: Expected<'_>) -> String {
    let shown = value_text(value);
    let kind = type_text(expected.kind);
    match kind.as_str() {
        _ if self::kind(value) == NULL => format!("Expected value of type {kind:?}, found {shown}."),
        "Int" | "Int!" if self::kind(value) == INT => {
            format!("Int cannot represent non 32-bit signed integer value: {shown}")
        }
        "Int" | "Int!" => format!("Int cannot represent non-integer value: {shown}"),
        "String" | "String!" | "[String]" => format!("String cannot represent a non string value: {shown}"),
        "Boolean" | "Boolean!" => format!("Boolean cannot represent a non boolean value: {shown}"),
        "Float" | "Float!" => format!("Float cannot represent non numeric value: {shown}"),
        "ID" | "ID!" => format!("ID cannot represent a non-string and non-integer value: {shown}"),
        _ if expected.definition.kind == "ENUM" => format!("Enum {kind:?} cannot represent non-enum value: {shown}."),
        _ => format!("Expected value of type {kind:?}, found {shown}."),
    }
}
