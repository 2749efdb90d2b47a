//! The documents of a source (signatures first; the bodies follow).

use std::sync::Arc;

use palisade_model::{Diagnostic, Origin, Resource, Source, SpanTree, Value};

/// How much of a hostile file is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes per file.
    pub max_bytes: usize,
    /// Nesting of collections.
    pub max_depth: usize,
    /// Nodes per file, aliases expanded.
    pub max_nodes: usize,
    /// Nodes that aliases may add per document.
    pub max_alias_expansion: usize,
    /// Documents per file.
    pub max_documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_depth: 128,
            max_nodes: 20_000_000,
            max_alias_expansion: 100_000,
            max_documents: 100_000,
        }
    }
}

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Where each node says it.
    pub spans: Arc<SpanTree>,
    /// The file.
    pub source: Arc<Source>,
    /// Which of the file's documents this is, counted from 0, empty documents included.
    pub index: usize,
}

impl Document {
    /// The document as something to be judged.
    pub fn into_resource(self) -> Resource {
        Resource { object: self.value, origin: Origin::File { source: self.source, spans: self.spans } }
    }

    /// The document as something to be judged, at the cost of three reference counts.
    pub fn resource(&self) -> Resource {
        self.clone().into_resource()
    }
}

/// What a file holds, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The documents that could be read, in order.
    pub documents: Vec<Document>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file's documents; empty documents are dropped.
pub fn parse(name: &str, bytes: &[u8], limits: &Limits) -> Parsed {
    match decode(name, bytes) {
        Ok(source) => parse_yaml(source, limits),
        Err(diagnostic) => Parsed { documents: Vec::new(), diagnostics: vec![diagnostic] },
    }
}

/// Reads YAML.
pub fn parse_yaml(source: Arc<Source>, _limits: &Limits) -> Parsed {
    let _ = source;
    Parsed::default()
}

/// Reads JSON.
pub fn parse_json(source: Arc<Source>, _limits: &Limits) -> Parsed {
    let _ = source;
    Parsed::default()
}

/// Turns bytes into text.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Arc<Source>, Diagnostic> {
    Ok(Source::new(name, String::from_utf8_lossy(bytes).into_owned()))
}

/// Replaces each `List` document by its items.
pub fn expand_lists(document: Document) -> Vec<Document> {
    vec![document]
}
