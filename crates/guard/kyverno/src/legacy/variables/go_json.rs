//! Values as the text that Go's JSON encoder makes of them: what a variable within a text turns into.

use std::fmt::Write;

use palisade_model::Value;

/// Compact JSON with sorted keys, `<`, `>` and `&` escaped, and Go's number format.
pub fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(&value.sorted(), &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Float(number) => write_number(*number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_json()),
    }
}

fn write_text(text: &str, out: &mut String) {
    for character in Value::from(text).to_json().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
}

/// Plain digits for usual sizes; an exponent with its sign and at least one digit outside of them.
fn write_number(number: f64, out: &mut String) {
    let size = number.abs();
    let written = if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        if size < 1.0 { text } else { text.replace('e', "e+") }
    } else {
        number.to_string()
    };
    out.push_str(&written);
}
