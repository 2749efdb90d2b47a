//! CEL, the Common Expression Language, evaluated directly over [`palisade_model::Value`].
//!
//! An [`Env`] says which names and libraries exist; [`Env::compile`] parses, expands macros, checks types and resolves
//! names once; [`Program::evaluate`] then runs over borrowed data within a [`Budget`]. Libraries (Kubernetes', Kyverno's)
//! are tables of [`Function`]s. Kubernetes' own CEL kinds are in [`admission`].
//!
//! Deliberately absent: protocol buffers. Policies judge JSON, so messages are JSON objects.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

pub mod admission;
pub mod budget;
pub mod env;
pub mod error;
pub mod library;
pub mod program;
pub mod scope;
pub mod syntax;
pub mod types;
pub mod value;

mod check;
mod compile;
#[cfg(test)]
mod hostile_tests;

pub use budget::Budget;
pub use env::{Env, EnvBuilder, ObjectType};
pub use error::{CompileError, EvalError};
pub use library::{Call, Cost, Function, Library, Macro, StructType, Style};
pub use program::Program;
pub use scope::{Bindings, Scope};
pub use types::Type;
pub use value::{Dict, Entries, Key, List, Moment, Opaque, Val};
