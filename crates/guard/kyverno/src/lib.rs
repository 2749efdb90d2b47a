//! Kyverno's policies, both generations, judged natively.

pub mod cel_policy;
pub mod jmespath;
pub mod legacy;
