//! One mutator, ready to change objects.

use palisade_model::{Resource, Str, Value};
use palisade_policy::{Matched, Operation};

use super::change::{Change, Condition, Setter};
use super::location::Location;
use crate::kinds::MutatorKind;
use crate::matching::{ApplyTo, Criteria, Target};
use crate::reach;

/// A loaded mutator.
#[derive(Debug)]
pub(crate) struct Mutator {
    pub(crate) kind: MutatorKind,
    pub(crate) name: Str,
    pub(crate) document: Resource,
    /// The kinds that it is about; AssignMetadata is about every kind.
    pub(crate) apply_to: Vec<ApplyTo>,
    pub(crate) location: Location,
    pub(super) criteria: Criteria,
    pub(super) conditions: Vec<Option<Condition>>,
    pub(super) source: Source,
}

/// Where the value of a mutator comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// It is written in the mutator.
    Given(Setter),
    /// It is a field of the object's metadata.
    Metadata(&'static str),
    /// An external data provider of this name would have to be asked.
    External(Str),
}

impl Mutator {
    /// Whether the kind alone allows an object to be changed.
    pub(crate) fn may_apply(&self, gvk: &palisade_model::GroupVersionKind) -> bool {
        let named = self.kind == MutatorKind::AssignMetadata || self.apply_to.iter().any(|entry| entry.names(gvk));
        named && self.criteria.may_match(gvk)
    }

    /// The requests that the mutator may select.
    pub(crate) fn reach(&self) -> Vec<Matched> {
        match self.kind {
            MutatorKind::AssignMetadata => reach::of(&self.criteria, &[]),
            _ => self.apply_to.iter().flat_map(ApplyTo::reach).collect(),
        }
    }

    /// Whether the mutator is about the object.
    pub(crate) fn selects(&self, target: &Target<'_>, operation: Option<Operation>) -> Result<bool, String> {
        let named = |entry: &ApplyTo| entry.names(target.gvk) && entry.allows(operation);
        let applies = self.kind == MutatorKind::AssignMetadata || self.apply_to.iter().any(named);
        Ok(applies && self.criteria.matches(target)?)
    }

    /// The changed object; `None` where nothing is changed.
    pub(crate) fn change(&self, object: &Value) -> Result<Option<Value>, String> {
        let from_metadata;
        let setter = match &self.source {
            Source::Given(setter) => setter,
            Source::Metadata(field) => {
                let value = object.dig(["metadata", field]).cloned().unwrap_or_else(|| "".into());
                from_metadata = Setter::Assign(value);
                &from_metadata
            }
            Source::External(provider) => {
                return Err(format!("the external data provider `{provider}` cannot be asked here"));
            }
        };
        let change = Change { location: &self.location, conditions: &self.conditions, setter };
        Ok(change.of(object)?.filter(|changed| changed != object))
    }
}
