//! The functions that Rego provides, one file per family, and the one table that lists them.
//!
//! A builtin is a pure function of its arguments and the [`Context`]. What it cannot do is a [`BuiltinError`]: outside
//! strict mode the call is then undefined; a `Halt` ends the evaluation in every mode.

mod memory;
mod operands;

use jiff::Timestamp;

pub use memory::Memory;

use crate::machine::{Budget, Host};
use crate::types::Type;
use crate::value::Value;

/// A function of the language.
#[derive(Debug)]
pub struct Builtin {
    /// Its name, such as `json.patch`.
    pub name: &'static str,
    /// Types of its arguments.
    pub arguments: &'static [Type],
    /// Type of its result.
    pub result: Type,
    /// Whether the answer may differ between calls with the same arguments (and is worth recording for a replay).
    pub nondeterministic: bool,
    /// What it does; `Ok(None)` is undefined.
    pub run: fn(&mut Context<'_>, &[Value]) -> Result<Option<Value>, BuiltinError>,
}

/// What a builtin may use beside its arguments.
#[allow(missing_debug_implementations, reason = "it borrows the evaluation for one call")]
pub struct Context<'a> {
    /// The moment of the evaluation (`time.now_ns`), the same for all calls.
    pub now: Timestamp,
    /// Seed of everything random; calls with the same arguments give the same answer in one evaluation.
    pub seed: u64,
    /// What is outside: HTTP, name look-ups, environment variables that the configuration permits.
    pub host: &'a dyn Host,
    /// What is left of the evaluation's steps and memory; builtins whose work grows with their input draw from it.
    pub budget: &'a mut Budget,
    /// What builtins remember during one evaluation: compiled patterns, drawn identifiers, HTTP answers.
    pub memory: &'a mut Memory,
}

/// Why a builtin has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuiltinError {
    /// An operand of the wrong type or value (`eval_type_error`), without the name of the builtin:
    /// `operand 1 must be number but got string`.
    #[error("{0}")]
    Type(String),
    /// The work failed (`eval_builtin_error`), without the name of the builtin.
    #[error("{0}")]
    Failed(String),
    /// A limit is reached; the evaluation ends.
    #[error("{0}")]
    Halt(String),
}

/// What a builtin answers: `Ok(None)` is undefined.
pub(crate) type Answer = Result<Option<Value>, BuiltinError>;

/// The families, each a file with its own table of [`Builtin`]s.
pub const FAMILIES: &[&[Builtin]] = &[];

/// The builtin of a name such as `json.patch`; operators go by the name of their function (`plus`).
pub fn find(name: &str) -> Option<&'static Builtin> {
    all().find(|builtin| builtin.name == name)
}

/// Every builtin, family by family.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    FAMILIES.iter().copied().flatten()
}
