//! `mutate`: how a rule changes the resource or existing targets.

use palisade_model::{Str, Value};

use super::context_entry::ContextEntry;
use super::{LabelSelector, conditions};
use super::{Node, Reader};
use crate::legacy::codes;
use crate::legacy::condition::Conditions;

/// The body of a mutate rule.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Existing objects that are changed instead of the resource.
    pub targets: Vec<Target>,
    /// The change; `None` where only `foreach` is given.
    pub patch: Option<Patch>,
    /// Changes for each element of lists.
    pub foreach: Vec<ForEachMutation>,
}

/// A change. Variables and references are in it as written.
#[derive(Clone, Debug)]
pub enum Patch {
    /// A strategic merge patch, anchors included.
    StrategicMerge(Value),
    /// A JSON patch (RFC 6902) as YAML or JSON text.
    Json6902(Str),
}

/// Existing objects that a rule changes. Texts may hold variables, names and namespaces wildcards.
#[derive(Clone, Debug)]
pub struct Target {
    /// API version.
    pub api_version: Str,
    /// Kind.
    pub kind: Str,
    /// Namespace.
    pub namespace: Str,
    /// Name.
    pub name: Str,
    /// Unique identifier.
    pub uid: Str,
    /// Labels.
    pub selector: Option<LabelSelector>,
    /// The selector as written, for variables within it.
    pub selector_source: Value,
    /// Entries that are loaded for each target.
    pub context: Vec<ContextEntry>,
    /// Which targets are changed.
    pub preconditions: Option<Conditions>,
}

/// Changes for each element of a list.
#[derive(Clone, Debug)]
pub struct ForEachMutation {
    /// A query that gives the elements.
    pub list: Str,
    /// Whether `order` says so: `Some(true)` for descending, `Some(false)` for ascending.
    pub descending: Option<bool>,
    /// Entries that are loaded anew for each element.
    pub context: Vec<ContextEntry>,
    /// Which elements are looked at.
    pub preconditions: Option<Conditions>,
    /// The change; `None` where a nested `foreach` is given.
    pub patch: Option<Patch>,
    /// Nested loops.
    pub foreach: Vec<ForEachMutation>,
}

impl Mutation {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let known = ["mutateExistingOnPolicyUpdate", "targets", "patchStrategicMerge", "patchesJson6902", "foreach"];
        reader.known_fields(node, &known);
        let targets = reader.list(node, "targets");
        let mutation = Self {
            targets: targets.iter().map(|node| Target::read(reader, node)).collect(),
            patch: Patch::read(reader, node),
            foreach: ForEachMutation::read_all(reader, node),
        };
        if mutation.patch.is_some() != mutation.foreach.is_empty() {
            let message = "a mutate rule needs exactly one of patchStrategicMerge, patchesJson6902, foreach";
            reader.error(codes::INVALID_RULE, &node.path, message, "split it into one rule per change");
        }
        mutation
    }
}

impl Patch {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let merge = node.get("patchStrategicMerge").map(|node| Self::StrategicMerge(node.value.clone()));
        let json = reader.text(node, "patchesJson6902").filter(|text| !text.is_empty()).map(Self::Json6902);
        if merge.is_some() && json.is_some() {
            let message = "patchStrategicMerge and patchesJson6902 cannot stand together";
            reader.error(codes::INVALID_RULE, &node.path, message, "split it into one rule per change");
        }
        merge.or(json)
    }
}

impl Target {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let known = ["apiVersion", "kind", "namespace", "name", "uid", "selector", "context", "preconditions"];
        reader.known_fields(node, &known);
        let mut text = |key: &str| reader.text(node, key).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
        let selector = node.get("selector");
        reader.reads().look_up(&kind);
        Self {
            api_version,
            kind,
            namespace,
            name,
            uid,
            selector: selector.as_ref().map(|node| LabelSelector::read(reader, node)),
            selector_source: selector.map(|node| node.value.clone()).unwrap_or_default(),
            context: ContextEntry::read_all(reader, node),
            preconditions: conditions(reader, node, "preconditions"),
        }
    }
}

impl ForEachMutation {
    fn read_all(reader: &mut Reader<'_>, parent: &Node<'_>) -> Vec<Self> {
        let nodes = reader.list(parent, "foreach");
        nodes.iter().map(|node| Self::read(reader, node)).collect()
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let known = ["list", "order", "context", "preconditions", "patchStrategicMerge", "patchesJson6902", "foreach"];
        reader.known_fields(node, &known);
        let list = reader.text(node, "list").unwrap_or_default();
        let order = reader.text(node, "order");
        let descending = match order.as_deref() {
            None => None,
            Some("Ascending") => Some(false),
            Some("Descending") => Some(true),
            Some(other) => {
                let message = format!("unknown order `{other}`");
                reader.error(codes::UNKNOWN_NAME, &node.path.child("order"), message, "one of Ascending, Descending");
                None
            }
        };
        Self {
            list,
            descending,
            context: ContextEntry::read_all(reader, node),
            preconditions: conditions(reader, node, "preconditions"),
            patch: Patch::read(reader, node),
            foreach: Self::read_all(reader, node),
        }
    }
}
