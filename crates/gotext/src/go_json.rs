//! JSON text as Go's `encoding/json` prints it (keys sorted, `<`, `>` and `&` escaped, doubles in their shortest form), and
//! values as it reads them.
//!
//! Kyverno puts objects into messages and patterns, and hashes them, in this form.

use std::fmt::Write;

use palisade_model::Value;

/// The value as Go reads it into no particular type: every number is a double. Parsers bound the depth of values.
#[must_use]
pub fn with_doubles(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(*number as f64),
        Value::Array(items) => Value::array(items.iter().map(with_doubles).collect::<Vec<_>>()),
        Value::Object(map) => {
            Value::object(map.iter().map(|(key, value)| (key.clone(), with_doubles(value))).collect())
        }
        other => other.clone(),
    }
}

/// Compact JSON text of `value`.
pub fn to_string(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => write!(text, "{value}").unwrap_or_default(),
        Value::Float(value) => text.push_str(&number(*value)),
        Value::String(value) => write_string(text, value),
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            text.push('{');
            for (position, (key, member)) in members.into_iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                write_string(text, key);
                text.push(':');
                write_value(text, member);
            }
            text.push('}');
        }
    }
}

/// A double as JSON: plain digits, or an exponent below 1e-6 and from 1e21. What is not a number is `null`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}

/// Appends `value` in quotes, with what Go escapes for the sake of HTML escaped.
pub fn write_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                write!(text, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_in_go() {
        let value = Value::from_json(r#"{"b":[1,2.5,null,true],"a":"<x>&\u2028\u0001\"\\","c":{}}"#).unwrap();
        let expected = r#"{"a":"\u003cx\u003e\u0026\u2028\u0001\"\\","b":[1,2.5,null,true],"c":{}}"#;
        assert_eq!(to_string(&value), expected);
    }

    #[test]
    fn doubles_print_as_in_go() {
        for (value, text) in [
            (1.0, "1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (-0.1, "-0.1"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
