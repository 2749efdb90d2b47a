//! Types: how they are inferred, and what operators accept.
//!
//! The checker is gradual: what is [`crate::Type::Dyn`] passes and is decided when evaluated. It follows cel-go's rules, so
//! that an expression that Kubernetes or Kyverno refuse is refused here, and no other.

mod inference;
mod operators;
#[cfg(test)]
mod tests;

pub(crate) use inference::Inference;
pub(crate) use operators::{Operators, Signature};

/// The candidate nearest to `name` that a user may write; names with `@` are our own.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    palisade_model::nearest(name, candidates.filter(|candidate| !candidate.starts_with('@')))
}
