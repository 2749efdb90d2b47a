//! The documents of a file, how they become resources, and how much of a file is read.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Origin, Path, Resource, Source, Span, SpanTree, Value};

use crate::codes;
use crate::fail::Fail;
use crate::kind::kubernetes::is_object;

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
/// spans. Lists inside lists are expanded too; anything else is returned as it is. Items of a `PodList` that name no kind
/// are Pods of its version, as an API server writes them.
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
        expand_into(with_kind_of(&document, item), expanded);
    }
}

/// The item of a typed list with its kind and version, which stand at those of the list.
fn with_kind_of(list: &Document, mut item: Document) -> Document {
    let text = |key: &str| list.value.get(key).and_then(Value::as_str);
    let stem = text("kind").and_then(|kind| kind.strip_suffix("List")).filter(|stem| !stem.is_empty());
    let (Some(stem), Some(version)) = (stem, text("apiVersion")) else { return item };
    for (key, value) in [("apiVersion", version), ("kind", stem)] {
        let at = list.value.as_object().and_then(|map| map.position(key));
        let place = at.and_then(|at| list.spans.children.get(at));
        let (Some(map), Some(place)) = (item.value.as_object_mut(), place) else { return item };
        if !map.contains_key(key) {
            map.insert(key, value);
            Arc::make_mut(&mut item.spans).children.push(place.clone());
        }
    }
    item
}

/// What is wrong with a document that a cluster would refuse and a reader passes over: items of a list that name no kind,
/// names that are no text.
pub fn doubts(document: &Document) -> Vec<Diagnostic> {
    let mut doubts = Vec::new();
    match list_items(document) {
        None => {
            doubts.extend(lost(document));
            doubts.extend(doubtful_name(document));
        }
        Some((items, spans)) => {
            let is_typed = document.value.get("kind").and_then(Value::as_str) != Some("List");
            for (value, child) in items.iter().zip(&spans.children) {
                let spans = Arc::new(child.tree.clone());
                let item = Document { value: value.clone(), spans, ..document.clone() };
                if value.get("kind").is_none() && !is_typed {
                    let location = Location { source: document.source.clone(), span: child.tree.span };
                    let message = "an item of a list names no kind: no rule about objects reads it";
                    let help = "give the item `apiVersion` and `kind`";
                    doubts.push(Diagnostic::warning(codes::NO_KIND, message).at(location, "this item").help(help));
                } else {
                    doubts.extend(self::doubts(&with_kind_of(document, item)));
                }
            }
        }
    }
    doubts
}

/// What nobody takes for an object although it was meant for one: `apiVersion` or `kind` is missing or no text beside the
/// parts of an object, or the items of a list are none.
fn lost(document: &Document) -> Option<Diagnostic> {
    let map = document.value.as_object()?;
    let warning = |key: &str, message: String, help: String| {
        let path = if map.get(key).is_some() { Path::from_pointer(&format!("/{key}")) } else { Path::root() };
        let location = document.resource().locate(&path)?;
        Some(Diagnostic::warning(codes::UNTYPED, message).at(location, "").help(help))
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let has = |key: &str| map.get(key).is_some_and(|value| value.as_object().is_some());
    let (version, kind) = (text("apiVersion"), text("kind"));
    if let (Some(version), Some("List")) = (version, kind) {
        let items = map.get("items").filter(|items| version == "v1" && !items.is_null())?;
        let message =
            format!("`items` of this list is of type {}, not a list: nothing of it is judged", items.type_name());
        return warning("items", message, "write one `- ` for each item".to_owned());
    }
    let parts = [version.is_some(), kind.is_some(), has("metadata"), has("spec")];
    let meant = (has("metadata") || (has("spec") && kind.is_some())) && parts.iter().filter(|it| **it).count() > 1;
    let key = if version.is_none() { "apiVersion" } else { "kind" };
    if !meant || (version.is_some() && kind.is_some()) {
        return None;
    }
    let both = version.is_none() && kind.is_none();
    let what = match map.get(key) {
        Some(value) if !value.is_null() => format!("`{key}` is of type {}, not text", value.type_name()),
        _ if both => "this has no `apiVersion` and no `kind`".to_owned(),
        _ => format!("this has no `{key}`"),
    };
    let slip = map.keys().find(|written| ***written != *key && written.eq_ignore_ascii_case(key));
    let help = slip.map_or_else(|| format!("give it `{key}` as text"), |slip| format!("write `{key}` for `{slip}`"));
    warning(key, format!("{what}: it is no object to any rule"), help)
}

/// A name or namespace that is no text: the word `off`, `n` or `y`, or a number.
fn doubtful_name(document: &Document) -> Option<Diagnostic> {
    if !is_object(&document.value) {
        return None;
    }
    let metadata = document.value.get("metadata")?;
    ["name", "namespace"].into_iter().find_map(|key| {
        let value = metadata.get(key).filter(|value| !value.is_null() && value.as_str().is_none())?;
        let path = Path::from_pointer(&format!("/metadata/{key}"));
        let location = document.resource().locate(&path)?;
        let written = document.source.slice(location.span).to_owned();
        let message = format!("`metadata.{key}` is a {}, not text: Kubernetes refuses the object", value.type_name());
        let help = format!("quote it: `{key}: \"{written}\"`");
        Some(Diagnostic::warning(codes::NAME, message).at(location, "this value").help(help))
    })
}

fn list_items(document: &Document) -> Option<(&[Value], &SpanTree)> {
    let map = document.value.as_object()?;
    let kind = map.get("kind")?.as_str()?;
    map.get("apiVersion")?.as_str()?;
    let at = map.position("items")?;
    let items = map.get("items")?.as_array()?;
    let spans = &document.spans.children.get(at)?.tree;
    // An allow-list of addresses has items, too, which are no objects.
    let is_named =
        |item: &Value| item.get("kind").is_some() || item.get("metadata").is_some_and(|it| it.as_object().is_some());
    let is_list = if kind == "List" {
        items.iter().all(|item| item.as_object().is_some())
    } else {
        kind.ends_with("List") && items.iter().all(is_named)
    };
    is_list.then_some((items, spans))
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
    fn the_items_of_a_typed_list_are_of_its_kind() {
        let text = b"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- kind: Secret\n  metadata: {name: b}\n";
        let parsed = parse("list.yaml", text, &Limits::default());
        let items: Vec<_> = parsed.documents.into_iter().flat_map(expand_lists).collect();
        let texts: Vec<_> = items.iter().map(|item| item.value.to_json()).collect();
        assert_eq!(
            texts,
            [
                r#"{"metadata":{"name":"a"},"apiVersion":"v1","kind":"ConfigMap"}"#,
                r#"{"kind":"Secret","metadata":{"name":"b"},"apiVersion":"v1"}"#
            ]
        );
        let kind = items[0].resource().locate(&Path::from_pointer("/kind")).unwrap();
        assert_eq!(kind.to_string(), "list.yaml:2:7");
        assert!(items.iter().flat_map(doubts).next().is_none());
    }

    #[test]
    fn what_a_cluster_would_refuse_is_told() {
        let text = b"apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: off}}\n";
        let parsed = parse("list.yaml", text, &Limits::default());
        let told: Vec<_> =
            parsed.documents.iter().flat_map(doubts).map(|doubt| (doubt.code, doubt.help.concat())).collect();
        assert_eq!(
            told,
            [
                (codes::NO_KIND, "give the item `apiVersion` and `kind`".to_owned()),
                (codes::NAME, "quote it: `namespace: \"off\"`".to_owned())
            ]
        );
    }

    #[test]
    fn what_lacks_a_part_of_its_type_is_told() {
        let told = |text: &str| -> Vec<String> {
            let parsed = parse("a.yaml", text.as_bytes(), &Limits::default());
            parsed
                .documents
                .iter()
                .flat_map(doubts)
                .map(|doubt| format!("{}; {}", doubt.message, doubt.help.concat()))
                .collect()
        };
        for (text, told_of) in [
            (
                "kind: Pod\nmetadata: {name: x}",
                "this has no `apiVersion`: it is no object to any rule; give it `apiVersion` as text",
            ),
            (
                "apiVersion: v1\nKind: Pod\nmetadata: {name: x}",
                "this has no `kind`: it is no object to any rule; write `kind` for `Kind`",
            ),
            (
                "apiVersion: 1\nkind: Pod\nspec: {}",
                "`apiVersion` is of type number, not text: it is no object to any rule; give it `apiVersion` as text",
            ),
            (
                "metadata: {name: x}\nspec: {}",
                "this has no `apiVersion` and no `kind`: it is no object to any rule; give it `apiVersion` as text",
            ),
            (
                "apiVersion: v1\nkind: List\nitems: {a: b}",
                "`items` of this list is of type object, not a list: nothing of it is judged; write one `- ` for each item",
            ),
        ] {
            assert_eq!(told(text), [told_of], "{text}");
        }
        for text in [
            "kind: Deployment\nreplicas: 1",
            "apiVersion: v2\nname: chart",
            "metadata: {name: x}",
            "apiVersion: v1\nkind: List",
            "a: b",
        ] {
            assert_eq!(told(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_no_list_stays_whole() {
        let text = b"apiVersion: net.example/v1\nkind: IPAllowList\nmetadata: {name: a}\nitems: [{cidr: 10.0.0.0/8}]\n";
        let parsed = parse("a.yaml", text, &Limits::default());
        assert_eq!(parsed.documents.into_iter().flat_map(expand_lists).count(), 1);
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
