//! Rego, Open Policy Agent's policy language, in both of its generations (v0 and v1).
//!
//! Text becomes a [`syntax::ast::Module`]; modules become one [`Program`] (a plan of registers and nested loops, see
//! [`plan`]); a [`machine::Machine`] runs an entry point of it over `input` and `data`. The engine is pure: time,
//! randomness and HTTP come through [`machine::Inputs`], and the same inputs give the same answer.
//!
//! Deliberately absent: partial evaluation, the REST server and WebAssembly.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

pub mod builtins;
pub mod bundle;
pub mod compile;
pub mod machine;
pub mod packages;
pub mod plan;
pub mod reads;
pub mod syntax;
pub mod testing;

pub use compile::{CompileOptions, compile};
pub use packages::LANGUAGE;
pub use palisade_rego_value::{Number, Value};
pub use plan::Program;
