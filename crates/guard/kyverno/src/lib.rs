//! Kyverno's policies, both generations, judged natively.
//!
//! [`legacy`] is the older generation (patterns, JMESPath, overlays), [`cel_policy`] the newer one (CEL); [`jmespath`]
//! is the expression language of the older. [`LANGUAGE`] is the entry for both.

pub mod cel_policy;
pub mod jmespath;
pub mod language;
pub mod legacy;
pub mod steps;
pub mod testing;
mod upkeep;

pub use language::LANGUAGE;
