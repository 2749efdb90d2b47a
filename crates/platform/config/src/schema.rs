//! The sections as a JSON schema (draft 7), for what writes the configuration in another language: the Helm chart.

use serde_json::{Map, Value, json};

use crate::{Key, Kind, Section, Table};

/// An object with the sections as properties, and no others.
pub fn schema(sections: &[Section]) -> Value {
    let properties = sections.iter().map(|section| (section.name.to_owned(), described(section.kind, section.doc)));
    json!({ "type": "object", "additionalProperties": false, "properties": properties.collect::<Map<_, _>>() })
}

fn described(kind: Kind, doc: &str) -> Value {
    let mut schema = of(kind);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), doc.split_whitespace().collect::<Vec<_>>().join(" ").into());
    }
    schema
}

fn of(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer(most) => json!({ "type": "integer", "minimum": 0, "maximum": most }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Text(_) => json!({ "type": "string" }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(|kind| of(*kind)).collect::<Vec<_>>() }),
        Kind::List(kind) => json!({ "type": "array", "items": of(*kind) }),
        Kind::Map(_, kind) => json!({ "type": "object", "additionalProperties": of(*kind) }),
        Kind::Table(table) => table_schema(table),
    }
}

fn table_schema(table: &Table) -> Value {
    let properties: Map<_, _> = table.keys.iter().map(|key| (key.name(), key_schema(key))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn key_schema(key: &Key) -> Value {
    let mut schema = described(key.kind, key.doc);
    // Values in TOML of the kinds that have a default are JSON too.
    let default = (key.default)().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    if let (Some(default), Some(schema)) = (default, schema.as_object_mut()) {
        schema.insert("default".to_owned(), default);
    }
    schema
}
