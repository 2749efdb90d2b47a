//! What ValidatingAdmissionPolicy and MutatingAdmissionPolicy have in common.

use std::sync::Arc;

use palisade_model::{Map, Str, Value, Verdict};
use palisade_policy::{AdmissionRequest, Enforcement, Environment, Phase, PolicyInfo, Reach, RuleInfo, RuleOutcome};

use super::binding::Binding;
use super::conditions::Conditions;
use super::document::{Node, Reader};
use super::environments::{Purpose, environment};
use super::evaluation::{Evaluation, Variables};
use super::expression::Compiler;
use super::matching::MatchResources;
use super::params::ParamKind;
use super::subject::{Dialect, Subject};
use crate::library::kubernetes::authorizer;
use crate::{Type, Val};

/// The parts of a policy that say whether it has a say, and in which surroundings.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) info: PolicyInfo,
    pub(super) constraints: MatchResources,
    pub(super) conditions: Conditions,
    pub(super) variables: Variables,
    /// Whether a condition that cannot be evaluated is taken as "not selected".
    pub(super) ignore_failures: bool,
    pub(super) param_kind: Option<ParamKind>,
    pub(super) bindings: Vec<Binding>,
    /// Whether expressions read `params.items`: Kyverno's commands hand all parameters of a binding over at once.
    list_params: bool,
    /// Whether expressions ask the authorizer.
    asks_authorizer: bool,
    /// Objects that were loaded beside the policies.
    pub(super) others: Arc<[Value]>,
}

impl Frame {
    /// Reads a policy. `body` compiles what the kind adds, between variables and the end.
    pub(super) fn read<T>(
        reader: &mut Reader<'_>,
        (phase, purpose): (Phase, Purpose),
        bindings: Vec<Binding>,
        others: Arc<[Value]>,
        body: impl FnOnce(&mut Compiler<'_, '_>, &Node<'_>) -> T,
    ) -> Option<(Self, T)> {
        let (name, spec) = super::binding::policy_parts(reader)?;
        let constraints = reader.object(&spec, "matchConstraints");
        if constraints.is_none() {
            reader.missing(&spec, "matchConstraints");
        }
        let constraints = constraints.map(|node| MatchResources::read(reader, &node)).unwrap_or_default();
        let param_kind = ParamKind::read(reader, &spec);
        let failure_policies = [("Fail", false), ("Ignore", true)];
        let ignore_failures = reader.word(&spec, "failurePolicy", &failure_policies).unwrap_or_default();
        let location = reader.locate(&palisade_model::Path::from_pointer("/metadata/name"));
        let document = reader.document();

        let mut compiler = Compiler::new(reader, environment(Dialect::Kubernetes, purpose));
        compiler.declare("authorizer", authorizer::authorizer_type());
        compiler.declare("authorizer.requestResource", authorizer::resource_check_type());
        if param_kind.is_some() {
            compiler.declare("params", Type::Dyn);
        }
        let conditions = Conditions::compile(&mut compiler, &spec, "matchConditions");
        compiler.declare_variables(&spec, "variables");
        let body = body(&mut compiler, &spec);
        let text = spec.value.to_json();
        // Nobody asks for objects that exist already.
        let depends_on_user = ["userInfo", "authorizer"].into_iter().any(|word| text.contains(word));
        let reach = Reach { background: !depends_on_user, ..Reach::of(constraints.reach(), document) };
        for binding in &bindings {
            compiler.reader.reads().absorb(&binding.reads);
        }
        let info = PolicyInfo::of(document, vec![RuleInfo { name, phase, location }])
            .reaching(reach)
            .reading(compiler.reader.reads().clone());
        let frame = Self {
            info,
            constraints,
            conditions,
            variables: compiler.into_variables(),
            ignore_failures,
            param_kind,
            bindings,
            list_params: text.contains("params.items"),
            asks_authorizer: text.contains("authorizer"),
            others,
        };
        Some((frame, body))
    }

    pub(super) fn name(&self) -> Str {
        self.info.reference.name.clone()
    }

    pub(super) fn outcome(&self, phase: Phase, verdict: Verdict, message: impl Into<String>) -> RuleOutcome {
        RuleOutcome::new(self.name(), phase, verdict, message)
    }

    /// The answer of a policy that could not be evaluated.
    pub(super) fn failure(&self, phase: Phase, message: impl Into<String>) -> RuleOutcome {
        let mut outcome = self.outcome(phase, Verdict::Error, message);
        if self.ignore_failures {
            outcome.enforcement = Enforcement::Audit;
        }
        outcome
    }

    /// Whether the policy selects the request at all.
    pub(super) fn selects(&self, request: &AdmissionRequest, subject: &Subject<'_>) -> Result<bool, String> {
        subject.namespace().map_or(Ok(false), |namespace| self.constraints.matches(request, namespace))
    }

    /// The bindings of the policy; one that binds everything where it has none, so that a policy can be checked before it
    /// is bound.
    pub(super) fn bindings(&self) -> impl Iterator<Item = Option<&Binding>> {
        let unbound = self.bindings.is_empty().then_some(None);
        unbound.into_iter().chain(self.bindings.iter().map(Some))
    }

    /// The values of `params` under a binding, one evaluation each; `Ok(None)` where there is nothing to evaluate, or the
    /// binding does not bind the request.
    pub(super) fn params(
        &self,
        binding: Option<&Binding>,
        request: &AdmissionRequest,
        subject: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> Result<Option<Vec<Value>>, String> {
        let Some(binding) = binding else { return Ok(Some(vec![Value::Null])) };
        if !subject.namespace().map_or(Ok(false), |namespace| binding.matches(request, namespace))? {
            return Ok(None);
        }
        let found = binding.params(self.param_kind.as_ref(), &request.namespace, &self.others, environment)?;
        Ok(match found {
            Some(params) if self.list_params => {
                let mut list = Map::new();
                list.insert("items", params);
                Some(vec![Value::object(list)])
            }
            other => other,
        })
    }

    /// An evaluation with `params`.
    pub(super) fn evaluation<'e>(
        &'e self,
        subject: &'e Subject<'e>,
        params: &Value,
        environment: &'e Environment<'e>,
    ) -> Evaluation<'e> {
        let evaluation = Evaluation::new(subject, environment, &self.variables);
        let evaluation = match subject.request().filter(|_| self.asks_authorizer) {
            Some(request) => evaluation
                .with("authorizer", authorizer::authorizer())
                .with("authorizer.requestResource", request_resource(request)),
            None => evaluation,
        };
        match &self.param_kind {
            Some(_) => evaluation.with("params", params),
            None => evaluation,
        }
    }

    /// Whether the match conditions hold; what cannot be evaluated is "no" where the policy ignores failures.
    pub(super) fn conditions_hold(&self, evaluation: &Evaluation<'_>) -> Result<bool, String> {
        match self.conditions.hold(evaluation) {
            Err(_) if self.ignore_failures => Ok(false),
            other => other,
        }
    }
}

fn request_resource(request: &AdmissionRequest) -> Val {
    let AdmissionRequest { resource, sub_resource, namespace, name, .. } = request;
    authorizer::request_resource(request.resource_group(), resource, sub_resource, namespace, name)
}
