//! The functions that templates have (`and` and `or` are evaluated step by step, see `run`).

use std::fmt::Write;

use palisade_rego_value::Value;

use super::item::Item;
use crate::builtins::{BuiltinError, Context, encodings, sprintf};

/// Their names.
pub(super) const NAMES: &[&str] = &[
    "and", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println",
    "slice", "urlquery",
];

/// Why a call has no answer.
pub(super) enum Trouble {
    /// The template is wrong.
    Wrong(String),
    /// Something else is.
    Builtin(BuiltinError),
}

impl From<BuiltinError> for Trouble {
    fn from(error: BuiltinError) -> Self {
        Self::Builtin(error)
    }
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Wrong(message)
    }
}

impl From<&str> for Trouble {
    fn from(message: &str) -> Self {
        Self::Wrong(message.to_owned())
    }
}

/// Calls a function.
pub(super) fn call(context: &mut Context<'_>, name: &str, arguments: &[Item]) -> Result<Item, Trouble> {
    for argument in arguments {
        if let Item::Data(value) = argument {
            context.weigh(value)?;
        }
    }
    let text = |text: String| Ok(Item::Data(Value::from(text)));
    let truth = |truth: bool| Ok(Item::Data(Value::Bool(truth)));
    match (name, arguments) {
        ("not", [item]) => truth(!item.is_true()),
        ("len", [item]) => length(item),
        ("index", [item, keys @ ..]) => keys.iter().try_fold(item.clone(), |item, key| index(&item, key)),
        ("slice", [item, bounds @ ..]) if bounds.len() <= 2 => slice(item, bounds),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            for other in others {
                if equal(first, other)? {
                    return truth(true);
                }
            }
            truth(false)
        }
        ("ne", [a, b]) => truth(!equal(a, b)?),
        ("lt" | "le" | "gt" | "ge", [a, b]) => {
            let order = a.compare(b).ok_or("incompatible types for comparison")?;
            truth(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        ("print", arguments) => text(print(arguments)),
        ("println", arguments) => text(print_line(arguments)),
        ("printf", [format, arguments @ ..]) => {
            let format = format.text().ok_or("wrong type of format for printf: a string is expected")?;
            let arguments: Vec<_> = arguments.iter().map(Item::argument).collect();
            text(sprintf::print(context, &format, &arguments)?)
        }
        ("html", arguments) => text(print(arguments).chars().fold(String::new(), |mut text, c| {
            match c {
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '&' => text.push_str("&amp;"),
                '"' => text.push_str("&#34;"),
                '\'' => text.push_str("&#39;"),
                '\0' => text.push('\u{fffd}'),
                c => text.push(c),
            }
            text
        })),
        ("js", arguments) => text(print(arguments).chars().fold(String::new(), |mut text, c| {
            match c {
                '\\' | '\'' | '"' => text.extend(['\\', c]),
                c if c.is_control() || matches!(c, '<' | '>' | '&' | '=') => {
                    write!(text, "\\u{:04X}", u32::from(c)).unwrap_or_default();
                }
                c => text.push(c),
            }
            text
        })),
        ("urlquery", arguments) => text(encodings::escape(&print(arguments))),
        _ => Err(Trouble::Wrong(format!("wrong number of args for {name}: got {}", arguments.len()))),
    }
}

/// With spaces between arguments of which neither is a string.
fn print(arguments: &[Item]) -> String {
    let mut text = String::new();
    let mut before_is_string = true;
    for argument in arguments {
        let is_string = argument.text().is_some();
        text.push_str(if is_string || before_is_string { "" } else { " " });
        argument.print(&mut text);
        before_is_string = is_string;
    }
    text
}

fn print_line(arguments: &[Item]) -> String {
    let mut text = String::new();
    for (position, argument) in arguments.iter().enumerate() {
        text.push_str(if position == 0 { "" } else { " " });
        argument.print(&mut text);
    }
    text + "\n"
}

fn length(item: &Item) -> Result<Item, Trouble> {
    let length = match item {
        Item::Data(Value::Array(items)) => items.len(),
        Item::Data(Value::Object(object)) => object.len(),
        other => other.text().map(|text| text.len()).ok_or_else(|| format!("len of type {}", other.type_name()))?,
    };
    Ok(Item::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(item: &Item, key: &Item) -> Result<Item, Trouble> {
    match (item, key) {
        (Item::Data(Value::Object(object)), key) => {
            let key = key.text().ok_or_else(|| format!("value has type {}; should be string", key.type_name()))?;
            Ok(object.get_str(&key).cloned().map_or(Item::Missing, Item::from))
        }
        (Item::Data(Value::Array(items)), Item::Int(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
            Ok(Item::from(found.cloned().ok_or_else(|| format!("index out of range: {at}"))?))
        }
        (Item::Data(Value::Array(_)), key) => {
            Err(Trouble::Wrong(format!("cannot index slice/array with type {}", key.type_name())))
        }
        (Item::Missing, _) => Err("index of untyped nil".into()),
        (item, _) => Err(Trouble::Wrong(format!("can't index item of type {}", item.type_name()))),
    }
}

fn slice(item: &Item, bounds: &[Item]) -> Result<Item, Trouble> {
    let (length, text) = match item {
        Item::Data(Value::Array(items)) => (items.len(), None),
        Item::Data(Value::String(text)) => (text.len(), Some(text)),
        other => return Err(Trouble::Wrong(format!("can't slice item of type {}", other.type_name()))),
    };
    let bound = |at: usize, default: usize| match bounds.get(at) {
        None => Ok(default),
        Some(Item::Int(value)) => usize::try_from(*value)
            .ok()
            .filter(|value| *value <= length)
            .ok_or_else(|| format!("index out of range: {value}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let (start, end) = (bound(0, 0)?, bound(1, length)?);
    if start > end {
        return Err(Trouble::Wrong(format!("invalid slice index: {start} > {end}")));
    }
    match (item, text) {
        (_, Some(text)) => {
            let bytes = text.as_bytes().get(start..end).unwrap_or_default();
            Ok(Item::Data(Value::from(encodings::text_of(bytes))))
        }
        (Item::Data(Value::Array(items)), None) => {
            Ok(Item::Data(Value::array(items.get(start..end).unwrap_or_default().to_vec())))
        }
        _ => Ok(Item::Missing),
    }
}

fn equal(a: &Item, b: &Item) -> Result<bool, Trouble> {
    match (a, b) {
        (Item::Missing, Item::Missing) => Ok(true),
        (Item::Data(Value::Array(_) | Value::Object(_)), _) | (_, Item::Data(Value::Array(_) | Value::Object(_))) => {
            Err("non-comparable types for comparison".into())
        }
        (Item::Missing, _) | (_, Item::Missing) => Ok(false),
        (Item::Data(Value::Bool(a)), Item::Data(Value::Bool(b))) => Ok(a == b),
        _ => Ok(a.compare(b).ok_or("incompatible types for comparison")?.is_eq()),
    }
}
