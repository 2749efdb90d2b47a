//! Reading the fields of a test's documents, with diagnostics that point at what is wrong.

use palisade_model::{Diagnostic, Map, Path, Resource, Segment, Value};

use super::codes;

/// An object of a document while it is read.
pub(super) struct Fields<'a, 'd> {
    document: &'a Resource,
    path: Path,
    map: Option<&'a Map>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a, 'd> Fields<'a, 'd> {
    /// The object at `path` of `document`; only `known` members may be there.
    pub(super) fn new(
        document: &'a Resource,
        path: Path,
        known: &[&str],
        diagnostics: &'d mut Vec<Diagnostic>,
    ) -> Self {
        let value = path.resolve(&document.object);
        let mut fields = Self { document, path, map: value.and_then(Value::as_object), diagnostics };
        if let (None, Some(value)) = (fields.map, value.filter(|value| !value.is_null())) {
            fields.refuse(&fields.path.clone(), &format!("must be an object, not {}", value.type_name()));
        }
        for key in fields.map.into_iter().flat_map(Map::keys) {
            if !known.contains(&&**key) {
                fields.refuse(&fields.path.child(&**key), &format!("is unknown: one of {}", known.join(", ")));
            }
        }
        fields
    }

    fn refuse(&mut self, path: &Path, what: &str) {
        let subject = if path.is_root() { "the document".to_owned() } else { format!("`{path}`") };
        let mut diagnostic = Diagnostic::error(codes::INVALID_TEST, format!("{subject} {what}"));
        if let Some(location) = self.document.locate(path) {
            diagnostic = diagnostic.at(location, "");
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reports what is wrong with the member `key`.
    pub(super) fn wrong(&mut self, key: &str, what: &str) {
        self.refuse(&self.path.child(key), what);
    }

    /// Asks for `apiVersion` and `kind`. Like upstream it does not mind what they say.
    pub(super) fn identify(&mut self, kind: &str) {
        for (key, value) in [("apiVersion", "cli.kyverno.io/v1alpha1"), ("kind", kind)] {
            if self.text(key).is_none_or(|text| text.is_empty()) {
                self.wrong(key, &format!("is missing; write `{key}: {value}`"));
            }
        }
    }

    /// The member `key`; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// The text of the member `key`.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.as_str().map(ToOwned::to_owned);
        if text.is_none() {
            self.wrong(key, &format!("must be a string, not {}", value.type_name()));
        }
        text
    }

    /// The boolean of the member `key`; absent is false.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.get(key) else { return false };
        if value.as_bool().is_none() {
            self.wrong(key, &format!("must be true or false, not {}", value.type_name()));
        }
        value.as_bool().unwrap_or_default()
    }

    /// The elements of the member `key` with their paths.
    pub(super) fn list(&mut self, key: &str) -> Vec<(Path, &'a Value)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.wrong(key, &format!("must be a list, not {}", value.type_name()));
            return Vec::new();
        };
        let path = self.path.child(key);
        items.iter().enumerate().map(|(index, item)| (path.child(Segment::Index(index)), item)).collect()
    }

    /// The texts of the member `key`.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for (path, item) in self.list(key) {
            match item.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.refuse(&path, &format!("must be a string, not {}", item.type_name())),
            }
        }
        texts
    }

    /// The texts of the member `key`, each once.
    pub(super) fn distinct_texts(&mut self, key: &str) -> Vec<String> {
        let mut distinct = Vec::new();
        for text in self.texts(key) {
            if !distinct.contains(&text) {
                distinct.push(text);
            }
        }
        distinct
    }

    /// The members of the object under `key`; anything else is reported.
    pub(super) fn object(&mut self, key: &str) -> Map {
        let Some(value) = self.get(key) else { return Map::new() };
        if value.as_object().is_none() {
            self.wrong(key, &format!("must be an object, not {}", value.type_name()));
        }
        value.as_object().cloned().unwrap_or_default()
    }

    /// The object at `path`, which is below this one.
    pub(super) fn below(&mut self, path: Path, known: &[&str]) -> Fields<'a, '_> {
        Fields::new(self.document, path, known, self.diagnostics)
    }
}
