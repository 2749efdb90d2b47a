//! From a policy's pattern tree to nodes that are fast to judge: anchors parsed, members in order, leaves compiled.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::{Map, Str, Value, wildcard};

use super::anchor::{Anchor, AnchorKind};
use super::scalar::Scalar;

/// The deepest nesting that is judged; deeper parts of a pattern are an error.
const MAX_DEPTH: usize = 200;

/// A compiled part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// The value must be an object.
    Object(Members),
    /// The value must be a list.
    List(Vec<Node>),
    /// The value, or each element of a list of values, must match.
    Scalar {
        /// The compiled leaf.
        scalar: Scalar,
        /// As written, for messages.
        source: Value,
    },
    /// Nested too deeply to be judged.
    TooDeep,
}

/// The members of an object pattern, in the order in which they are judged.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Condition, existence, equality and negation anchors by their written key.
    pub(super) anchors: Vec<Member>,
    /// All others: those with anchors inside from the last key to the first, then the rest from first to last.
    pub(super) fields: Vec<Member>,
    /// Whether a key has wildcards that stand for a label or annotation of the resource.
    wild: bool,
}

/// One member of an object pattern.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The anchor, and for plain keys none.
    pub(super) anchor: Option<AnchorKind>,
    /// The key in the resource.
    pub(super) key: Str,
    /// What its value must be.
    pub(super) node: Arc<Node>,
    /// Which anchor this is among those whose absence from the resource matters.
    pub(super) tracked: Option<usize>,
    written: Str,
    has_anchors: bool,
}

/// Where in an object a node stands, which decides whether its keys may be wildcards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// The value of `metadata`.
    Metadata,
    /// The value of `labels` or `annotations` in `metadata`.
    Tags,
}

/// Compiles patterns and numbers their condition and existence anchors.
#[derive(Default)]
pub(super) struct Compiler {
    tracked: HashMap<Str, usize>,
}

impl Compiler {
    /// How many distinct anchors are tracked.
    pub(super) fn tracked(&self) -> usize {
        self.tracked.len()
    }

    /// Compiles a whole pattern.
    pub(super) fn compile(&mut self, source: &Value) -> Node {
        self.node(source, Place::Anywhere, 0).0
    }

    /// A node, and whether it has anchors anywhere inside.
    fn node(&mut self, source: &Value, place: Place, depth: usize) -> (Node, bool) {
        if depth > MAX_DEPTH {
            return (Node::TooDeep, false);
        }
        match source {
            Value::Object(map) => self.object(map, place, depth),
            Value::Array(items) => {
                let nodes: Vec<_> = items.iter().map(|item| self.node(item, Place::Anywhere, depth + 1)).collect();
                let has_anchors = nodes.iter().any(|(_, has_anchors)| *has_anchors);
                (Node::List(nodes.into_iter().map(|(node, _)| node).collect()), has_anchors)
            }
            leaf => match Scalar::compile(leaf) {
                Some(scalar) => (Node::Scalar { scalar, source: leaf.clone() }, false),
                None => (Node::TooDeep, false),
            },
        }
    }

    fn object(&mut self, map: &Map, place: Place, depth: usize) -> (Node, bool) {
        // Kyverno rewrites the labels and annotations of a pattern and keeps only those whose pattern is a text.
        let kept = map.iter().filter(|(_, value)| place != Place::Tags || value.as_str().is_some());
        let members: Vec<_> = kept.map(|(written, value)| self.member(written, value, place, depth)).collect();
        let has_anchors = members
            .iter()
            .any(|member| member.has_anchors || member.anchor.is_some_and(|kind| kind != AnchorKind::AddIfAbsent));
        let wild = place == Place::Tags && members.iter().any(|member| wildcard::contains_wildcard(&member.written));
        (Node::Object(Members::new(members, wild)), has_anchors)
    }

    fn member(&mut self, written: &Str, value: &Value, place: Place, depth: usize) -> Member {
        let anchor = Anchor::parse(written);
        let inner = anchor.map_or(&**written, |anchor| anchor.key);
        let place = match (place, inner) {
            (_, "metadata") => Place::Metadata,
            (Place::Metadata, "labels" | "annotations") => Place::Tags,
            _ => Place::Anywhere,
        };
        let (node, has_anchors) = self.node(value, place, depth + 1);
        // An add-if-absent anchor means nothing when validating: it is a key like any other.
        let key = match anchor {
            Some(Anchor { kind: AnchorKind::AddIfAbsent, .. }) | None => written.clone(),
            Some(Anchor { key, .. }) => key.into(),
        };
        let kind = anchor.map(|anchor| anchor.kind);
        let tracked = matches!(kind, Some(AnchorKind::Condition | AnchorKind::Existence)).then(|| {
            let next = self.tracked.len();
            *self.tracked.entry(written.clone()).or_insert(next)
        });
        Member { anchor: kind, key, node: Arc::new(node), tracked, written: written.clone(), has_anchors }
    }
}

impl Members {
    fn new(mut members: Vec<Member>, wild: bool) -> Self {
        members.sort_by(|a, b| a.written.cmp(&b.written));
        let (anchors, fields): (Vec<_>, Vec<_>) = members
            .into_iter()
            .partition(|member| !matches!(member.anchor, None | Some(AnchorKind::Global | AnchorKind::AddIfAbsent)));
        let (mut first, rest): (Vec<_>, Vec<_>) =
            fields.into_iter().partition(|member| member.anchor == Some(AnchorKind::Global) || member.has_anchors);
        first.reverse();
        first.extend(rest);
        Self { anchors, fields: first, wild }
    }

    /// The members with each wildcard key replaced by the first key of the resource that it matches; `None` where no
    /// key has wildcards.
    pub(super) fn expand(&self, resource: &Map) -> Option<Self> {
        if !self.wild {
            return None;
        }
        let members = self.anchors.iter().chain(&self.fields).map(|member| member.expand(resource));
        Some(Self::new(members.collect(), false))
    }

    /// How many comparisons [`Members::expand`] may make.
    pub(super) fn expansion_cost(&self, resource: &Map) -> usize {
        if self.wild { (self.anchors.len() + self.fields.len()) * resource.len() } else { 0 }
    }
}

impl Member {
    fn expand(&self, resource: &Map) -> Self {
        let mut member = self.clone();
        if !wildcard::contains_wildcard(&self.written) {
            return member;
        }
        let anchor = Anchor::parse(&self.written);
        let pattern = anchor.map_or(&*self.written, |anchor| anchor.key);
        let found = resource.iter().find(|(key, value)| value.as_str().is_some() && wildcard::matches(pattern, key));
        let Some((key, _)) = found else { return member };
        member.written = anchor.map_or_else(|| key.clone(), |anchor| anchor.around(key).into());
        member.key = if member.anchor == Some(AnchorKind::AddIfAbsent) { member.written.clone() } else { key.clone() };
        member.tracked = None;
        member
    }
}
