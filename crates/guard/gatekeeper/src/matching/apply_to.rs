//! `applyTo` of mutators and expansion templates: groups, versions and kinds, without wildcards.

use palisade_cel::admission::{Node, Reader};
use palisade_model::{GroupVersionKind, Str};
use palisade_policy::{Matched, Operation};

use crate::reach;

/// The most combinations of group, version and kind that an entry may stand for; each is looked at when mutators are
/// compared.
const MAX_COMBINATIONS: usize = 1_000;

/// One entry of `applyTo`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplyTo {
    groups: Vec<Str>,
    versions: Vec<Str>,
    kinds: Vec<Str>,
    /// Operations that a mutator is about; all where empty.
    operations: Vec<Operation>,
}

impl ApplyTo {
    /// Reads `applyTo` of `spec`; an incomplete entry is reported with `code`.
    pub(crate) fn read(reader: &mut Reader<'_>, spec: &Node<'_>, code: &'static str) -> Vec<Self> {
        let nodes = reader.list(spec, "applyTo");
        if nodes.is_empty() {
            reader.missing(spec, "applyTo");
        }
        let mut entries = Vec::new();
        for node in nodes {
            reader.known_fields(&node, &["groups", "versions", "kinds", "operations"]);
            let entry = Self {
                groups: reader.texts(&node, "groups"),
                versions: reader.texts(&node, "versions"),
                kinds: reader.texts(&node, "kinds"),
                operations: reader.operations(&node, "operations"),
            };
            if entry.groups.is_empty() || entry.versions.is_empty() || entry.kinds.is_empty() {
                let message = "an entry of `applyTo` needs `groups`, `versions` and `kinds`";
                reader.error(code, &node.path, message, "name them; the core group is the empty text");
            }
            let lists = [&entry.groups, &entry.versions, &entry.kinds];
            if lists.into_iter().fold(1, |product: usize, list| product.saturating_mul(list.len())) > MAX_COMBINATIONS {
                let message = format!("an entry of `applyTo` stands for more than {MAX_COMBINATIONS} kinds");
                reader.error(code, &node.path, message, "split it, or name fewer");
            }
            entries.push(entry);
        }
        entries
    }

    /// Whether objects of the group, version and kind are meant.
    pub(crate) fn names(&self, gvk: &GroupVersionKind) -> bool {
        self.groups.contains(&gvk.group) && self.versions.contains(&gvk.version) && self.kinds.contains(&gvk.kind)
    }

    /// Whether the operation is meant; objects that no request stands behind count for all.
    pub(crate) fn allows(&self, operation: Option<Operation>) -> bool {
        self.operations.is_empty() || operation.is_none_or(|operation| self.operations.contains(&operation))
    }

    /// The requests that the entry may select.
    pub(crate) fn reach(&self) -> impl Iterator<Item = Matched> + '_ {
        self.groups.iter().flat_map(move |group| {
            self.kinds.iter().map(move |kind| reach::matched(reach::object(group, kind, ""), &self.operations))
        })
    }

    /// Every combination of group, version and kind.
    pub(crate) fn combinations(&self) -> impl Iterator<Item = GroupVersionKind> + '_ {
        self.groups.iter().flat_map(move |group| {
            self.versions.iter().flat_map(move |version| {
                let of = |kind: &Str| GroupVersionKind {
                    group: group.clone(),
                    version: version.clone(),
                    kind: kind.clone(),
                };
                self.kinds.iter().map(of)
            })
        })
    }
}
