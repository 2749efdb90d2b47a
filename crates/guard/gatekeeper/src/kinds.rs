//! Which documents are Gatekeeper's, by group, version and kind.

use palisade_model::{GroupVersionKind, Resource};

/// The group of constraints.
pub(crate) const CONSTRAINTS: &str = "constraints.gatekeeper.sh";

/// What a document of Gatekeeper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ConstraintTemplate`.
    Template,
    /// A constraint of any kind.
    Constraint,
    /// `ExpansionTemplate`.
    Expansion,
    /// `Assign`, `AssignMetadata`, `ModifySet`, `AssignImage`.
    Mutator(MutatorKind),
    /// `Config`: namespaces that are exempt, and what is synchronised.
    Config,
    /// `SyncSet`, `Provider`: claimed so that nobody takes them for checked objects. Objects are all at hand here, and
    /// a provider cannot be called.
    Supporting,
}

/// The kinds of mutators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MutatorKind {
    /// `Assign`.
    Assign,
    /// `AssignImage`.
    AssignImage,
    /// `AssignMetadata`.
    AssignMetadata,
    /// `ModifySet`.
    ModifySet,
}

/// The kind of a document; `None` where it is not Gatekeeper's.
pub(crate) fn kind_of(document: &Resource) -> Option<Kind> {
    let gvk = document.gvk()?;
    let GroupVersionKind { group, version, kind } = &gvk;
    if !matches!(&**version, "v1" | "v1beta1" | "v1alpha1") {
        return None;
    }
    match (&**group, &**kind) {
        ("templates.gatekeeper.sh", "ConstraintTemplate") => Some(Kind::Template),
        (CONSTRAINTS, _) => Some(Kind::Constraint),
        ("expansion.gatekeeper.sh", "ExpansionTemplate") => Some(Kind::Expansion),
        ("mutations.gatekeeper.sh", "Assign") => Some(Kind::Mutator(MutatorKind::Assign)),
        ("mutations.gatekeeper.sh", "AssignImage") => Some(Kind::Mutator(MutatorKind::AssignImage)),
        ("mutations.gatekeeper.sh", "AssignMetadata") => Some(Kind::Mutator(MutatorKind::AssignMetadata)),
        ("mutations.gatekeeper.sh", "ModifySet") => Some(Kind::Mutator(MutatorKind::ModifySet)),
        ("config.gatekeeper.sh", "Config") => Some(Kind::Config),
        ("syncset.gatekeeper.sh", "SyncSet") | ("externaldata.gatekeeper.sh", "Provider") => Some(Kind::Supporting),
        _ => None,
    }
}
