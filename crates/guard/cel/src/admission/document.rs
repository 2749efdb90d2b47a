//! Reading policy documents by hand: every problem becomes a diagnostic at its place.
//!
//! Deliberately absent: derived deserialisation, which stops at the first problem and forgets where it was.

use palisade_model::{Diagnostic, Level, Location, Path, Resource, Segment, Str, Value};

use super::codes;

/// What reads one policy document, and what it found wrong.
#[derive(Debug)]
pub struct Reader<'a> {
    document: &'a Resource,
    diagnostics: Vec<Diagnostic>,
}

/// A part of a document and the route to it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// The part.
    pub value: &'a Value,
    /// Where it is.
    pub path: Path,
}

impl<'a> Reader<'a> {
    /// A reader of `document`.
    pub const fn new(document: &'a Resource) -> Self {
        Self { document, diagnostics: Vec::new() }
    }

    /// The document that is read.
    pub const fn document(&self) -> &'a Resource {
        self.document
    }

    /// The document's root.
    pub fn root(&self) -> Node<'a> {
        Node { value: &self.document.object, path: Path::root() }
    }

    /// Where the node at `path` is written.
    pub fn locate(&self, path: &Path) -> Option<Location> {
        self.document.locate(path)
    }

    /// Whether anything was found that keeps the policy from being loaded.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }

    /// Everything that was found, in order.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Reports a problem.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error at `path`, which keeps the policy from being loaded.
    pub fn error(&mut self, code: &'static str, path: &Path, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::error(code, message).help(help);
        self.report(match self.locate(path) {
            Some(location) => diagnostic.at(location, ""),
            None if path.is_root() => diagnostic,
            None => Diagnostic { message: format!("{} (at `{path}`)", diagnostic.message), ..diagnostic },
        });
    }

    fn wrong_type(&mut self, node: &Node<'_>, wanted: &str) {
        let message = format!("`{}` must be {wanted}, not {}", node.path, in_words(node.value.type_name()));
        self.error(codes::WRONG_TYPE, &node.path, message, "write it as the API reference of the policy kind shows");
    }

    /// Reports that `parent` lacks `key`.
    pub fn missing(&mut self, parent: &Node<'_>, key: &str) {
        let message = format!("`{}` is missing", parent.path.child(key));
        self.error(codes::MISSING_FIELD, &parent.path, message, "add the field");
    }

    /// Text; `None` where it is absent.
    pub fn text(&mut self, parent: &Node<'_>, key: &str) -> Option<Str> {
        let node = parent.get(key)?;
        let text = node.value.as_shared_str().cloned();
        if text.is_none() {
            self.wrong_type(&node, "text");
        }
        text
    }

    /// Text that must be there.
    pub fn required_text(&mut self, parent: &Node<'_>, key: &str) -> Option<Str> {
        if parent.get(key).is_none() {
            self.missing(parent, key);
        }
        self.text(parent, key)
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

    /// An object; `None` where it is absent.
    pub fn object<'n>(&mut self, parent: &Node<'n>, key: &str) -> Option<Node<'n>> {
        let node = parent.get(key)?;
        if node.value.as_object().is_some() {
            return Some(node);
        }
        self.wrong_type(&node, "an object");
        None
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
            match node.value.as_shared_str() {
                Some(text) => texts.push(text.clone()),
                None => self.wrong_type(&node, "text"),
            }
        }
        texts
    }

    /// One of a fixed set of words; the first where it is absent.
    pub fn word<T: Copy>(&mut self, parent: &Node<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let Some(text) = self.text(parent, key) else { return words.first().map(|(_, value)| *value) };
        let found = words.iter().find(|(word, _)| *word == &*text).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let help = format!("use one of {}", allowed.join(", "));
            self.error(codes::UNKNOWN_NAME, &parent.path.child(key), format!("`{text}` is not a `{key}`"), &help);
        }
        found
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

fn in_words(type_name: &str) -> String {
    match type_name {
        "null" => "null".into(),
        "array" => "a list".into(),
        "object" => "an object".into(),
        "string" => "text".into(),
        other => format!("a {other}"),
    }
}
