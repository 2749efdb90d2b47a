//! Kyverno's policies, both generations, judged natively.
//!
//! [`legacy`] is the older generation: patterns, JMESPath, overlays. The newer one, in CEL, is `palisade_kyverno_cel`; what
//! others can use too has crates of its own: `palisade_jmespath`, `palisade_pod_security`. [`LANGUAGE`] is the entry for
//! both generations.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

pub mod language;
pub mod legacy;
pub mod testing;

pub use language::LANGUAGE;
