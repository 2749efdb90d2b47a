//! OPA Gatekeeper's kinds, judged natively: ConstraintTemplate and constraints, expansion templates, mutators, suites.
//!
//! [`LANGUAGE`] loads a folder of them: one policy per constraint and one per mutator. A template's code runs on this
//! workspace's own Rego and CEL engines. Tests (`suite.yaml`, as `gator verify` runs them) are in [`testing`].
//!
//! Deliberately absent: calling external data providers, which needs a network; what depends on one is an error verdict.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

pub mod codes;
pub mod testing;

mod blame;
mod config;
mod constraint;
mod enforcement;
mod expansion;
mod inventory;
mod kinds;
mod language;
mod matching;
mod mutation;
mod reach;
mod review;
mod schema;
mod template;
#[cfg(test)]
mod tests;

pub use codes::CODES;
pub use language::{LANGUAGE, load};
pub use template::Preference;
