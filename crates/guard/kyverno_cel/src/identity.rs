//! What all kinds have in common: identity, the one rule that stands for the policy, the namespace it is confined to.

use palisade_cel::Env;
use palisade_cel::admission::binding::policy_parts;
use palisade_cel::admission::{Dialect, Evaluation, Node, Purpose, Reader, environment, namespaced_environment};
use palisade_model::{Path, Str, Verdict};
use palisade_policy::{AdmissionRequest, Matched, Phase, PolicyInfo, RuleInfo, RuleOutcome};

use super::exception::{Exception, Exemption};
use super::kind::Kind;
use super::{reach, upkeep};

/// The identity of a policy.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) info: PolicyInfo,
    phase: Phase,
}

impl Identity {
    /// Reads name and spec; problems go to `reader`.
    pub(super) fn read<'d>(reader: &mut Reader<'d>, kind: Kind) -> Option<(Self, Node<'d>)> {
        let (name, spec) = policy_parts(reader)?;
        let document = reader.document();
        let location = reader.locate(&Path::from_pointer("/metadata/name"));
        let upkeep = upkeep::of(document, &name);
        let info = PolicyInfo::of(document, vec![RuleInfo { name, phase: kind.phase(), location }]).keeping(upkeep);
        Some((Self { info, phase: kind.phase() }, spec))
    }

    /// Says which requests the policy may select, and what its answers depend on, once all of it has been read.
    pub(super) fn reaching(self, reader: &mut Reader<'_>, matches: Vec<Matched>) -> Self {
        let reach = reach::of(reader.document(), matches);
        Self { info: self.info.reaching(reach).reading(reader.reads().clone()), ..self }
    }

    /// Whether the policy may speak about the request: a namespaced policy only about its own namespace.
    pub(super) fn reaches(&self, request: &AdmissionRequest) -> bool {
        self.own_namespace().is_none_or(|own| own == &*request.namespace)
    }

    /// The namespace that a namespaced policy is confined to.
    pub(super) fn own_namespace(&self) -> Option<&str> {
        let namespaced = self.info.reference.kind.starts_with("Namespaced");
        self.info.reference.namespace.as_deref().filter(|_| namespaced)
    }

    /// The environment of the policy's expressions.
    pub(super) fn environment(&self, purpose: Purpose) -> Env {
        match &self.info.reference.namespace {
            Some(namespace) if self.own_namespace().is_some() => namespaced_environment(purpose, namespace),
            _ => environment(Dialect::Kyverno, purpose),
        }
    }

    /// The phase in which the policy is asked.
    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    /// An answer of the policy.
    pub(super) fn outcome(&self, verdict: Verdict, message: impl Into<String>) -> RuleOutcome {
        RuleOutcome::new(self.info.reference.name.clone(), self.phase, verdict, message)
    }

    /// The answer where conditions decline.
    pub(super) fn declined(&self) -> RuleOutcome {
        self.outcome(Verdict::Skip, "the match conditions do not hold")
    }

    /// The answer where exceptions apply as a whole; the one of highest priority decides how it is reported.
    pub(super) fn exempted(&self, exceptions: &[&Exception]) -> RuleOutcome {
        let deciding = exceptions
            .iter()
            .enumerate()
            .max_by_key(|(index, exception)| (exception.priority, std::cmp::Reverse(*index)));
        let passes = deciding.is_some_and(|(_, exception)| exception.passes);
        let (verdict, word) = if passes { (Verdict::Pass, "passed") } else { (Verdict::Skip, "skipped") };
        let keys: Vec<Str> = exceptions.iter().map(|exception| exception.key.clone()).collect();
        let message = format!("rule is {word} due to policy exception: {}", keys.join(", "));
        RuleOutcome { exceptions: keys, ..self.outcome(verdict, message) }
    }

    /// What the exceptions say, as an answer where they exempt or cannot be evaluated.
    pub(super) fn exemption(
        &self,
        exceptions: &[Exception],
        evaluation: &Evaluation<'_>,
        ignore_failures: bool,
    ) -> Result<Exemption, Box<RuleOutcome>> {
        match Exception::apply(exceptions, evaluation, ignore_failures) {
            Ok(applied) if !applied.exempting.is_empty() => Err(Box::new(self.exempted(&applied.exempting))),
            Ok(applied) => Ok(Exemption { images: applied.images, values: applied.values }),
            Err(message) => Err(Box::new(self.outcome(Verdict::Error, message))),
        }
    }
}
