//! Members being collected into a mapping: duplicate keys and merge keys.
//!
//! As in go-yaml version 2, members take effect in the order of the text: a later key wins over an earlier one, and
//! what `<<` brings in yields to the keys below it. In a list of merged mappings the earlier one wins.

use palisade_model::{Diagnostic, Map, Span, SpanEntry, SpanTree, Str, Value};

use super::node::Node;
use super::parser::{Parse, Parser};
use crate::codes;
use crate::fail::Fail;

/// A key, once it is known to be one.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Str,
    pub(super) span: Span,
    /// A plain `<<`.
    pub(super) merge: bool,
}

/// A mapping under construction.
#[derive(Default)]
pub(super) struct Mapping {
    map: Map,
    children: Vec<SpanEntry>,
    height: usize,
    /// The members that only a merge has set, by position; empty where nothing was merged.
    merged: Vec<bool>,
}

impl Mapping {
    pub(super) fn into_node(self, span: Span) -> Node {
        let tree = SpanTree { span, children: self.children };
        Node { value: Value::object(self.map), tree, height: self.height + 1 }
    }

    /// Sets a member, and returns the key it replaces unless a merge had set that.
    fn set(&mut self, name: &Str, entry: SpanEntry, value: Value, merged: bool) -> Option<Span> {
        if self.map.insert(name.clone(), value).is_none() {
            if merged || !self.merged.is_empty() {
                self.merged.resize(self.children.len(), false);
                self.merged.push(merged);
            }
            self.children.push(entry);
            return None;
        }
        let at = self.map.position(name)?;
        let was_merged = self.merged.get_mut(at).is_some_and(|flag| std::mem::replace(flag, merged));
        let slot = self.children.get_mut(at)?;
        let replaced = std::mem::replace(slot, entry);
        (!was_merged && !merged).then_some(replaced.key)
    }

    fn merge(&mut self, source: &Value, spans: &SpanTree) -> bool {
        let Value::Object(members) = source else { return false };
        for ((name, value), entry) in members.iter().zip(&spans.children) {
            self.set(name, entry.clone(), value.clone(), true);
        }
        true
    }
}

impl Parser<'_> {
    pub(super) fn insert(&mut self, mapping: &mut Mapping, key: &Key, node: Node) -> Parse<()> {
        mapping.height = mapping.height.max(node.height);
        if key.merge {
            return self.merge(mapping, key, &node);
        }
        let entry = SpanEntry { key: key.span, tree: node.tree };
        if let Some(first) = mapping.set(&key.name, entry, node.value, false) {
            self.duplicate(key, first);
        }
        Ok(())
    }

    fn merge(&mut self, mapping: &mut Mapping, key: &Key, node: &Node) -> Parse<()> {
        let complete = match &node.value {
            Value::Array(items) => {
                items.iter().zip(&node.tree.children).rev().all(|(item, child)| mapping.merge(item, &child.tree))
            }
            single => mapping.merge(single, &node.tree),
        };
        if complete { Ok(()) } else { Err(self.bad_merge(key)) }
    }

    fn bad_merge(&self, key: &Key) -> Fail {
        let fail = self.trouble(
            codes::MERGE,
            key.span,
            "`<<` needs a mapping, or a list of mappings, to copy from",
            "the value of this merge key is neither",
        );
        fail.help("refer to an anchored mapping: `<<: *defaults`")
    }

    fn duplicate(&mut self, key: &Key, first: Span) {
        let diagnostic = Diagnostic::warning(codes::DUPLICATE, format!("the key `{}` occurs twice", key.name))
            .at(self.location(key.span), "this one is used")
            .at(self.location(first), "this one is lost")
            .help("delete one of the two, or merge their contents");
        self.diagnostics.push(diagnostic);
    }
}
