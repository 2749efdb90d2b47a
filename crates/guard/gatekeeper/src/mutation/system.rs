//! All mutators of a folder together.

use palisade_cel::admission::{NamespaceView, Reader};
use palisade_model::{Diagnostic, GroupVersionKind, Path, Resource, Value};
use palisade_policy::{Environment, Operation};

use super::conflicts::conflicting;
use super::mutator::Mutator;
use crate::codes;
use crate::kinds::{Kind, kind_of};
use crate::matching::{Origin, Target};

/// Mutators in the order in which they are applied: by kind and name.
#[derive(Debug, Default)]
pub(crate) struct System {
    pub(crate) mutators: Vec<Mutator>,
}

/// Where the object that is changed stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) gvk: &'a GroupVersionKind,
    /// The namespace of the request; empty for cluster-scoped objects.
    pub(crate) namespace: &'a str,
    pub(crate) origin: Origin,
    /// What happens to the object; objects that were expanded have no operation.
    pub(crate) operation: Option<Operation>,
    pub(crate) environment: &'a Environment<'a>,
}

/// Reads mutators. Those that contradict one another are left out, as Gatekeeper does.
pub(crate) fn load<'d>(documents: impl Iterator<Item = &'d Resource>, diagnostics: &mut Vec<Diagnostic>) -> System {
    let mut mutators: Vec<Mutator> = Vec::new();
    for document in documents {
        let Some(Kind::Mutator(kind)) = kind_of(document) else { continue };
        let mut reader = Reader::with_codes(document, codes::READER);
        mutators.extend(Mutator::read(&mut reader, kind));
        diagnostics.extend(reader.into_diagnostics());
    }
    mutators.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let conflicting = conflicting(&mutators);
    let (broken, sound): (Vec<_>, Vec<_>) =
        mutators.into_iter().enumerate().partition(|(index, _)| conflicting.contains(index));
    let names: Vec<_> = broken.iter().map(|(_, mutator)| format!("`{}`", mutator.name)).collect();
    for (_, mutator) in broken {
        let message = format!(
            "the location of `{}` contradicts another mutator's; at odds are {}",
            mutator.name,
            names.join(", ")
        );
        let mut diagnostic = Diagnostic::error(codes::CONFLICT, message)
            .help("let locations agree on what is an object and what a list");
        if let Some(location) = mutator.document.locate(&Path::from_pointer("/spec/location")) {
            diagnostic = diagnostic.at(location, "");
        }
        diagnostics.push(diagnostic);
    }
    System { mutators: sound.into_iter().map(|(_, mutator)| mutator).collect() }
}

impl System {
    /// The object as it is once nothing changes any more, and who changed it, each once.
    pub(crate) fn settle<'s>(
        &'s self,
        object: &Value,
        standing: &Standing<'_>,
    ) -> Result<(Value, Vec<&'s Mutator>), String> {
        let mut current = object.clone();
        let mut changed_by: Vec<&Mutator> = Vec::new();
        for _ in 0..=self.mutators.len() {
            let before = current.clone();
            for mutator in self.mutators.iter().filter(|mutator| mutator.may_apply(standing.gvk)) {
                if let Some(changed) = standing.apply(mutator, &current)? {
                    current = changed;
                    if !changed_by.iter().any(|known| std::ptr::eq(*known, mutator)) {
                        changed_by.push(mutator);
                    }
                }
            }
            if current == before {
                return Ok((current, changed_by));
            }
        }
        Err("the mutators undo one another's changes, so the object never settles".into())
    }
}

impl Standing<'_> {
    /// What one mutator makes of the object; `None` where it is not about it or changes nothing.
    pub(crate) fn apply(&self, mutator: &Mutator, object: &Value) -> Result<Option<Value>, String> {
        let named = |error| format!("mutator `{}`: {error}", mutator.name);
        if self.selects(mutator, object).map_err(named)? { mutator.change(object).map_err(named) } else { Ok(None) }
    }

    /// Whether a mutator is about the object.
    pub(crate) fn selects(&self, mutator: &Mutator, object: &Value) -> Result<bool, String> {
        let namespace = match object.dig(["metadata", "namespace"]).and_then(Value::as_str) {
            Some(name) if !name.is_empty() => name,
            _ => self.namespace,
        };
        let namespace = NamespaceView::new(namespace, self.environment);
        let target = Target {
            object,
            gvk: self.gvk,
            namespace_name: self.namespace,
            namespace: &namespace,
            origin: self.origin,
        };
        mutator.selects(&target, self.operation)
    }
}
