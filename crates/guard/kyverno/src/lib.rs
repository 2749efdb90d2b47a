//! Kyverno's policies, both generations, judged natively.

pub mod jmespath;
pub mod legacy;
