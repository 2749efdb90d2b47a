//! Trees of GraphQL as values: how nodes are made, read and shown.

use palisade_rego_value::{Object, Value};

use crate::lexer::Place;

const POSITION: &str = "Position";

/// A node of members, those that are null or empty left out.
pub(crate) fn node<const N: usize>(place: Place, members: [(&str, Value); N]) -> Value {
    let mut pairs: Vec<(Value, Value)> = members
        .into_iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(name, value)| (Value::from(name), value))
        .collect();
    if place.0 > 0 {
        pairs.push((Value::from(POSITION), Value::array(vec![Value::from(place.0), Value::from(place.1)])));
    }
    Value::object(pairs)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

pub(crate) fn list(items: Vec<Value>) -> Value {
    Value::array(items)
}

/// The same tree without places and without what is null or empty.
pub fn pruned(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::array(items.iter().map(pruned).filter(|item| !is_empty(item)).collect()),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| name.as_str() != Some(POSITION));
            let members = members.map(|(name, member)| (name.clone(), pruned(member)));
            Value::from(members.filter(|(_, member)| !is_empty(member)).collect::<Object>())
        }
        other => other.clone(),
    }
}

pub(crate) fn place(node: &Value) -> Place {
    match node.get_str(POSITION).and_then(Value::as_array) {
        Some([line, column]) => (line.as_i64().unwrap_or(0), column.as_i64().unwrap_or(0)),
        _ => (0, 0),
    }
}

pub(crate) fn text<'a>(node: &'a Value, name: &str) -> &'a str {
    node.get_str(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn items<'a>(node: &'a Value, name: &str) -> &'a [Value] {
    node.get_str(name).and_then(Value::as_array).unwrap_or_default()
}

pub(crate) fn texts(node: &Value, name: &str) -> Vec<String> {
    items(node, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The first of some nodes that has a name.
pub(crate) fn named<'a>(nodes: &'a [Value], name: &str) -> Option<&'a Value> {
    nodes.iter().find(|node| text(node, "Name") == name)
}

pub(crate) fn is_required(kind: &Value) -> bool {
    kind.get_str("NonNull").and_then(Value::as_bool).unwrap_or(false)
}

/// The name at the bottom of a type.
pub(crate) fn type_name(kind: &Value) -> &str {
    let mut kind = kind;
    while let Some(element) = kind.get_str("Elem") {
        kind = element;
    }
    text(kind, "NamedType")
}

/// A type as it is written: `[Int!]!`.
pub(crate) fn type_text(kind: &Value) -> String {
    let required = if is_required(kind) { "!" } else { "" };
    match kind.get_str("Elem") {
        Some(element) => format!("[{}]{required}", type_text(element)),
        None => format!("{}{required}", text(kind, "NamedType")),
    }
}

/// A value as it is written.
pub(crate) fn value_text(value: &Value) -> String {
    let raw = text(value, "Raw");
    let children =
        |shown: &dyn Fn(&Value) -> String| items(value, "Children").iter().map(shown).collect::<Vec<_>>().join(",");
    let inner = |child: &Value| child.get_str("Value").map(value_text).unwrap_or_default();
    match value.get_str("Kind").and_then(Value::as_i64) {
        Some(0) => format!("${raw}"),
        Some(3 | 4) => format!("{raw:?}"),
        Some(8) => format!("[{}]", children(&inner)),
        Some(9) => format!("{{{}}}", children(&|child| format!("{}:{}", text(child, "Name"), inner(child)))),
        _ => raw.to_owned(),
    }
}
