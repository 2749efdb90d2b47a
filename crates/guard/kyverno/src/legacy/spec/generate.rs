//! `generate`: objects that a rule creates and keeps in step.

use palisade_model::{Str, Value};

use super::conditions;
use super::context_entry::ContextEntry;
use super::{Node, Reader};
use crate::legacy::codes;
use crate::legacy::condition::Conditions;
use crate::legacy::reads;

/// The body of a generate rule.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Whether the objects follow their source.
    pub synchronize: bool,
    /// Whether the objects outlive the policy.
    pub orphan_downstream_on_policy_delete: bool,
    /// What is created; `None` where only `foreach` is given.
    pub pattern: Option<GeneratePattern>,
    /// What is created for each element of lists.
    pub foreach: Vec<ForEachGeneration>,
}

/// What is created, variables included.
#[derive(Clone, Debug)]
pub struct GeneratePattern {
    /// `apiVersion`, `kind`, `namespace`, `name`, `uid`, `data`, `clone` and `cloneList`, as written.
    pub source: Value,
}

/// What is created for each element of a list.
#[derive(Clone, Debug)]
pub struct ForEachGeneration {
    /// A query that gives the elements.
    pub list: Str,
    /// Entries that are loaded anew for each element.
    pub context: Vec<ContextEntry>,
    /// Which elements are looked at.
    pub preconditions: Option<Conditions>,
    /// What is created.
    pub pattern: GeneratePattern,
}

const PATTERN: [&str; 8] = ["apiVersion", "kind", "namespace", "name", "uid", "data", "clone", "cloneList"];

impl Generation {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let settings = ["generateExisting", "synchronize", "orphanDownstreamOnPolicyDelete", "foreach"];
        reader.known_fields(node, &[&settings[..], &PATTERN[..]].concat());
        let loops = reader.list(node, "foreach");
        let generation = Self {
            synchronize: reader.flag(node, "synchronize").unwrap_or(false),
            orphan_downstream_on_policy_delete: reader.flag(node, "orphanDownstreamOnPolicyDelete").unwrap_or(false),
            pattern: GeneratePattern::read(reader, node),
            foreach: loops.iter().filter_map(|node| ForEachGeneration::read(reader, node)).collect(),
        };
        if generation.pattern.is_some() != generation.foreach.is_empty() {
            let message = "a generate rule needs either what to create or foreach";
            reader.error(codes::INVALID_RULE, &node.path, message, "write one of data, clone, cloneList or foreach");
        }
        generation
    }
}

impl GeneratePattern {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        reads::of_pattern(node.value, reader.reads());
        let source: palisade_model::Map =
            PATTERN.iter().filter_map(|key| Some((Str::from(*key), node.get(key)?.value.clone()))).collect();
        let known = [("clone", &["namespace", "name"][..]), ("cloneList", &["namespace", "kinds", "selector"][..])];
        for (key, fields) in known {
            if let Some(node) = node.get(key) {
                reader.known_fields(&node, fields);
            }
        }
        (!source.is_empty()).then(|| Self { source: Value::object(source) })
    }
}

impl ForEachGeneration {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        reader.known_fields(node, &[&["list", "context", "preconditions"][..], &PATTERN[..]].concat());
        Some(Self {
            list: reader.text(node, "list").unwrap_or_default(),
            context: ContextEntry::read_all(reader, node),
            preconditions: conditions(reader, node, "preconditions"),
            pattern: GeneratePattern::read(reader, node)?,
        })
    }
}
