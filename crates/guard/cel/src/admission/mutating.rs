//! MutatingAdmissionPolicy: changes objects on their way in.

use std::sync::Arc;

use palisade_model::{Value, Verdict};
use palisade_policy::{AdmissionRequest, Effect, Environment, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::binding::Binding;
use super::document::Reader;
use super::environments::Purpose;
use super::mutation::Mutations;
use super::policy::Frame;
use super::subject::{Dialect, Subject};

/// A loaded MutatingAdmissionPolicy with its bindings.
#[derive(Debug)]
pub(super) struct MutatingAdmissionPolicy {
    frame: Frame,
    mutations: Mutations,
}

impl MutatingAdmissionPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, bindings: Vec<Binding>, others: Arc<[Value]>) -> Option<Self> {
        let kind = (Phase::Mutate, Purpose::Mutation);
        let (frame, mutations) =
            Frame::read(reader, kind, bindings, others, |compiler, spec| Mutations::compile(compiler, spec, false))?;
        (!reader.failed()).then_some(Self { frame, mutations })
    }

    /// The object after all bindings and parameters; `Ok(None)` where no condition held. Bindings and parameters
    /// see the object as the ones before them left it.
    fn mutate(
        &self,
        request: &AdmissionRequest,
        subject: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> Option<Result<Option<Value>, String>> {
        let mut object = request.object.clone();
        let (mut asked, mut mutated) = (false, false);
        for binding in self.frame.bindings() {
            let params = match self.frame.params(binding, request, subject, environment) {
                Ok(params) => params.unwrap_or_default(),
                Err(message) => return Some(Err(message)),
            };
            for params in params {
                asked = true;
                match self.with_params(&object, &params, subject, environment) {
                    Ok(Some(changed)) => (object, mutated) = (changed, true),
                    Ok(None) => {}
                    Err(message) => return Some(Err(message)),
                }
            }
        }
        asked.then(|| Ok(mutated.then_some(object)))
    }

    fn with_params(
        &self,
        object: &Value,
        params: &Value,
        subject: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> Result<Option<Value>, String> {
        let current = subject.about(object);
        if !self.frame.conditions_hold(&self.frame.evaluation(&current, params, environment))? {
            return Ok(None);
        }
        let mut object = object.clone();
        for step in self.mutations.iter() {
            let current = subject.about(&object);
            object = step.apply(&object, &self.frame.evaluation(&current, params, environment))?;
        }
        Ok(Some(object))
    }
}

impl Policy for MutatingAdmissionPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.frame.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        request
            .as_admission()
            .is_some_and(|request| !request.object.is_null() && self.frame.constraints.may_match(request))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(request) = request.as_admission().filter(|_| phase == Phase::Mutate) else { return Vec::new() };
        let subject = Subject::admission(request, environment, Dialect::Kubernetes);
        let selected = match self.frame.selects(request, &subject) {
            Ok(selected) => selected.then(|| self.mutate(request, &subject, environment)).flatten(),
            Err(message) => Some(Err(message)),
        };
        let Some(result) = selected else { return Vec::new() };
        let outcome = match result {
            Err(message) => self.frame.failure(phase, message),
            Ok(None) => self.frame.outcome(phase, Verdict::Skip, "the match conditions do not hold"),
            Ok(Some(object)) if object == request.object => {
                self.frame.outcome(phase, Verdict::Pass, "the object is already as the mutation wants it")
            }
            Ok(Some(object)) => {
                self.frame.outcome(phase, Verdict::Pass, "the object was mutated").effect(Effect::Patched(object))
            }
        };
        vec![outcome]
    }
}
