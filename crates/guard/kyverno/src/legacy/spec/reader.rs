//! Reading a policy document by hand: every problem becomes a diagnostic at its place.
//!
//! Deliberately absent: serde, which would stop at the first problem and forget where it was.

use palisade_model::{Diagnostic, Level, Path, Resource, Segment, Str, Value};
use palisade_policy::Operation;

use crate::legacy::codes;

/// What reads a policy, and what it found wrong.
#[derive(Debug)]
pub struct Reader<'a> {
    document: &'a Resource,
    /// Problems in the order of discovery.
    pub diagnostics: Vec<Diagnostic>,
}

/// A part of a policy document and the route to it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The part.
    pub value: &'a Value,
    /// Where it is.
    pub path: Path,
}

impl<'a> Reader<'a> {
    /// A reader of `document`.
    pub fn new(document: &'a Resource) -> Self {
        Self { document, diagnostics: Vec::new() }
    }

    /// The document's root.
    pub fn root(&self) -> Node<'a> {
        Node { value: &self.document.object, path: Path::root() }
    }

    /// Whether anything was found that keeps the policy from being loaded.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }

    /// Reports a problem at `path`.
    pub fn report(&mut self, diagnostic: Diagnostic, path: &Path) {
        let diagnostic = match self.document.locate(path) {
            Some(location) => diagnostic.at(location, ""),
            None if path.is_root() => diagnostic,
            None => Diagnostic { message: format!("{} (at `{path}`)", diagnostic.message), ..diagnostic },
        };
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error that keeps the policy from being loaded.
    pub fn error(&mut self, code: &'static str, path: &Path, message: impl Into<String>, help: &str) {
        self.report(Diagnostic::error(code, message).help(help), path);
    }

    fn wrong_type(&mut self, node: &Node<'_>, wanted: &str) {
        let message = format!("`{}` must be {wanted}, it is {}", node.path, article(node.value.type_name()));
        self.error(codes::WRONG_TYPE, &node.path, message, "see the reference of Kyverno's policy kinds");
    }

    /// Reports members of an object that are not among `known`. Kyverno ignores them, and so do we, but what they
    /// were meant to do does not happen.
    pub fn known_fields(&mut self, node: &Node<'_>, known: &[&str]) {
        let Some(map) = node.value.as_object() else {
            return self.wrong_type(node, "an object");
        };
        for key in map.keys().filter(|key| !known.contains(&&***key)) {
            let near = known.iter().find(|name| name.eq_ignore_ascii_case(key));
            let help = match near {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here are {}", known.join(", ")),
            };
            let diagnostic =
                Diagnostic::warning(codes::UNKNOWN_FIELD, format!("unknown field `{key}` has no effect")).help(help);
            self.report(diagnostic, &node.path.child(&**key));
        }
    }

    /// A text; `None` where it is absent.
    pub fn text(&mut self, parent: &Node<'_>, key: &str) -> Option<Str> {
        let node = parent.get(key)?;
        let text = node.value.as_shared_str().cloned();
        if text.is_none() {
            self.wrong_type(&node, "a text");
        }
        text
    }

    /// A boolean; `None` where it is absent.
    pub fn flag(&mut self, parent: &Node<'_>, key: &str) -> Option<bool> {
        let node = parent.get(key)?;
        let flag = node.value.as_bool();
        if flag.is_none() {
            self.wrong_type(&node, "true or false");
        }
        flag
    }

    /// The elements of a list; none where it is absent.
    pub fn list<'n>(&mut self, parent: &Node<'n>, key: &str) -> Vec<Node<'n>> {
        let Some(node) = parent.get(key) else { return Vec::new() };
        if node.value.as_array().is_none() {
            self.wrong_type(&node, "a list");
        }
        node.elements()
    }

    /// The texts of a list of texts; none where it is absent.
    pub fn texts(&mut self, parent: &Node<'_>, key: &str) -> Vec<Str> {
        let mut texts = Vec::new();
        for node in self.list(parent, key) {
            match node.value {
                Value::String(text) => texts.push(text.clone()),
                _ => self.wrong_type(&node, "a text"),
            }
        }
        texts
    }

    /// The members of an object of texts.
    pub fn text_map(&mut self, parent: &Node<'_>, key: &str) -> Vec<(Str, Str)> {
        let Some(node) = parent.get(key) else { return Vec::new() };
        let Some(map) = node.value.as_object() else {
            self.wrong_type(&node, "an object");
            return Vec::new();
        };
        let mut members = Vec::new();
        for (key, value) in map.iter() {
            match value {
                Value::String(text) => members.push((key.clone(), text.clone())),
                _ => self.wrong_type(&Node { value, path: node.path.child(&**key) }, "a text"),
            }
        }
        members
    }

    /// Admission operations.
    pub fn operations(&mut self, parent: &Node<'_>, key: &str) -> Vec<Operation> {
        let mut operations = Vec::new();
        for node in self.list(parent, key) {
            match node.value.as_str().map(str::parse) {
                Some(Ok(operation)) => operations.push(operation),
                Some(Err(message)) => self.error(codes::UNKNOWN_NAME, &node.path, message, "correct the name"),
                None => self.wrong_type(&node, "a text"),
            }
        }
        operations
    }
}

impl Node<'_> {
    /// The member `key`; `None` where it is absent or `null`, which Kubernetes treats alike.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.path.child(key) })
    }

    /// The elements, where this is a list.
    pub fn elements(&self) -> Vec<Self> {
        let items = self.value.as_array().unwrap_or_default();
        let node = |(at, value)| Self { value, path: self.path.child(Segment::Index(at)) };
        items.iter().enumerate().map(node).collect()
    }
}

fn article(type_name: &str) -> String {
    match type_name {
        "null" => "null".into(),
        "array" => "a list".into(),
        "object" => "an object".into(),
        "string" => "a text".into(),
        other => format!("a {other}"),
    }
}
