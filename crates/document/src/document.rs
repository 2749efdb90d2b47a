//! The documents of a file, how they become resources, and how much of a file is read.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Origin, Resource, Source, Span, SpanTree, Value};

use crate::codes;
use crate::fail::Fail;

/// How much of a hostile file is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes per file.
    pub max_bytes: usize,
    /// Nesting of collections.
    pub max_depth: usize,
    /// Nodes per file, aliases expanded.
    pub max_nodes: usize,
    /// Nodes that anchors and aliases may stand for per document.
    pub max_alias_expansion: usize,
    /// Documents per file.
    pub max_documents: usize,
    /// Whether `yes`, `on`, `n` and their like are booleans, as Kubernetes has them; newer libraries take them for text.
    pub word_booleans: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_depth: 128,
            max_nodes: 10_000_000,
            max_alias_expansion: 1_000_000,
            max_documents: 100_000,
            word_booleans: true,
        }
    }
}

impl Limits {
    /// Whether a source is small enough to be read.
    pub(crate) fn admit(&self, source: &Arc<Source>) -> Result<(), Fail> {
        if source.text().len() <= self.max_bytes.min(u32::MAX as usize) {
            return Ok(());
        }
        // How large it is cannot be told: whoever reads the file stops behind the limit.
        let message = format!("`{}` is larger than the limit of {} bytes", source.name(), self.max_bytes);
        let location = Location { source: source.clone(), span: Span::default() };
        let help = "split the file, or leave it out with `.palisadeignore`";
        Err(Fail::new(Diagnostic::error(codes::TOO_LARGE, message).at(location, "not read").help(help)))
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

    /// The object at `keys` within the document, with its places; none where there is none.
    pub fn part(&self, keys: &[&str]) -> Option<Self> {
        let (mut value, mut spans) = (&self.value, &*self.spans);
        for key in keys {
            let map = value.as_object()?;
            spans = &spans.children.get(map.position(key)?)?.tree;
            value = map.get(key)?;
        }
        value.as_object()?;
        Some(Self { value: value.clone(), spans: Arc::new(spans.clone()), ..self.clone() })
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

/// Replaces a Kubernetes list (`kind: List`, or `PodList` and the like with `items`) by its items, each with its own
/// spans. Lists inside lists are expanded too; anything else is returned as it is.
pub fn expand_lists(document: Document) -> Vec<Document> {
    let mut expanded = Vec::new();
    expand_into(document, &mut expanded);
    expanded
}

fn expand_into(document: Document, expanded: &mut Vec<Document>) {
    let Some((items, spans)) = list_items(&document) else {
        expanded.push(document);
        return;
    };
    for (value, child) in items.iter().zip(&spans.children) {
        let spans = Arc::new(child.tree.clone());
        let item = Document { value: value.clone(), spans, source: document.source.clone(), index: document.index };
        expand_into(item, expanded);
    }
}

fn list_items(document: &Document) -> Option<(&[Value], &SpanTree)> {
    let map = document.value.as_object()?;
    let kind = map.get("kind")?.as_str()?;
    map.get("apiVersion")?.as_str()?;
    let at = map.position("items")?;
    let items = map.get("items")?.as_array()?;
    let spans = &document.spans.children.get(at)?.tree;
    (kind.ends_with("List") && items.iter().all(|item| item.as_object().is_some())).then_some((items, spans))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn the_items_of_a_list_keep_their_places() {
        let text = b"apiVersion: v1\nkind: List\nitems:\n- kind: A\n- apiVersion: v1\n  kind: PodList\n  items:\n  - kind: B\n";
        let parsed = parse("list.yaml", text, &Limits::default());
        let items: Vec<_> = parsed.documents.into_iter().flat_map(expand_lists).collect();
        let texts: Vec<_> = items.iter().map(|item| item.source.slice(item.spans.span)).collect();
        assert_eq!(texts, ["kind: A", "kind: B"]);
        assert_eq!(items[1].resource().locate(&palisade_model::Path::root()).unwrap().to_string(), "list.yaml:8:5");
    }

    #[test]
    fn what_is_no_list_stays_whole() {
        let parsed = parse("a.yaml", b"apiVersion: v1\nkind: AllowList\nitems: [a]\n", &Limits::default());
        assert_eq!(parsed.documents.into_iter().flat_map(expand_lists).count(), 1);
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let limits = Limits { max_bytes: 3, ..Limits::default() };
        let parsed = parse("a.yaml", b"a: 1", &limits);
        assert_eq!(parsed.diagnostics[0].code, "PAL-D0003");
        assert!(parsed.documents.is_empty());
    }
}
