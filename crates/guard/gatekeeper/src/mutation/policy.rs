//! A mutator as a policy.

use std::slice::from_ref;
use std::sync::Arc;

use palisade_cel::admission::NamespaceView;
use palisade_model::{Path, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Effect, Environment, Phase, Policy, PolicyInfo, Reach, Request, RuleInfo, RuleOutcome,
};

use super::mutator::Mutator;
use super::system::{Standing, System};
use crate::config::{Exemptions, Process};
use crate::matching::{Origin, Target};

/// One mutator of a system.
#[derive(Debug)]
pub(crate) struct MutatorPolicy {
    info: PolicyInfo,
    system: Arc<System>,
    exemptions: Arc<Exemptions>,
    index: usize,
}

impl MutatorPolicy {
    /// The policies of a system, in the order in which they are applied.
    pub(crate) fn all(system: &Arc<System>, exemptions: &Arc<Exemptions>) -> impl Iterator<Item = Self> {
        system.mutators.iter().enumerate().map(|(index, mutator)| {
            let location = mutator.document.locate(&Path::from_pointer("/metadata/name"));
            let rule = RuleInfo { name: mutator.name.clone(), phase: Phase::Mutate, location };
            // The last one lets the whole system settle.
            let concerned =
                if index + 1 == system.mutators.len() { system.mutators.as_slice() } else { from_ref(mutator) };
            let matches = concerned.iter().flat_map(Mutator::reach).collect();
            let reach = Reach { background: false, ..Reach::of(matches, &mutator.document) };
            let info = PolicyInfo::of(&mutator.document, vec![rule]).reaching(reach);
            Self { info, system: system.clone(), exemptions: exemptions.clone(), index }
        })
    }

    fn is_last(&self) -> bool {
        self.index + 1 == self.system.mutators.len()
    }

    fn outcome(&self, verdict: Verdict, message: impl Into<String>) -> RuleOutcome {
        RuleOutcome::new(self.info.reference.name.clone(), Phase::Mutate, verdict, message)
    }

    /// What this mutator makes of the object, and what the whole system makes of that where this is the last one.
    fn mutate(
        &self,
        mutator: &Mutator,
        object: &Value,
        standing: &Standing<'_>,
    ) -> Result<Option<RuleOutcome>, String> {
        let selected = standing.selects(mutator, object)?;
        let own = if selected { standing.apply(mutator, object)? } else { None };
        let mut message = if own.is_some() { "changed".to_owned() } else { String::new() };
        let mut result = own;
        if self.is_last() {
            let current = result.as_ref().unwrap_or(object);
            let (settled, again) = self.system.settle(current, standing)?;
            if settled != *current {
                let names: Vec<_> = again.iter().map(|mutator| format!("`{}`", mutator.name)).collect();
                message = format!("changed, with a further round of {}", names.join(", "));
                result = Some(settled);
            }
        }
        let outcome = self.outcome(Verdict::Pass, message);
        Ok(match result {
            Some(object) => Some(RuleOutcome { effect: Effect::Patched(object), ..outcome }),
            None => selected.then_some(outcome),
        })
    }

    fn is_exempt(&self, request: &AdmissionRequest, environment: &Environment<'_>) -> bool {
        let namespace = NamespaceView::new(&request.namespace, environment);
        let target = Target {
            object: &request.object,
            gvk: &request.kind,
            namespace_name: &request.namespace,
            namespace: &namespace,
            origin: Origin::Original,
        };
        self.exemptions.exempt(Process::Mutation, &target)
    }
}

impl Policy for MutatorPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        let may = |mutator: &Mutator| request.as_admission().is_some_and(|request| mutator.may_apply(&request.kind));
        let mutators = &self.system.mutators;
        if self.is_last() { mutators.iter().any(may) } else { mutators.get(self.index).is_some_and(may) }
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let (Phase::Mutate, Some(request), Some(mutator)) =
            (phase, request.as_admission(), self.system.mutators.get(self.index))
        else {
            return Vec::new();
        };
        if request.object.is_null() || self.is_exempt(request, environment) {
            return Vec::new();
        }
        let standing = Standing {
            gvk: &request.kind,
            namespace: &request.namespace,
            origin: Origin::Original,
            operation: Some(request.operation),
            environment,
        };
        match self.mutate(mutator, &request.object, &standing) {
            Ok(outcome) => outcome.into_iter().collect(),
            Err(message) => vec![self.outcome(Verdict::Error, message)],
        }
    }
}
