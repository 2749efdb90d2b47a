//! Kyverno's CEL generation: the kinds of `policies.kyverno.io`.
//!
//! Each kind is compiled once into the parts that `palisade_cel::admission` provides; what is Kyverno's own is here:
//! exceptions, variants of pod rules for what makes pods, targets, generation, images and authorization requests.
//!
//! Deliberately absent: schedules and synchronisation, which are the server's business, and the older generation of
//! `kyverno.io`, which is `palisade_kyverno`'s.

mod authorization;
mod autogen;
mod deleting;
mod exception;
mod extraction;
mod generating;
mod identity;
mod image_pattern;
mod images;
mod judging;
mod kind;
mod mutating;
mod reach;
mod rule;
mod targets;
mod template;
pub mod upkeep;
mod validating;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use palisade_cel::admission::{Pool, Reader};
use palisade_model::{Resource, Value};
use palisade_policy::{Loaded, Policy, PolicyDocument};

use authorization::Gateway;
use exception::{Exception, ExceptionDocument};
use kind::Kind;

/// Whether a document is of `policies.kyverno.io`.
pub fn claims(document: &PolicyDocument) -> bool {
    Kind::of(document).is_some()
}

/// Compiles the documents of `policies.kyverno.io` among `documents`.
pub fn load(documents: &[PolicyDocument]) -> Loaded {
    let mut loaded = Loaded::default();
    let of_kind = |exceptions: bool| {
        documents
            .iter()
            .filter(move |document| Kind::of(document).is_some_and(|kind| (kind == Kind::Exception) == exceptions))
    };
    let policies: Vec<&Resource> = of_kind(false).collect();
    let mut exceptions = Vec::new();
    for document in of_kind(true) {
        if let Some(exception) = ExceptionDocument::read(document, &mut loaded.diagnostics) {
            exception.dangling(&policies, &mut loaded.diagnostics);
            exceptions.push(exception);
        }
    }
    let pool = Pool::default();
    for document in policies {
        let mut reader = Reader::new(document).beside(&pool);
        let exceptions = ExceptionDocument::of_policy(&exceptions, document);
        loaded.policies.extend(read(&mut reader, document, exceptions));
        loaded.diagnostics.extend(reader.into_diagnostics());
    }
    loaded
}

/// What `spec.evaluation.mode` says that a policy judges.
fn mode(document: &Resource) -> &str {
    document.object.dig(["spec", "evaluation", "mode"]).and_then(Value::as_str).unwrap_or("Kubernetes")
}

fn read(reader: &mut Reader<'_>, document: &Resource, exceptions: Vec<Exception>) -> Option<Arc<dyn Policy>> {
    fn shared(policy: Option<impl Policy + 'static>) -> Option<Arc<dyn Policy>> {
        policy.map(|policy| Arc::new(policy) as Arc<dyn Policy>)
    }
    for exception in &exceptions {
        reader.reads().absorb(&exception.reads);
    }
    match Kind::of(document)? {
        Kind::Validating => match Gateway::of_mode(mode(document)) {
            Some(gateway) => shared(authorization::AuthorizingPolicy::read(reader, exceptions, gateway)),
            None => shared(validating::ValidatingPolicy::read(reader, &exceptions, mode(document) == "JSON")),
        },
        Kind::Mutating => shared(mutating::MutatingPolicy::read(reader, &exceptions)),
        Kind::Generating => shared(generating::GeneratingPolicy::read(reader, exceptions)),
        Kind::Deleting => shared(deleting::DeletingPolicy::read(reader, exceptions)),
        Kind::ImageValidating => {
            shared(images::ImageValidatingPolicy::read(reader, &exceptions, mode(document) == "JSON"))
        }
        Kind::Exception => None,
    }
}
