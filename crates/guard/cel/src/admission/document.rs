//! Reading policy documents by hand: every problem becomes a diagnostic at its place.
//!
//! Deliberately absent: derived deserialisation, which stops at the first problem and forgets where it was.

use palisade_model::{Diagnostic, Level, Location, Map, Path, Resource, Segment, Str, Value};
use palisade_policy::{Operation, Reads};

use super::codes;
use super::sharing::Pool;

/// The diagnostic codes of a family of policy kinds, by what is wrong.
#[derive(Clone, Copy, Debug)]
pub struct ReaderCodes {
    /// A field of the wrong type.
    pub wrong_type: &'static str,
    /// A field that is missing.
    pub missing_field: &'static str,
    /// A field that the kind does not have.
    pub unknown_field: &'static str,
    /// A word outside of a fixed set.
    pub unknown_name: &'static str,
}

/// The codes of CEL policies. They have no code of their own for unknown fields, which are words out of place.
const CEL: ReaderCodes = ReaderCodes {
    wrong_type: codes::WRONG_TYPE,
    missing_field: codes::MISSING_FIELD,
    unknown_field: codes::UNKNOWN_NAME,
    unknown_name: codes::UNKNOWN_NAME,
};

/// What reads one policy document, and what it found wrong.
#[derive(Debug)]
pub struct Reader<'a> {
    document: &'a Resource,
    codes: ReaderCodes,
    diagnostics: Vec<Diagnostic>,
    reads: Reads,
    pool: Option<&'a Pool>,
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
    /// A reader of a CEL policy.
    pub const fn new(document: &'a Resource) -> Self {
        Self::with_codes(document, CEL)
    }

    /// A reader of a policy of another family.
    pub const fn with_codes(document: &'a Resource, codes: ReaderCodes) -> Self {
        Self { document, codes, diagnostics: Vec::new(), reads: Reads::nothing(), pool: None }
    }

    /// The same, of one of several policies that are loaded together.
    #[must_use]
    pub const fn beside(mut self, pool: &'a Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// What the policies that are loaded together have in common.
    pub(super) const fn pool(&self) -> Option<&'a Pool> {
        self.pool
    }

    /// The document that is read.
    pub const fn document(&self) -> &'a Resource {
        self.document
    }

    /// The document's root.
    pub fn root(&self) -> Node<'a> {
        Node { value: &self.document.object, path: Path::root() }
    }

    /// What the parts that were read so far depend on, to which more is added.
    pub const fn reads(&mut self) -> &mut Reads {
        &mut self.reads
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

    /// Reports a problem at `path`.
    pub fn report_at(&mut self, path: &Path, diagnostic: Diagnostic) {
        self.report(match self.locate(path) {
            Some(location) => diagnostic.at(location, ""),
            None if path.is_root() => diagnostic,
            None => Diagnostic { message: format!("{} (at `{path}`)", diagnostic.message), ..diagnostic },
        });
    }

    /// Reports an error at `path`, which keeps the policy from being loaded.
    pub fn error(&mut self, code: &'static str, path: &Path, message: impl Into<String>, help: &str) {
        self.report_at(path, Diagnostic::error(code, message).help(help));
    }

    fn wrong_type(&mut self, node: &Node<'_>, wanted: &str) {
        let message = format!("`{}` must be {wanted}, not {}", node.path, in_words(node.value.type_name()));
        self.error(
            self.codes.wrong_type,
            &node.path,
            message,
            "write it as the API reference of the policy kind shows",
        );
    }

    /// Reports that `parent` lacks `key`.
    pub fn missing(&mut self, parent: &Node<'_>, key: &str) {
        let message = format!("`{}` is missing", parent.path.child(key));
        self.error(self.codes.missing_field, &parent.path, message, "add the field");
    }

    /// Warns of members of an object that are not among `known`. A cluster ignores them, and so do we, but what they
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
            let message = format!("unknown field `{key}` has no effect");
            let diagnostic = Diagnostic::warning(self.codes.unknown_field, message).help(help);
            self.report_at(&node.path.child(&**key), diagnostic);
        }
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

    /// The members of an object of texts; none where it is absent.
    pub fn text_map(&mut self, parent: &Node<'_>, key: &str) -> Vec<(Str, Str)> {
        let Some(node) = self.object(parent, key) else { return Vec::new() };
        let mut members = Vec::new();
        for (key, value) in node.value.as_object().into_iter().flat_map(Map::iter) {
            match value.as_shared_str() {
                Some(text) => members.push((key.clone(), text.clone())),
                None => self.wrong_type(&Node { value, path: node.path.child(&**key) }, "text"),
            }
        }
        members
    }

    /// Admission operations; none where they are absent.
    pub fn operations(&mut self, parent: &Node<'_>, key: &str) -> Vec<Operation> {
        let mut operations = Vec::new();
        for node in self.list(parent, key) {
            match node.value.as_str().map(str::parse) {
                Some(Ok(operation)) => operations.push(operation),
                Some(Err(message)) => self.error(self.codes.unknown_name, &node.path, message, "correct the name"),
                None => self.wrong_type(&node, "text"),
            }
        }
        operations
    }

    /// One of a fixed set of words; the first where it is absent.
    pub fn word<T: Copy>(&mut self, parent: &Node<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let Some(text) = self.text(parent, key) else { return words.first().map(|(_, value)| *value) };
        let found = words.iter().find(|(word, _)| *word == &*text).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let help = format!("use one of {}", allowed.join(", "));
            self.error(self.codes.unknown_name, &parent.path.child(key), format!("`{text}` is not a `{key}`"), &help);
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
