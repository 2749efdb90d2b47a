//! DeletingPolicy: says which existing objects are to be removed when its schedule comes round.
//!
//! The schedule itself is the server's business; asked about an object, the policy answers at once.

use palisade_cel::admission::{
    Compiler, Conditions, Dialect, Evaluation, MatchResources, Purpose, Reader, Subject, Variables,
};
use palisade_model::Verdict;
use palisade_policy::{Effect, Environment, Payload, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::exception::Exception;
use super::identity::Identity;
use super::judging;
use super::kind::Kind;

/// A loaded DeletingPolicy.
#[derive(Debug)]
pub(super) struct DeletingPolicy {
    identity: Identity,
    constraints: Option<MatchResources>,
    conditions: Conditions,
    variables: Variables,
    exceptions: Vec<Exception>,
}

impl DeletingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: Vec<Exception>) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::Deleting)?;
        // Without constraints a policy has a say about documents that are no Kubernetes objects, and only about those.
        let constraints = reader.object(&spec, "matchConstraints");
        let constraints = constraints.map(|node| MatchResources::read(reader, &node).for_any_operation());
        reader.required_text(&spec, "schedule");
        let mut compiler = Compiler::new(reader, identity.environment(Purpose::Validation));
        compiler.declare_variables(&spec, "variables");
        let conditions = Conditions::compile(&mut compiler, &spec, "conditions");
        let variables = compiler.into_variables();
        let matches = constraints.as_ref().map(MatchResources::reach).unwrap_or_default();
        let identity = identity.reaching(reader, matches);
        (!reader.failed()).then_some(Self { identity, constraints, conditions, variables, exceptions })
    }

    fn judge(&self, subject: &Subject<'_>, environment: &Environment<'_>) -> RuleOutcome {
        let evaluation = Evaluation::new(subject, environment, &self.variables);
        let exempting = match Exception::matching(&self.exceptions, &evaluation) {
            Ok(exempting) => exempting,
            Err(message) => return self.identity.outcome(Verdict::Error, message),
        };
        if !exempting.is_empty() {
            let exceptions = exempting.iter().map(|exception| exception.key.clone()).collect();
            let outcome = self.identity.outcome(Verdict::Fail, "the object is kept due to a policy exception");
            return RuleOutcome { exceptions, ..outcome };
        }
        match self.conditions.hold(&evaluation) {
            Ok(true) => self.identity.outcome(Verdict::Pass, "the object is to be removed").effect(Effect::Deleted),
            Ok(false) => self.identity.outcome(Verdict::Fail, "the object is kept: it does not meet the conditions"),
            Err(message) => self.identity.outcome(Verdict::Error, message),
        }
    }
}

impl Policy for DeletingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        match request.payload() {
            Payload::Kubernetes(request) => {
                let selects = |constraints: &MatchResources| constraints.may_match(request);
                self.identity.reaches(request) && self.constraints.as_ref().is_some_and(selects)
            }
            Payload::Document(_) => true,
            _ => false,
        }
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        if phase != self.identity.phase() {
            return Vec::new();
        }
        match request.payload() {
            Payload::Kubernetes(request) => {
                let subject = Subject::admission(request, environment, Dialect::Kyverno).about(request.subject());
                let constraints = self.constraints.as_ref().filter(|_| self.identity.reaches(request));
                let Some(constraints) = constraints else { return Vec::new() };
                match judging::selects(&self.identity, constraints, request, &subject) {
                    Ok(true) => vec![self.judge(&subject, environment)],
                    Ok(false) => Vec::new(),
                    Err(outcome) => vec![*outcome],
                }
            }
            // A document that is no Kubernetes object has nothing that constraints could select by.
            Payload::Document(document) => vec![self.judge(&Subject::payload(document), environment)],
            _ => Vec::new(),
        }
    }
}
