//! From the text of a template to a [`Schema`].

use palisade_cel::admission::{Node, Reader};
use palisade_gotext::go_regex;
use palisade_model::{Map, Value};

use super::{Additional, Bounds, Schema, TYPES};
use crate::codes;

/// How deeply schemas may be nested; the API server's own limit is about the same.
const MAX_DEPTH: usize = 64;

/// Reads schemas of one template.
pub(crate) struct SchemaReader<'r, 'd> {
    pub(crate) reader: &'r mut Reader<'d>,
    /// Whether the template asks for the lenience of the time before structural schemas: types may be missing and
    /// unknown fields are kept everywhere.
    pub(crate) legacy: bool,
}

impl SchemaReader<'_, '_> {
    /// Reads the schema at `node`.
    pub(crate) fn read(&mut self, node: &Node<'_>) -> Schema {
        self.at(node, 0, true)
    }

    /// `typed` says whether a type must be given, which it need not be within `anyOf` and its like.
    fn at(&mut self, node: &Node<'_>, depth: usize, typed: bool) -> Schema {
        if depth > MAX_DEPTH {
            self.wrong(node, "the schema is nested too deeply", "flatten it");
            return Schema::default();
        }
        let flag = |key: &str| node.get(key).and_then(|node| node.value.as_bool()).unwrap_or_default();
        let number = |key: &str| node.get(key).and_then(|node| node.value.as_f64());
        let mut schema = Schema {
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserve_unknown: self.legacy || flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            required: self.reader.texts(node, "required"),
            choices: self.reader.list(node, "enum").iter().map(|choice| choice.value.clone()).collect(),
            format: self.reader.text(node, "format"),
            sizes: [
                sizes(node, "minLength", "maxLength"),
                sizes(node, "minItems", "maxItems"),
                sizes(node, "minProperties", "maxProperties"),
            ],
            range: Bounds { least: number("minimum"), most: number("maximum") },
            exclusive_minimum: flag("exclusiveMinimum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            multiple_of: number("multipleOf").filter(|factor| *factor > 0.0),
            unique_items: flag("uniqueItems"),
            default: node.value.get("default").cloned(),
            ..Schema::default()
        };
        self.read_type(node, &mut schema, typed);
        self.read_pattern(node, &mut schema);
        self.read_children(node, depth, typed, &mut schema);
        schema
    }

    fn read_type(&mut self, node: &Node<'_>, schema: &mut Schema, typed: bool) {
        schema.kind = node.get("type").and_then(|_| self.reader.word(node, "type", &TYPES));
        let free = self.legacy || schema.int_or_string || schema.preserve_unknown || !typed;
        if schema.kind.is_none() && node.get("type").is_none() && !free {
            let message = format!("the schema `{}` says no `type`", node.path);
            self.wrong(node, &message, "add `type`, or set `legacySchema: true` in `validation`");
        }
        if schema.kind == Some(super::Type::Array) && node.get("items").is_none() && !free {
            let message = format!("the schema `{}` of a list says no `items`", node.path);
            self.wrong(node, &message, "add `items`");
        }
    }

    fn read_pattern(&mut self, node: &Node<'_>, schema: &mut Schema) {
        let Some(pattern) = self.reader.text(node, "pattern") else { return };
        match go_regex::compile(&pattern) {
            Ok(regex) => schema.pattern = Some(regex),
            Err(message) => {
                let node = Node { value: node.value, path: node.path.child("pattern") };
                self.wrong(&node, &message, "correct the pattern");
            }
        }
    }

    fn read_children(&mut self, node: &Node<'_>, depth: usize, typed: bool, schema: &mut Schema) {
        if let Some(properties) = self.reader.object(node, "properties") {
            for (name, value) in properties.value.as_object().into_iter().flat_map(Map::iter) {
                let child = Node { value, path: properties.path.child(&**name) };
                schema.properties.push((name.clone(), self.at(&child, depth + 1, typed)));
            }
        }
        if let Some(items) = self.reader.object(node, "items") {
            schema.items = Some(Box::new(self.at(&items, depth + 1, typed)));
        }
        match node.get("additionalProperties") {
            Some(Node { value: Value::Bool(allowed), .. }) => schema.additional = Additional::Allowed(*allowed),
            Some(_) => {
                if let Some(node) = self.reader.object(node, "additionalProperties") {
                    schema.additional = Additional::Of(Box::new(self.at(&node, depth + 1, typed)));
                }
            }
            None => {}
        }
        let mut all = |key: &str| {
            let nodes = self.reader.list(node, key);
            nodes.iter().map(|node| self.at(node, depth + 1, false)).collect()
        };
        schema.all_of = all("allOf");
        schema.any_of = all("anyOf");
        schema.one_of = all("oneOf");
        if let Some(not) = self.reader.object(node, "not") {
            schema.not = Some(Box::new(self.at(&not, depth + 1, false)));
        }
    }

    fn wrong(&mut self, node: &Node<'_>, message: &str, help: &str) {
        self.reader.error(codes::INVALID_TEMPLATE, &node.path, message, help);
    }
}

fn sizes(node: &Node<'_>, least: &str, most: &str) -> Bounds<usize> {
    let size = |key| node.get(key).and_then(|node| usize::try_from(node.value.as_i64()?).ok());
    Bounds { least: size(least), most: size(most) }
}
