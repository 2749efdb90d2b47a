//! Values as Go's `fmt.Sprint`, `%v` and `%T` print them.
//!
//! Kyverno compares some values by their printed form, and it and Pod Security put values into messages, so the forms must
//! be Go's.

use palisade_model::Value;

use crate::go_float::general;

/// What `fmt.Sprint` and `%v` print.
pub fn sprint(value: &Value) -> String {
    let mut printer = Printer { text: String::new(), limit: usize::MAX, doubles: false };
    printer.print(value);
    printer.text
}

/// As [`sprint`], cut after some hundred bytes: for messages about policies.
pub fn excerpt(value: &Value) -> String {
    Printer { text: String::new(), limit: EXCERPT, doubles: false }.cut(value)
}

/// As [`excerpt`], for messages about resources, whose numbers are all doubles.
pub fn resource_excerpt(value: &Value) -> String {
    Printer { text: String::new(), limit: EXCERPT, doubles: true }.cut(value)
}

const EXCERPT: usize = 512;

struct Printer {
    text: String,
    limit: usize,
    doubles: bool,
}

impl Printer {
    fn cut(mut self, value: &Value) -> String {
        self.print(value);
        if let Some((at, _)) = self.text.char_indices().find(|(at, _)| *at >= self.limit) {
            self.text.truncate(at);
            self.text.push_str("...");
        }
        self.text
    }

    fn print(&mut self, value: &Value) {
        if self.text.len() > self.limit {
            return;
        }
        match value {
            Value::Null => self.text.push_str("<nil>"),
            Value::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Value::Int(number) if self.doubles => self.text.push_str(&general(*number as f64)),
            Value::Int(number) => self.text.push_str(&number.to_string()),
            Value::Float(number) => self.text.push_str(&general(*number)),
            Value::String(text) => self.text.push_str(text),
            Value::Array(items) => {
                self.text.push('[');
                for (position, item) in items.iter().enumerate() {
                    self.text.push_str(if position == 0 { "" } else { " " });
                    self.print(item);
                }
                self.text.push(']');
            }
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().collect();
                members.sort_by_key(|(key, _)| *key);
                self.text.push_str("map[");
                for (position, (key, item)) in members.into_iter().enumerate() {
                    self.text.push_str(if position == 0 { "" } else { " " });
                    self.text.push_str(key);
                    self.text.push(':');
                    self.print(item);
                }
                self.text.push(']');
            }
        }
    }
}

/// The name of a pattern's type, as `%T` prints it.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The name of a resource value's type, whose numbers are all doubles.
pub fn resource_type_name(value: &Value) -> &'static str {
    if matches!(value, Value::Int(_)) { "float64" } else { type_name(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::json;

    #[test]
    fn values_print_as_in_go() {
        let value = json!({"b": [1, 2.5, null, true, "x y"], "a": {}});
        assert_eq!(sprint(&value), "map[a:map[] b:[1 2.5 <nil> true x y]]");
        assert_eq!(excerpt(&Value::from("x".repeat(2_000))).len(), 515);
        assert_eq!(excerpt(&json!(1_000_000)), "1000000");
        assert_eq!(resource_excerpt(&json!([1_000_000])), "[1e+06]");
    }
}
