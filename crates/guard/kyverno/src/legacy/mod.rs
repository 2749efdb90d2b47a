//! Kyverno's legacy generation: policies of `kyverno.io`.

pub mod codes;
pub mod condition;
pub mod pattern;
pub mod pod_security;
pub mod spec;
