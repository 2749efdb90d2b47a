//! `.manifest`: revision, roots, and the version of the language of each file.

use std::sync::Arc;

use palisade_document::{Limits, parse_json};
use palisade_model::{Diagnostic, Location, Map, Source, Span, SpanTree, Value};

use super::codes;
use crate::syntax::ast::Version;

/// What a bundle says of itself.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What tells this state of the bundle from others; empty if it is not told.
    pub revision: String,
    /// Paths below `data` that belong to the bundle, without slashes around; one empty path is all of `data`.
    pub roots: Vec<String>,
    /// The version of all files for which nothing else is said.
    pub rego_version: Option<Version>,
    /// Versions of files by patterns of their paths.
    pub file_rego_versions: Vec<(String, Version)>,
    /// The whole manifest as data.
    pub value: Value,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            revision: String::new(),
            roots: vec![String::new()],
            rego_version: None,
            file_rego_versions: Vec::new(),
            value: Value::object(Map::new()),
        }
    }
}

impl Manifest {
    /// Reads a manifest; what is wrong with it is added to the diagnostics.
    pub(super) fn read(source: &Arc<Source>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let parsed = parse_json(Arc::clone(source), &Limits::default());
        diagnostics.extend(parsed.diagnostics);
        let Some(document) = parsed.documents.into_iter().next() else { return Self::default() };
        let mut reader = Reader { source, manifest: Self::default(), diagnostics };
        match &document.value {
            Value::Object(members) => {
                for ((name, value), entry) in members.iter().zip(&document.spans.children) {
                    reader.field(name, value, &entry.tree);
                }
            }
            _ => reader.wrong(document.spans.span, "the manifest is not an object"),
        }
        let mut manifest = reader.manifest;
        manifest.value = document.value;
        manifest
    }

    /// The version of a file, by its path without a leading slash.
    pub(super) fn version(&self, path: &str) -> Option<Version> {
        let of_pattern = self.file_rego_versions.iter().find(|(pattern, _)| matches(pattern, path));
        of_pattern.map(|(_, version)| *version).or(self.rego_version)
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    manifest: Manifest,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Span, message: impl Into<String>) {
        let location = Location { source: Arc::clone(self.source), span };
        let diagnostic = Diagnostic::error(codes::MANIFEST, message).at(location, "");
        self.diagnostics.push(diagnostic.help("see `palisade explain PAL-R0203`"));
    }

    fn field(&mut self, name: &str, value: &Value, tree: &SpanTree) {
        match (name, value) {
            ("revision", Value::String(revision)) => (**revision).clone_into(&mut self.manifest.revision),
            ("roots", Value::Array(roots)) => self.roots(roots, tree),
            ("roots" | "file_rego_versions" | "metadata", Value::Null) | ("metadata", Value::Object(_)) => {}
            ("rego_version", version) => match version_of(version) {
                Some(version) => self.manifest.rego_version = Some(version),
                None => self.wrong(tree.span, "`rego_version` is neither 0 nor 1"),
            },
            ("file_rego_versions", Value::Object(files)) => {
                for ((pattern, version), entry) in files.iter().zip(&tree.children) {
                    match version_of(version) {
                        Some(version) => self.manifest.file_rego_versions.push(((**pattern).to_owned(), version)),
                        None => self.wrong(entry.tree.span, format!("the version of `{pattern}` is neither 0 nor 1")),
                    }
                }
            }
            ("revision", _) => self.wrong(tree.span, "`revision` is not a text"),
            ("roots", _) => self.wrong(tree.span, "`roots` is not a list of paths"),
            ("file_rego_versions" | "metadata", _) => self.wrong(tree.span, format!("`{name}` is not an object")),
            _ => {}
        }
    }

    fn roots(&mut self, roots: &[Value], tree: &SpanTree) {
        let mut read: Vec<String> = Vec::new();
        for (root, entry) in roots.iter().zip(&tree.children) {
            let Some(root) = root.as_str() else {
                self.wrong(entry.tree.span, "a root is not a text");
                continue;
            };
            let root = root.trim_matches('/');
            if let Some(other) = read.iter().find(|other| within(root, other) || within(other, root)) {
                let message = format!("the roots `{other}` and `{root}` overlap");
                self.wrong(entry.tree.span, message);
            }
            read.push(root.to_owned());
        }
        self.manifest.roots = read;
    }
}

fn version_of(value: &Value) -> Option<Version> {
    match value.as_i64()? {
        0 => Some(Version::V0),
        1 => Some(Version::V1),
        _ => None,
    }
}

/// Whether a path is a root or lies within it.
pub(super) fn within(path: &str, root: &str) -> bool {
    root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a pattern means a path: `*` and `?` stay within a name, `**` goes across.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.trim_start_matches('/').as_bytes(), path.as_bytes());
    // The place after the last star, the place in the path where it is tried next, and whether it goes across names.
    let (mut at, mut here, mut resume) = (0, 0, None::<(usize, usize, bool)>);
    while here < path.len() {
        let found = path.get(here).copied().unwrap_or_default();
        match pattern.get(at) {
            Some(b'*') => {
                let across = pattern.get(at + 1) == Some(&b'*');
                at += 1 + usize::from(across);
                resume = Some((at, here, across));
            }
            Some(expected) if *expected == found || (*expected == b'?' && found != b'/') => {
                at += 1;
                here += 1;
            }
            _ => match resume {
                Some((after, from, across)) if across || path.get(from) != Some(&b'/') => {
                    resume = Some((after, from + 1, across));
                    (at, here) = (after, from + 1);
                }
                _ => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_files() {
        assert!(matches("/foo/*.rego", "foo/a.rego"));
        assert!(!matches("/foo/*.rego", "foo/bar/a.rego"));
        assert!(matches("/foo/**.rego", "foo/bar/a.rego"));
        assert!(matches("/policy?.rego", "policy1.rego"));
        assert!(!matches("/policy1.rego", "policy2.rego"));
    }

    #[test]
    fn a_manifest_is_checked() {
        let text =
            r#"{"revision": 1, "roots": ["a/b", "/a/", "c"], "rego_version": 7, "file_rego_versions": {"/x": 0}}"#;
        let mut diagnostics = Vec::new();
        let manifest = Manifest::read(&Source::new(".manifest", text), &mut diagnostics);
        let messages: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(
            messages,
            ["`revision` is not a text", "the roots `a/b` and `a` overlap", "`rego_version` is neither 0 nor 1"]
        );
        assert_eq!(manifest.version("x"), Some(Version::V0));
        assert_eq!(manifest.version("y"), None);
    }
}
