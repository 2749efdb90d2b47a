//! Kyverno's legacy generation: policies of `kyverno.io`.

pub mod condition;
pub mod pattern;
pub mod pod_security;
