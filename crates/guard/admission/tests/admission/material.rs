//! What tests are made of: policies from text, reviews from objects, surroundings that know nothing.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_admission::{Limits, Review, validate};
use palisade_document::parse;
use palisade_model::{Decision, Diagnostic, Level, Resource, Value, json};
use palisade_policy::{AdmissionRequest, Environment, Language, Offline, Operation, Policy, Request, Variables};
use palisade_verdict::Ruleset;

pub(crate) const LANGUAGES: [&dyn Language; 3] =
    [palisade_kyverno::LANGUAGE, palisade_cel::admission::LANGUAGE, palisade_gatekeeper::LANGUAGE];

/// The documents of a YAML text.
pub(crate) fn documents(name: &str, text: &[u8]) -> Vec<Resource> {
    let parsed = parse(name, text, &palisade_document::Limits::default());
    parsed.documents.into_iter().flat_map(palisade_document::expand_lists).map(|document| document.resource()).collect()
}

/// The policies among documents, and what was wrong with them.
pub(crate) fn load(documents: &[Resource]) -> (Vec<Arc<dyn Policy>>, Vec<Diagnostic>) {
    let (mut policies, mut diagnostics) = (Vec::new(), Vec::new());
    for language in LANGUAGES {
        let (own, others): (Vec<_>, Vec<_>) = documents.iter().cloned().partition(|document| language.claims(document));
        if !own.is_empty() {
            let loaded = language.load(&own, &others);
            policies.extend(loaded.policies);
            diagnostics.extend(loaded.diagnostics);
        }
    }
    (policies, diagnostics)
}

/// Policies that must load.
pub(crate) fn policies(yaml: &str) -> Vec<Arc<dyn Policy>> {
    let (policies, diagnostics) = load(&documents("policies.yaml", yaml.as_bytes()));
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
    assert!(errors.is_empty() && !policies.is_empty(), "{errors:#?}");
    policies
}

pub(crate) fn ruleset_of(policies: Vec<Arc<dyn Policy>>) -> Ruleset {
    Ruleset::of(policies)
}

pub(crate) fn ruleset(yaml: &str) -> Ruleset {
    ruleset_of(policies(yaml))
}

/// Asks something in surroundings that know nothing, at the epoch.
pub(crate) fn offline<T>(ask: impl FnOnce(&Environment<'_>) -> T) -> T {
    let variables = Variables::default();
    ask(&Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables))
}

/// The request that brings an object about.
pub(crate) fn created(object: &Value) -> Request {
    Request::admission(AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Create))
}

/// The `request` of a review about an object.
pub(crate) fn request_about(object: &Value, operation: Operation) -> Value {
    let resource = Resource::in_memory(object.clone());
    let gvk = resource.gvk().unwrap_or_default();
    let (new, old) = match operation {
        Operation::Delete => (Value::Null, object.clone()),
        Operation::Update => (object.clone(), object.clone()),
        _ => (object.clone(), Value::Null),
    };
    let mut request = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "userInfo": {"username": "jane", "uid": "7", "groups": ["shop", "system:authenticated"]},
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        "dryRun": false
    });
    let names = |last: &str, text: &str| json!({"group": &*gvk.group, "version": &*gvk.version, last: text});
    let plural = palisade_model::resource::plural(&gvk.kind);
    let map = request.as_object_mut().unwrap();
    map.insert("kind", names("kind", &gvk.kind));
    map.insert("resource", names("resource", &plural));
    map.insert("requestKind", names("kind", &gvk.kind));
    map.insert("requestResource", names("resource", &plural));
    map.insert("name", resource.name());
    map.insert("namespace", resource.namespace());
    map.insert("operation", operation.as_str());
    map.insert("object", new);
    map.insert("oldObject", old);
    request
}

/// A review as bytes.
pub(crate) fn bytes(request: &Value) -> Vec<u8> {
    let mut review = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"});
    review.as_object_mut().unwrap().insert("request", request.clone());
    review.to_json().into_bytes()
}

pub(crate) fn review(request: &Value) -> Review {
    Review::read(&bytes(request), &Limits::default()).unwrap()
}

/// What a validating webhook answers about an object.
pub(crate) fn validated(ruleset: &Ruleset, object: &Value, operation: Operation) -> Decision {
    offline(|environment| validate(ruleset, &review(&request_about(object, operation)), environment))
}
