//! Kubernetes' CEL admission policies, and the parts that every kind of CEL policy is made of.
//!
//! A policy document is read once ([`document`]), its expressions are compiled once, and a request is then judged by
//! evaluating them over one scope. Kyverno's CEL kinds are built from the same parts in `palisade-kyverno`.

pub mod codes;
pub mod document;
pub mod matching;
pub mod mutation;
pub mod namespace;
pub mod selector;

pub use codes::CODES;
