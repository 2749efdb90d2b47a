//! Kyverno's legacy generation: policies of `kyverno.io`.
//!
//! A document is read ([`spec`]), rules are derived from it ([`autogen`]), its parts are checked against one another,
//! and the result judges requests: selection ([`matching`]), named values ([`context`]), replacement of variables
//! ([`variables`]), conditions, exceptions, then the rule's body.

pub mod autogen;
pub mod cleanup;
pub mod codes;
pub mod condition;
pub mod context;
pub mod exception;
pub mod generate;
pub mod matching;
pub mod mutate;
pub mod pattern;
pub mod policy;
pub mod spec;
pub mod variables;

mod check;
mod load;
mod reach;
mod reads;
mod rule;
mod upkeep;
mod validate;
mod verify_images;

use std::sync::Arc;

use palisade_model::{Diagnostic, Resource};
use palisade_policy::Policy;

use exception::Exception;

/// Whether a document is of this generation.
pub fn claims(document: &Resource) -> bool {
    let kinds = ["ClusterPolicy", "Policy", "PolicyException", "ClusterCleanupPolicy", "CleanupPolicy"];
    kinds.contains(&document.kind()) && is_of_group(document)
}

/// Whether a document is a PolicyException of this generation.
pub fn is_exception(document: &Resource) -> bool {
    document.kind() == "PolicyException" && is_of_group(document)
}

fn is_of_group(document: &Resource) -> bool {
    document.gvk().is_some_and(|gvk| &*gvk.group == "kyverno.io")
}

/// Reads a PolicyException; `None` where a diagnostic says why it cannot be used.
pub fn exception(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<Exception> {
    load::exception(document, diagnostics)
}

/// Loads a policy; `None` where it is none, or a diagnostic says why it cannot be used.
pub fn policy(
    document: &Resource,
    exceptions: &[Arc<Exception>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Arc<dyn Policy>> {
    if !claims(document) || is_exception(document) {
        return None;
    }
    if cleanup::claims(document) {
        return Some(Arc::new(cleanup::policy(document, diagnostics)?));
    }
    let policy = load::policy(document, exceptions, diagnostics)?;
    Some(Arc::new(policy))
}

#[cfg(test)]
mod tests;
