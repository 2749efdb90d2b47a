//! Policies from text to outcomes: what the parts of the engine do together.

mod loading;
mod rule_types;
mod selection;
mod validation;

use std::sync::Arc;

use jiff::Timestamp;
use palisade_document::{Limits, parse};
use palisade_model::{Diagnostic, Level, Resource, Value};
use palisade_policy::{
    AdmissionRequest, Environment, Lookups, Offline, Operation, Phase, Policy, Request, RuleOutcome, Variables,
    forward_lookups,
};

use super::exception::Exception;

/// Documents of a text.
fn documents(yaml: &str) -> Vec<Resource> {
    let parsed = parse("test.yaml", yaml.as_bytes(), &Limits::default());
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.documents.into_iter().map(palisade_document::Document::into_resource).collect()
}

/// What loading a policy reports, and whether it was loaded.
fn load(yaml: &str) -> (Option<Arc<dyn Policy>>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let (exceptions, policies): (Vec<_>, Vec<_>) = documents(yaml).into_iter().partition(super::is_exception);
    let exceptions: Vec<Arc<Exception>> =
        exceptions.iter().filter_map(|document| super::exception(document, &mut diagnostics)).map(Arc::new).collect();
    let policy = policies.first().and_then(|document| super::policy(document, &exceptions, &mut diagnostics));
    (policy, diagnostics)
}

/// A policy with these rules, and the exceptions behind them.
fn policy(rules: &str) -> Arc<dyn Policy> {
    let head = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: test}\nspec:\n  background: false\n  rules:\n";
    let (policy, diagnostics) = load(&format!("{head}{rules}"));
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
    policy.unwrap_or_else(|| panic!("not loaded: {errors:?}"))
}

/// A request about an object.
fn request(object: &str, operation: Operation) -> AdmissionRequest {
    AdmissionRequest::of(&documents(object).remove(0), operation)
}

fn judge(policy: &dyn Policy, request: AdmissionRequest, lookups: &dyn Lookups) -> Vec<RuleOutcome> {
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, lookups, &variables);
    policy.evaluate(Phase::Validate, &Request::admission(request), &environment)
}

/// `rule: verdict` for each outcome of validate rules about an object that is created.
fn verdicts(policy: &dyn Policy, object: &str) -> Vec<String> {
    let outcomes = judge(policy, request(object, Operation::Create), &Offline);
    outcomes.iter().map(|outcome| format!("{}: {}", outcome.rule, outcome.verdict)).collect()
}

/// The one outcome about an object that is created.
fn only(policy: &dyn Policy, object: &str) -> RuleOutcome {
    let mut outcomes = judge(policy, request(object, Operation::Create), &Offline);
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes.remove(0)
}

fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop, labels: {{app: web}}}}\nspec: {spec}\n")
}

/// Surroundings with one ConfigMap and an API that is down.
#[derive(Debug)]
struct Town;

impl Lookups for Town {
    forward_lookups!(|_this| Offline; objects, http, send, namespace);

    fn get(&self, query: &palisade_policy::ObjectQuery) -> Result<Value, palisade_policy::LookupError> {
        match &*query.name {
            "settings" => Ok(palisade_model::json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"allowed": "nginx"}
            })),
            other => Err(palisade_policy::LookupError::NotFound(other.into())),
        }
    }

    fn list(&self, query: &palisade_policy::ObjectQuery) -> Result<Vec<Value>, palisade_policy::LookupError> {
        Err(palisade_policy::LookupError::NotFound(query.resource.to_string()))
    }

    fn call(&self, call: &palisade_policy::ApiCall) -> Result<Value, palisade_policy::LookupError> {
        Err(palisade_policy::LookupError::Failed(format!("{} is down", call.url)))
    }

    fn global_context(&self, name: &str, _projection: &str) -> Result<Value, palisade_policy::LookupError> {
        Err(palisade_policy::LookupError::NotFound(name.into()))
    }

    fn image(&self, reference: &str) -> Result<Value, palisade_policy::LookupError> {
        Err(palisade_policy::LookupError::NotFound(reference.into()))
    }
}
