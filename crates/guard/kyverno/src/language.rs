//! Kyverno as a policy language: both generations behind one entry.

use std::sync::Arc;

use palisade_model::Resource;
use palisade_policy::{Language, Loaded, Policy, PolicyDocument};

use crate::legacy;

/// Kyverno's policies of both generations.
pub const LANGUAGE: &dyn Language = &Kyverno;

#[derive(Debug)]
struct Kyverno;

impl Language for Kyverno {
    fn id(&self) -> &'static str {
        "kyverno"
    }

    fn summary(&self) -> &'static str {
        "Kyverno policies of kyverno.io (ClusterPolicy, Policy) and policies.kyverno.io (ValidatingPolicy and its kin)"
    }

    fn claims(&self, document: &PolicyDocument) -> bool {
        palisade_kyverno_cel::claims(document) || legacy::claims(document)
    }

    fn load(&self, documents: &[PolicyDocument], _others: &[PolicyDocument]) -> Loaded {
        let mut loaded = Loaded::default();
        let mut exceptions = Vec::new();
        for document in documents.iter().filter(|document| legacy::is_exception(document)) {
            exceptions.extend(legacy::exception(document, &mut loaded.diagnostics).map(Arc::new));
        }
        for document in documents {
            if palisade_kyverno_cel::claims(document) {
                continue;
            }
            let policy = legacy::policy(document, &exceptions, &mut loaded.diagnostics);
            loaded.policies.extend(policy);
        }
        let modern: Vec<Resource> =
            documents.iter().filter(|document| palisade_kyverno_cel::claims(document)).cloned().collect();
        let modern = palisade_kyverno_cel::load(&modern);
        loaded.policies.extend(modern.policies);
        loaded.diagnostics.extend(modern.diagnostics);
        in_order(&mut loaded.policies, documents);
        loaded
    }
}

/// Policies in the order of their documents, whatever their generation.
fn in_order(policies: &mut [Arc<dyn Policy>], documents: &[PolicyDocument]) {
    let position = |policy: &Arc<dyn Policy>| {
        let reference = policy.reference();
        documents.iter().position(|document| {
            document.kind() == &*reference.kind
                && document.name() == &*reference.name
                && document.namespace() == reference.namespace.as_deref().unwrap_or_default()
        })
    };
    policies.sort_by_cached_key(position);
}
