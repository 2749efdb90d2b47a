//! The language entry of Kubernetes' CEL admission policies.

use std::sync::Arc;

use palisade_model::{Diagnostic, Str, Value};
use palisade_policy::{Language, Loaded, Policy, PolicyDocument};

use super::binding::{self, Binding};
use super::codes;
use super::document::Reader;
use super::mutating::MutatingAdmissionPolicy;
use super::sharing::Pool;
use super::validating::ValidatingAdmissionPolicy;

/// ValidatingAdmissionPolicy, MutatingAdmissionPolicy and their bindings.
pub const LANGUAGE: &dyn Language = &AdmissionPolicies;

#[derive(Debug)]
struct AdmissionPolicies;

/// A kind of policy and the kind of its bindings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Validating,
    Mutating,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Policy,
    Binding,
}

fn role_of(document: &PolicyDocument) -> Option<(Family, Role)> {
    let api_version = document.object.get("apiVersion").and_then(Value::as_str)?;
    let version = api_version.strip_prefix("admissionregistration.k8s.io/")?;
    matches!(version, "v1" | "v1beta1" | "v1alpha1").then_some(())?;
    match document.kind() {
        "ValidatingAdmissionPolicy" => Some((Family::Validating, Role::Policy)),
        "ValidatingAdmissionPolicyBinding" => Some((Family::Validating, Role::Binding)),
        "MutatingAdmissionPolicy" => Some((Family::Mutating, Role::Policy)),
        "MutatingAdmissionPolicyBinding" => Some((Family::Mutating, Role::Binding)),
        _ => None,
    }
}

impl Language for AdmissionPolicies {
    fn id(&self) -> &'static str {
        "kubernetes"
    }

    fn summary(&self) -> &'static str {
        "Kubernetes' ValidatingAdmissionPolicy and MutatingAdmissionPolicy"
    }

    fn claims(&self, document: &PolicyDocument) -> bool {
        role_of(document).is_some()
    }

    fn load(&self, documents: &[PolicyDocument], others: &[PolicyDocument]) -> Loaded {
        let mut loaded = Loaded::default();
        let bindings = read_bindings(documents, &mut loaded.diagnostics);
        let pool = Pool::default();
        let others: Arc<[Value]> = binding::objects(others).into();
        for document in documents {
            let Some((family, Role::Policy)) = role_of(document) else { continue };
            let mut reader = Reader::new(document).beside(&pool);
            let bound = bindings_of(&bindings, family, document.name());
            let policy: Option<Arc<dyn Policy>> = match family {
                Family::Validating => ValidatingAdmissionPolicy::read(&mut reader, bound, others.clone())
                    .map(|policy| Arc::new(policy) as Arc<dyn Policy>),
                Family::Mutating => MutatingAdmissionPolicy::read(&mut reader, bound, others.clone())
                    .map(|policy| Arc::new(policy) as Arc<dyn Policy>),
            };
            loaded.policies.extend(policy);
            loaded.diagnostics.extend(reader.into_diagnostics());
        }
        loaded
    }
}

fn bindings_of(bindings: &[(Family, Binding)], family: Family, policy: &str) -> Vec<Binding> {
    let bound = bindings.iter().filter(|(of, binding)| *of == family && &*binding.policy == policy);
    bound.map(|(_, binding)| binding.clone()).collect()
}

fn read_bindings(documents: &[PolicyDocument], diagnostics: &mut Vec<Diagnostic>) -> Vec<(Family, Binding)> {
    let policies: Vec<(Family, Str)> = documents
        .iter()
        .filter_map(|document| Some((role_of(document)?, document.name())))
        .filter(|((_, role), _)| *role == Role::Policy)
        .map(|((family, _), name)| (family, name.into()))
        .collect();
    let mut bindings = Vec::new();
    for document in documents {
        let Some((family, Role::Binding)) = role_of(document) else { continue };
        let mut reader = Reader::new(document);
        let Some(binding) = Binding::read(&mut reader) else {
            diagnostics.extend(reader.into_diagnostics());
            continue;
        };
        if !policies.contains(&(family, binding.policy.clone())) {
            let message = format!("binding `{}` names policy `{}`, which is not loaded", binding.name, binding.policy);
            let mut warning = Diagnostic::warning(codes::DANGLING_REFERENCE, message)
                .help("load the policy's file too, or correct `spec.policyName`");
            if let Some(location) = document.locate(&palisade_model::Path::from_pointer("/spec/policyName")) {
                warning = warning.at(location, "");
            }
            reader.report(warning);
        }
        bindings.push((family, binding));
        diagnostics.extend(reader.into_diagnostics());
    }
    bindings
}
