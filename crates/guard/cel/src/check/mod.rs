//! Types: how they are inferred, and what operators accept.
//!
//! The checker is gradual: what is [`crate::Type::Dyn`] passes and is decided when evaluated. It follows cel-go's rules, so
//! that an expression that Kubernetes or Kyverno refuse is refused here, and no other.

mod inference;
mod operators;
mod suggest;
#[cfg(test)]
mod tests;

pub(crate) use inference::Inference;
pub(crate) use operators::{Operators, Signature};
pub(crate) use suggest::nearest;
