//! Kubernetes' CEL admission policies, and the parts that every kind of CEL policy is made of.
//!
//! A policy document is read once ([`document`]), its expressions are compiled once ([`expression`]), and a request is
//! then judged by evaluating them over one scope ([`evaluation`]). Kyverno's CEL kinds are built from the same parts in
//! `palisade-kyverno`.

pub mod binding;
pub mod codes;
pub mod conditions;
pub mod document;
pub mod environments;
pub mod evaluation;
pub mod expression;
pub mod matching;
pub mod mutation;
pub mod namespace;
pub mod params;
pub mod selector;
pub mod subject;
pub mod validation;

mod fields;
mod known_name;
mod language;
mod mutating;
mod policy;
mod reads;
mod sharing;
mod unknown;
mod validating;

#[cfg(test)]
mod tests;

pub use codes::CODES;
pub use conditions::Conditions;
pub use document::{Node, Reader, ReaderCodes};
pub use environments::{Purpose, environment, namespaced_environment};
pub use evaluation::{Evaluation, Variables};
pub use expression::{Compiler, Expression, Failure, within_scalar};
pub use language::LANGUAGE;
pub use matching::MatchResources;
pub use mutation::Mutations;
pub use namespace::NamespaceView;
pub use selector::LabelSelector;
pub use sharing::Pool;
pub use subject::{Dialect, Subject};
pub use validation::{Decision, Validations};
