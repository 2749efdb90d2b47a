//! The fields of a metadata block, checked and brought into the form in which policies see them.

use palisade_model::{Diagnostic, Map, Source, Span, SpanTree, Value};
use palisade_rego_value as value;

use super::super::ast::{ExpressionKind, Scope, Term, TermKind};
use super::super::parse_query;
use super::{Block, Node};

/// What a block says.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub scope: Option<String>,
    pub scope_span: Option<Span>,
    pub entrypoint: bool,
    rest: Map,
}

type Checked<T> = Result<T, Diagnostic>;

impl Fields {
    pub(super) fn read(block: &Block<'_>, node: Node<'_>) -> Result<Self, Vec<Diagnostic>> {
        let Value::Object(members) = node.value else {
            let message = "yaml: the block is not a mapping";
            return Err(vec![block.wrong(node.tree.span, message, "write `field: value` on each line")]);
        };
        let (mut fields, mut wrong) = (Self::default(), Vec::new());
        for ((name, value), entry) in members.iter().zip(&node.tree.children) {
            let node = Node { value, tree: &entry.tree };
            if matches!(value, Value::Null) {
                continue;
            }
            if let Err(diagnostic) = fields.field(block, name, node) {
                wrong.push(diagnostic);
            }
        }
        if wrong.is_empty() { Ok(fields) } else { Err(wrong) }
    }

    fn field(&mut self, block: &Block<'_>, name: &str, node: Node<'_>) -> Checked<()> {
        let value = match name {
            "scope" => {
                self.scope = Some(text(block, node)?);
                self.scope_span = Some(node.tree.span);
                return Ok(());
            }
            "title" | "description" => Value::string(text(block, node)?),
            "entrypoint" => {
                let Value::Bool(entrypoint) = node.value else { return Err(shape(block, node, "`true` or `false`")) };
                self.entrypoint = *entrypoint;
                return Ok(());
            }
            "organizations" => list(block, node, |item| text(block, item).map(Value::string))?,
            "authors" => list(block, node, |item| author(block, item))?,
            "related_resources" => list(block, node, |item| resource(block, item))?,
            "schemas" => list(block, node, |item| schema(block, item))?,
            "custom" | "compile" if !matches!(node.value, Value::Object(_)) => {
                return Err(shape(block, node, "a mapping"));
            }
            "custom" => node.value.clone(),
            "compile" => compile(block, node)?,
            _ => return Ok(()),
        };
        let empty = match &value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !empty {
            self.rest.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// The whole block as data, with its scope.
    pub(super) fn into_value(mut self, scope: Scope) -> Value {
        let scope = match scope {
            Scope::Rule => "rule",
            Scope::Document => "document",
            Scope::Package => "package",
            Scope::Subpackages => "subpackages",
        };
        self.rest.insert("scope".to_owned(), scope);
        if self.entrypoint {
            self.rest.insert("entrypoint".to_owned(), true);
        }
        Value::object(self.rest)
    }
}

fn shape(block: &Block<'_>, node: Node<'_>, wanted: &str) -> Diagnostic {
    block.wrong(node.tree.span, &format!("yaml: expected {wanted}"), "see `palisade explain PAL-R0012`")
}

/// A scalar as it is written.
fn text(block: &Block<'_>, node: Node<'_>) -> Checked<String> {
    match node.value {
        Value::String(text) => Ok((**text).to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(shape(block, node, "a text")),
        _ => Ok(block.source.slice(node.tree.span).to_owned()),
    }
}

fn list(block: &Block<'_>, node: Node<'_>, item: impl Fn(Node<'_>) -> Checked<Value>) -> Checked<Value> {
    let Value::Array(items) = node.value else { return Err(shape(block, node, "a list")) };
    let nodes = items.iter().zip(&node.tree.children).map(|(value, entry)| Node { value, tree: &entry.tree });
    nodes.map(item).collect::<Checked<Vec<Value>>>().map(Value::array)
}

fn member<'a>(members: &'a Map, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

fn object<const N: usize>(members: [(&str, Option<&str>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Value::object(present.map(|(name, value)| (palisade_model::Str::from(name), Value::string(value))).collect::<Map>())
}

/// `Jane Doe <jane@example.com>`, or a mapping with name and email.
fn author(block: &Block<'_>, node: Node<'_>) -> Checked<Value> {
    let help = "write `Jane Doe <jane@example.com>`, or `name` and `email`";
    match node.value {
        Value::String(author) if author.trim().is_empty() => {
            Err(block.wrong(node.tree.span, "invalid author definition: author is an empty string", help))
        }
        Value::String(author) => {
            let author = author.trim();
            let (name, last) = author.rsplit_once(char::is_whitespace).unwrap_or(("", author));
            match last.strip_prefix('<').and_then(|last| last.strip_suffix('>')) {
                Some(email) => {
                    Ok(object([("name", Some(name.trim())), ("email", Some(email).filter(|email| !email.is_empty()))]))
                }
                None => Ok(object([("name", Some(author))])),
            }
        }
        Value::Object(members) => match (member(members, "name"), member(members, "email")) {
            (None, None) => {
                let message = "invalid author definition: `name` and/or `email` values required in object";
                Err(block.wrong(node.tree.span, message, help))
            }
            (name, email) => Ok(object([("name", Some(name.unwrap_or(""))), ("email", email)])),
        },
        _ => {
            let message = "invalid author definition: invalid value type, must be string or map";
            Err(block.wrong(node.tree.span, message, help))
        }
    }
}

/// An address, or a mapping with `ref` and `description`.
fn resource(block: &Block<'_>, node: Node<'_>) -> Checked<Value> {
    let help = "write an address, or `ref` with an address and `description`";
    let (address, description) = match node.value {
        Value::String(address) => (Some(address.trim()), None),
        Value::Object(members) => (member(members, "ref"), member(members, "description")),
        _ => {
            let message = "invalid related-resource definition: invalid value type, must be string or map";
            return Err(block.wrong(node.tree.span, message, help));
        }
    };
    let wrong = match address {
        None => "invalid related-resource definition: `ref` value required in object",
        Some("") => "invalid related-resource definition: ref URL may not be empty string",
        Some(address) if address.starts_with(':') => {
            "invalid related-resource definition: the address has no scheme before its colon"
        }
        Some(address) if address.contains(|c: char| c.is_ascii_control()) => {
            "invalid related-resource definition: the address holds a control character"
        }
        Some(_) => return Ok(object([("description", description), ("ref", address)])),
    };
    Err(block.wrong(node.tree.span, wrong, help))
}

/// `input.x: schema.y`, or `input.x: {type: string}`.
fn schema(block: &Block<'_>, node: Node<'_>) -> Checked<Value> {
    let help = "write a path below `input` or `data`, and `schema.name` or a JSON schema";
    let (Value::Object(members), Some(entry)) = (node.value, node.tree.children.first()) else {
        return Err(shape(block, node, "a path with its schema"));
    };
    let Some((path, value)) = members.iter().next() else { return Err(shape(block, node, "a path with its schema")) };
    let at = Node { value, tree: &entry.tree };
    let path = reference(path, &["input", "data"])
        .ok_or_else(|| block.wrong(entry.key, "invalid document reference", help))?;
    let mut schema = Map::new();
    schema.insert("path".to_owned(), path);
    match value {
        Value::String(name) => {
            let name = reference(name, &["schema"])
                .ok_or_else(|| block.wrong(at.tree.span, "invalid schema reference", help))?;
            schema.insert("schema".to_owned(), name);
        }
        Value::Object(_) => {
            schema.insert("definition".to_owned(), value.clone());
        }
        _ => return Err(block.wrong(at.tree.span, "invalid schema declaration", help)),
    }
    Ok(Value::object(schema))
}

/// What partial evaluation is told: `unknowns` and `mask_rule`.
fn compile(block: &Block<'_>, node: Node<'_>) -> Checked<Value> {
    let Value::Object(members) = node.value else { return Err(shape(block, node, "a mapping")) };
    let mut compile = Map::new();
    let named = |name: &str, tree: &SpanTree, roots: &[&str]| {
        reference(name, roots).ok_or_else(|| block.wrong(tree.span, "expected ref", "write a path such as `input.x`"))
    };
    for ((name, value), entry) in members.iter().zip(&node.tree.children) {
        match (&**name, value) {
            ("unknowns", Value::Array(_)) => {
                let unknowns = list(block, Node { value, tree: &entry.tree }, |item| {
                    named(item.value.as_str().unwrap_or_default(), item.tree, &["input", "data"])
                })?;
                compile.insert("unknowns".to_owned(), unknowns);
            }
            ("mask_rule", Value::String(name)) => {
                compile.insert("mask_rule".to_owned(), named(name, &entry.tree, &[])?);
            }
            _ => {}
        }
    }
    Ok(Value::object(compile))
}

/// A reference as the list of its parts; it must begin with one of the roots, if there are any.
fn reference(text: &str, roots: &[&str]) -> Option<Value> {
    let body = parse_query(&Source::new("", text)).ok()?;
    let [expression] = body.as_slice() else { return None };
    let ExpressionKind::Term(term) = &expression.kind else { return None };
    let (head, parts): (&Term, &[Term]) = match &term.kind {
        TermKind::Reference(head, parts) => (head, parts),
        _ => (term, &[]),
    };
    let TermKind::Variable(head) = &head.kind else { return None };
    let known = roots.is_empty() || roots.contains(&&**head);
    let parts = parts.iter().map(|part| match &part.kind {
        TermKind::Scalar(value::Value::String(name)) | TermKind::Variable(name) => Some(Value::string(name.clone())),
        _ => None,
    });
    let path: Option<Vec<Value>> = std::iter::once(Some(Value::string(head.clone()))).chain(parts).collect();
    path.filter(|_| known).map(Value::array)
}
