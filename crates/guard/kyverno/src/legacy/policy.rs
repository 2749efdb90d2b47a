//! A loaded ClusterPolicy or Policy.

use std::sync::Arc;

use palisade_cel::admission::{Conditions as MatchConditions, Dialect, Evaluation, Subject, Variables};
use palisade_model::Str;
use palisade_policy::{AdmissionRequest, Enforcement, Environment, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::exception::Exception;
use super::matching::Truth;
use super::rule;
use super::spec::{Body, FailureAction, FailureActionOverride, KindSelector, PolicySpec, Rule};
use super::validate::Demand;
use super::variables::Queries;

/// A policy that is ready to judge.
#[derive(Debug)]
pub struct LegacyPolicy {
    pub(super) info: PolicyInfo,
    pub(super) spec: PolicySpec,
    pub(super) namespaced: bool,
    pub(super) scored: bool,
    pub(super) rules: Vec<ReadyRule>,
    /// Kinds for which derived validate rules are asked.
    pub(super) derived_kinds: Vec<Str>,
    pub(super) match_conditions: MatchConditions,
    pub(super) queries: Queries,
    pub(super) kinds: Kinds,
}

/// A rule with everything about it that does not depend on the request.
#[derive(Debug)]
pub(super) struct ReadyRule {
    pub(super) rule: Rule,
    pub(super) phase: Phase,
    /// Whether autogen made it.
    pub(super) derived: bool,
    /// What a validate rule demands.
    pub(super) demand: Option<Demand>,
    /// Exceptions that name it.
    pub(super) exceptions: Vec<Arc<Exception>>,
}

/// Which kinds a policy can be about, to skip it cheaply.
#[derive(Debug)]
pub(super) enum Kinds {
    /// Any kind.
    Any,
    /// These kinds.
    These(Vec<Str>),
}

impl Kinds {
    /// The kinds of rules; wildcards and subresources may stand for any kind.
    pub(super) fn of<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        let mut kinds: Vec<Str> = Vec::new();
        let fixed = |selector: &&KindSelector| {
            selector.subresource.is_empty() && !palisade_model::wildcard::contains_wildcard(&selector.kind)
        };
        for rule in rules {
            let filters: Vec<_> = rule.matches.filters().filter(|filter| !filter.is_empty()).collect();
            let bounded = filters.iter().all(|filter| !filter.resources.kinds.is_empty());
            if filters.is_empty() || !bounded || !rule.matches.kinds().all(|selector| fixed(&selector)) {
                return Self::Any;
            }
            for selector in rule.matches.kinds() {
                if !kinds.contains(&selector.kind) {
                    kinds.push(selector.kind.clone());
                }
            }
        }
        Self::These(kinds)
    }

    fn cover(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(kinds) => kinds.iter().any(|covered| **covered == *kind),
        }
    }
}

impl ReadyRule {
    pub(super) const fn phase_of(rule: &Rule) -> Phase {
        match rule.body {
            Body::Mutate(_) => Phase::Mutate,
            Body::Generate(_) => Phase::Generate,
            Body::Validate(_) | Body::VerifyImages(_) => Phase::Validate,
        }
    }
}

impl LegacyPolicy {
    /// The namespace of a namespaced policy; empty for others.
    pub(super) fn namespace(&self) -> &str {
        self.info.reference.namespace.as_deref().unwrap_or_default()
    }

    /// The rules of `phase` that are asked about objects of `kind`. Derived validate rules are asked about the kinds
    /// of the autogen annotation only; a written rule with the name of a derived one gives way to them.
    pub(super) fn rules_for<'p>(&'p self, phase: Phase, kind: &str) -> impl Iterator<Item = &'p ReadyRule> {
        let derives = phase != Phase::Validate || self.derived_kinds.iter().any(|derived| **derived == *kind);
        let replaced = derives && self.rules.iter().any(|rule| rule.derived);
        self.rules.iter().filter(move |ready| {
            let asked = if ready.derived { derives } else { !(replaced && ready.rule.name.starts_with("autogen-")) };
            ready.phase == phase && asked
        })
    }

    /// What a violation of the rule leads to in the request's namespace.
    pub(super) fn enforcement(
        &self,
        rule: &Rule,
        request: &AdmissionRequest,
        environment: &Environment<'_>,
    ) -> Enforcement {
        let overridden = |overrides: &[FailureActionOverride]| {
            overrides.iter().find_map(|item| match item.covers(&request.namespace, environment) {
                Ok(covered) => covered.then_some(item.action),
                // It may be the one that enforces.
                Err(_) => Some(FailureAction::Enforce),
            })
        };
        let own = match &rule.body {
            Body::Validate(validation) => {
                overridden(&validation.failure_action_overrides).or(validation.failure_action)
            }
            _ => None,
        };
        let action =
            own.or_else(|| overridden(&self.spec.failure_action_overrides)).unwrap_or(self.spec.failure_action);
        match action {
            FailureAction::Enforce => Enforcement::Enforce,
            FailureAction::Audit if self.spec.emit_warning => Enforcement::Warn,
            FailureAction::Audit => Enforcement::Audit,
        }
    }

    /// Whether `webhookConfiguration.matchConditions` let the request through; a condition that cannot be evaluated
    /// does not.
    pub(super) fn conditions_hold(&self, request: &AdmissionRequest, environment: &Environment<'_>) -> bool {
        if self.match_conditions.is_empty() {
            return true;
        }
        let variables = Variables::default();
        let subject = Subject::admission(request, environment, Dialect::Kubernetes);
        let evaluation = Evaluation::new(&subject, environment, &variables);
        self.match_conditions.hold(&evaluation).unwrap_or(false)
    }
}

impl FailureActionOverride {
    fn covers(&self, namespace: &str, environment: &Environment<'_>) -> Truth {
        let named = self.namespaces.is_empty()
            || self.namespaces.iter().any(|pattern| palisade_model::wildcard::matches(pattern, namespace));
        match &self.namespace_selector {
            Some(selector) if named => selector.selects_namespace(namespace, environment),
            _ => Ok(named),
        }
    }
}

impl Policy for LegacyPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        request.as_admission().is_some_and(|request| self.kinds.cover(&request.kind.kind))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        request.as_admission().map(|request| rule::evaluate(self, phase, request, environment)).unwrap_or_default()
    }
}
