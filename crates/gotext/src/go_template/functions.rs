//! The functions that templates have (`and` and `or` are evaluated step by step, see `run`).

use std::fmt::Write;

use palisade_model::{Budget, Str};

use super::{Item, TemplateError};
use crate::go_fmt;
use crate::go_url::query_escape;
use crate::go_utf8::text_of;

/// Their names.
pub(super) const NAMES: &[&str] = &[
    "and", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println",
    "slice", "urlquery",
];

/// Calls a function.
pub(super) fn call(budget: &mut Budget, name: &str, arguments: &[Item]) -> Result<Item, TemplateError> {
    for argument in arguments {
        argument.weigh(budget)?;
    }
    let text = |text: String| Ok(Item::Text(Str::from(text)));
    let truth = |truth: bool| Ok(Item::Bool(truth));
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
            text(go_fmt::sprintf(budget, format, &arguments)?)
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
        ("urlquery", arguments) => text(query_escape(&print(arguments))),
        _ => Err(TemplateError::Wrong(format!("wrong number of args for {name}: got {}", arguments.len()))),
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

fn length(item: &Item) -> Result<Item, TemplateError> {
    let length = match item {
        Item::List(items) => items.len(),
        Item::Map(members) => members.len(),
        other => other.text().map(|text| text.len()).ok_or_else(|| format!("len of type {}", other.type_name()))?,
    };
    Ok(Item::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(item: &Item, key: &Item) -> Result<Item, TemplateError> {
    match (item, key) {
        (Item::Map(members), key) => {
            let key = key.text().ok_or_else(|| format!("value has type {}; should be string", key.type_name()))?;
            Ok(members.get(key).cloned().unwrap_or(Item::Missing))
        }
        (Item::List(items), Item::Int(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
            Ok(found.cloned().ok_or_else(|| format!("index out of range: {at}"))?)
        }
        (Item::List(_), key) => {
            Err(TemplateError::Wrong(format!("cannot index slice/array with type {}", key.type_name())))
        }
        (Item::Missing, _) => Err("index of untyped nil".into()),
        (item, _) => Err(TemplateError::Wrong(format!("can't index item of type {}", item.type_name()))),
    }
}

fn slice(item: &Item, bounds: &[Item]) -> Result<Item, TemplateError> {
    let (length, text) = match item {
        Item::List(items) => (items.len(), None),
        Item::Text(text) => (text.len(), Some(text)),
        other => return Err(TemplateError::Wrong(format!("can't slice item of type {}", other.type_name()))),
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
        return Err(TemplateError::Wrong(format!("invalid slice index: {start} > {end}")));
    }
    match (item, text) {
        (_, Some(text)) => {
            let bytes = text.as_bytes().get(start..end).unwrap_or_default();
            Ok(Item::Text(text_of(bytes).into()))
        }
        (Item::List(items), None) => Ok(Item::List(items.get(start..end).unwrap_or_default().into())),
        _ => Ok(Item::Missing),
    }
}

fn equal(a: &Item, b: &Item) -> Result<bool, TemplateError> {
    match (a, b) {
        (Item::Missing, Item::Missing) => Ok(true),
        (Item::List(_) | Item::Map(_), _) | (_, Item::List(_) | Item::Map(_)) => {
            Err("non-comparable types for comparison".into())
        }
        (Item::Missing, _) | (_, Item::Missing) => Ok(false),
        (Item::Bool(a), Item::Bool(b)) => Ok(a == b),
        _ => Ok(a.compare(b).ok_or("incompatible types for comparison")?.is_eq()),
    }
}
