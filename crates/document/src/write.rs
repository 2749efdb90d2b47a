//! Prints values as YAML: block style as kubectl prints it, keys in document order.
//!
//! A string is quoted wherever a YAML 1.1 reader would take it for something else. The pieces (a scalar in a given
//! style, a node at a given column, flow style) are what [`crate::edit`] writes into existing text.

use palisade_model::{Map, Value};

use crate::yaml::resolve::resolve;

/// The longest key written without `? `; readers look no further than 1024 characters for the colon.
const MAX_SIMPLE_KEY: usize = 1000;

/// Block style YAML, ending in a line break.
pub fn to_yaml(value: &Value) -> String {
    let mut text = Layout::default().node(value, 0);
    text.push('\n');
    text
}

/// Block style YAML with lists indented below their keys, ending in a line break.
pub fn to_indented_yaml(value: &Value) -> String {
    let mut text = Layout { list: 2, ..Layout::default() }.node(value, 0);
    text.push('\n');
    text
}

/// How a file indents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Columns per level of mappings.
    pub(crate) step: usize,
    /// Columns that a list stands deeper than its key.
    pub(crate) list: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { step: 2, list: 0 }
    }
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// None where possible.
    Plain,
    /// Single quotes where possible.
    Single,
    /// Double quotes.
    Double,
}

impl Layout {
    /// A node whose first line continues the current one, which has reached `column`; no line break at the end.
    pub(crate) fn node(self, value: &Value, column: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, value, column);
        out
    }

    /// `key: value`, the key standing at `column`.
    pub(crate) fn member(self, key: &str, value: &Value, column: usize) -> String {
        let mut out = String::new();
        self.write_member(&mut out, key, value, column);
        out
    }

    /// What follows `key:`, the key standing at `column`.
    pub(crate) fn after_key(self, value: &Value, column: usize) -> String {
        let mut out = String::new();
        self.write_after_key(&mut out, value, column);
        out
    }

    fn write(self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (at, (key, value)) in map.iter().enumerate() {
                    line(out, at, column);
                    self.write_member(out, key, value, column);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    line(out, at, column);
                    out.push_str("- ");
                    // A block scalar is indented against the dash, everything else stands behind it.
                    match item.as_str().and_then(|text| literal(text, column + 2)) {
                        Some(text) => out.push_str(&text),
                        None => self.write(out, item, column + 2),
                    }
                }
            }
            Value::String(text) => {
                out.push_str(&literal(text, column.max(2)).unwrap_or_else(|| inline(text, Quotes::Plain)));
            }
            leaf => out.push_str(&flow(leaf)),
        }
    }

    fn write_member(self, out: &mut String, key: &str, value: &Value, column: usize) {
        let name = inline(key, Quotes::Plain);
        if name.len() > MAX_SIMPLE_KEY {
            out.push_str("? ");
            out.push_str(&name);
            line(out, 1, column);
        } else {
            out.push_str(&name);
        }
        out.push(':');
        self.write_after_key(out, value, column);
    }

    fn write_after_key(self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                line(out, 1, column + self.step);
                self.write(out, value, column + self.step);
            }
            Value::Array(items) if !items.is_empty() => {
                line(out, 1, column + self.list);
                self.write(out, value, column + self.list);
            }
            Value::String(text) => {
                out.push(' ');
                out.push_str(&literal(text, column + self.step).unwrap_or_else(|| inline(text, Quotes::Plain)));
            }
            leaf => {
                out.push(' ');
                out.push_str(&flow(leaf));
            }
        }
    }
}

fn line(out: &mut String, at: usize, column: usize) {
    if at > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', column));
    }
}

/// One-line style: `[a, b]`, `{a: 1}`, and scalars.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.to_json(),
        Value::String(text) => flow_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => format!("{{{}}}", flow_members(map)),
    }
}

fn flow_members(map: &Map) -> String {
    map.iter().map(|(key, value)| flow_member(key, value)).collect::<Vec<_>>().join(", ")
}

/// `key: value` inside braces.
pub(crate) fn flow_member(key: &str, value: &Value) -> String {
    format!("{}: {}", flow_text(key), flow(value))
}

fn flow_text(text: &str) -> String {
    let safe = !text.contains([',', '?', '[', ']', '{', '}', ':']);
    inline(text, if safe { Quotes::Plain } else { Quotes::Single })
}

/// A string on one line, in the wanted quotes where they can hold it.
pub(crate) fn inline(text: &str, wanted: Quotes) -> String {
    if wanted == Quotes::Double || text.chars().any(needs_escape) {
        return double_quoted(text);
    }
    if wanted == Quotes::Plain {
        if plain_is_safe(text) {
            return text.to_owned();
        }
        if text.is_empty() || has_other_type(text) {
            return double_quoted(text);
        }
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Characters that only double quotes can hold on one line.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a reader of YAML 1.1 would not take the text for a string.
fn has_other_type(text: &str) -> bool {
    let mut sexagesimal = text.strip_prefix(['-', '+']).unwrap_or(text).split(':');
    let sixties = text.contains(':')
        && sexagesimal.all(|part| part.starts_with(|c: char| c.is_ascii_digit()) && is_numeric(part));
    let date = text.get(..5).is_some_and(|year| year.ends_with('-') && is_numeric(year.trim_end_matches('-')));
    let grouped = text.starts_with(['.', '+', '-']) && text.contains('_') && is_numeric(text);
    resolve(text).is_some() || sixties || date || grouped || matches!(text, "=" | "<<")
}

fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'+'))
}

fn plain_is_safe(text: &str) -> bool {
    let indicator = text.starts_with(|c: char| ",[]{}#&*!|>'\"%@`".contains(c));
    let blank_after = |at: usize| text.as_bytes().get(at).is_none_or(|byte| *byte == b' ');
    let lone = text.starts_with(['-', '?', ':']) && blank_after(1);
    let marker = text.starts_with("---") || text.starts_with("...");
    let inner = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let padded = text.starts_with(' ') || text.ends_with(' ');
    !(text.is_empty() || indicator || lone || marker || inner || padded || has_other_type(text))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) => {
                out.push_str("\\u");
                let code = u32::from(c);
                out.extend([12, 8, 4, 0].iter().filter_map(|shift| char::from_digit(code >> shift & 0xF, 16)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Text of several lines as a literal block indented by `indent`; `None` where it needs escapes or is one line.
pub(crate) fn literal(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let escapes = text.chars().any(|c| needs_escape(c) && !matches!(c, '\n' | '\t'));
    if body.is_empty() || body.len() + 1 > text.len() && !body.contains('\n') || escapes {
        return None;
    }
    if body.split('\n').any(|line| line.ends_with([' ', '\t'])) {
        return None;
    }
    let mut out = String::from("|");
    if body.starts_with([' ', '\n', '\t']) {
        return None;
    }
    let breaks = text.len() - body.len();
    match breaks {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    fn yaml(json: &str) -> String {
        to_yaml(&Value::from_json(json).unwrap())
    }

    #[test]
    fn manifests_look_as_kubectl_prints_them() {
        let text = yaml(
            r#"{"kind":"Pod","metadata":{"labels":{},"name":"x"},"spec":{"args":["a",["b"],[]],"list":[{"name":"c","ports":[{"p":1}]}]},"text":"a\nb\n"}"#,
        );
        assert_eq!(
            text,
            "kind: Pod\nmetadata:\n  labels: {}\n  name: x\nspec:\n  args:\n  - a\n  - - b\n  - []\n  list:\n  - name: c\n    ports:\n    - p: 1\ntext: |\n  a\n  b\n"
        );
    }

    #[test]
    fn strings_are_quoted_where_they_would_change_their_type() {
        for (text, expected) in [
            ("yes", "\"yes\""),
            ("n", "\"n\""),
            ("012", "\"012\""),
            ("1:30", "\"1:30\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("", "\"\""),
            ("~", "\"~\""),
            ("=", "\"=\""),
            ("*.x", "'*.x'"),
            ("a: b", "'a: b'"),
            ("{{ x }}", "'{{ x }}'"),
            ("a #b", "'a #b'"),
            (" a", "' a'"),
            ("a:", "'a:'"),
            ("it's", "it's"),
            ("10.0.0.1", "10.0.0.1"),
            ("a\tb", "\"a\\tb\""),
            ("- x", "'- x'"),
            ("-x", "-x"),
            ("---", "'---'"),
        ] {
            assert_eq!(inline(text, Quotes::Plain), expected);
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let texts = [
            "a\nb",
            "a\n",
            "\n",
            "a\n\nb\n\n",
            " a\nb",
            "a \nb",
            "a\n b",
            "\ta\nb",
            "x\ny\t\n",
            "a\r\nb",
            "\u{85}",
            "{a: b}",
            "a,b",
            "\u{1F600}",
        ];
        for text in texts {
            for value in [
                Value::from(text),
                Value::array(vec![Value::from(text), Value::from("z")]),
                Value::object(
                    [
                        (text.into(), Value::array(vec![Value::array(vec![Value::from(text)])])),
                        ("z".into(), Value::from(text)),
                    ]
                    .into_iter()
                    .collect(),
                ),
            ] {
                for printed in [to_yaml(&value), flow(&value)] {
                    let parsed = parse("a.yaml", printed.as_bytes(), &Limits::default());
                    assert_eq!(parsed.documents[0].value, value, "{printed}");
                }
            }
        }
    }

    #[test]
    fn long_keys_are_written_explicitly() {
        let key = "k".repeat(2000);
        let value =
            Value::object([(key.as_str().into(), Value::Int(1)), ("b".into(), Value::Int(2))].into_iter().collect());
        let parsed = parse("a.yaml", to_yaml(&value).as_bytes(), &Limits::default());
        assert_eq!(parsed.documents[0].value, value);
    }
}
