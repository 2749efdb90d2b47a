//! Kyverno's legacy generation: policies of `kyverno.io`.

pub mod codes;
pub mod condition;
pub mod context;
pub mod image_reference;
pub mod matching;
pub mod mutate;
pub mod pattern;
pub mod pod_security;
pub mod spec;
pub mod variables;
