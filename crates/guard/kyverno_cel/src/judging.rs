//! What the kinds that judge, change or create have in common: the parts that select a request before the policy's
//! own work begins.

use palisade_cel::admission::{Conditions, Evaluation, MatchResources, Node, Reader, Subject, Variables};
use palisade_cel::library::kyverno::exceptions::exceptions;
use palisade_model::Verdict;
use palisade_policy::{AdmissionRequest, Environment, RuleOutcome};

use super::exception::Exception;
use super::identity::Identity;

/// `failurePolicy: Ignore`: conditions that cannot be evaluated do not hold.
pub(super) fn ignores_failures(reader: &mut Reader<'_>, spec: &Node<'_>) -> bool {
    reader.word(spec, "failurePolicy", &[("Fail", false), ("Ignore", true)]).unwrap_or_default()
}

/// Reads `matchConstraints`, which a policy about Kubernetes objects cannot do without.
pub(super) fn constraints(reader: &mut Reader<'_>, spec: &Node<'_>) -> MatchResources {
    match reader.object(spec, "matchConstraints") {
        Some(node) if node.get("resourceRules").is_some() => MatchResources::read(reader, &node),
        Some(node) => {
            reader.missing(&node, "resourceRules");
            MatchResources::default()
        }
        None => {
            reader.missing(spec, "matchConstraints");
            MatchResources::default()
        }
    }
}

/// Whether the constraints select the request; an error verdict where that depends on what nobody can tell.
pub(super) fn selects(
    identity: &Identity,
    constraints: &MatchResources,
    request: &AdmissionRequest,
    subject: &Subject<'_>,
) -> Result<bool, Box<RuleOutcome>> {
    let selected = subject.namespace().map_or(Ok(false), |namespace| constraints.matches(request, namespace));
    selected.map_err(|message| Box::new(identity.outcome(Verdict::Error, message)))
}

/// Exceptions and conditions of one policy or variant.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) exceptions: Vec<Exception>,
    pub(super) conditions: Conditions,
    pub(super) variables: Variables,
    pub(super) ignore_failures: bool,
}

impl Gate {
    /// The evaluation of the policy's own work, or the answer where exceptions or conditions already give it.
    pub(super) fn open<'e>(
        &'e self,
        identity: &Identity,
        subject: &'e Subject<'e>,
        environment: &'e Environment<'e>,
    ) -> Result<Evaluation<'e>, Box<RuleOutcome>> {
        let mut evaluation = Evaluation::new(subject, environment, &self.variables);
        if self.exceptions.is_empty() {
            // Most policies have no exceptions, and few ask for what they let off.
            evaluation = evaluation.with_made("exceptions", || exceptions(&[], &[]));
        } else {
            let exemption = identity.exemption(&self.exceptions, &evaluation, self.ignore_failures)?;
            evaluation = evaluation.with("exceptions", exceptions(&exemption.images, &exemption.values));
        }
        match self.conditions.hold(&evaluation) {
            Ok(true) => Ok(evaluation),
            Ok(false) => Err(Box::new(identity.declined())),
            Err(_) if self.ignore_failures => Err(Box::new(identity.declined())),
            Err(message) => Err(Box::new(identity.outcome(Verdict::Error, message))),
        }
    }

    /// Like [`Gate::open`] for images: partial exceptions count for nothing, conditions come first, and `Ok(None)` is
    /// what a request is that they decline.
    pub(super) fn open_strictly<'e>(
        &'e self,
        identity: &Identity,
        subject: &'e Subject<'e>,
        environment: &'e Environment<'e>,
    ) -> Result<Option<Evaluation<'e>>, Box<RuleOutcome>> {
        let evaluation = Evaluation::new(subject, environment, &self.variables);
        match self.conditions.hold(&evaluation) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(_) if self.ignore_failures => return Ok(None),
            Err(message) => return Err(Box::new(identity.outcome(Verdict::Error, message))),
        }
        identity.exemption(&self.exceptions, &evaluation, self.ignore_failures)?;
        Ok(Some(evaluation))
    }
}
