//! The functions that Rego provides, one file per family, and the one table that lists them.
//!
//! A builtin is a pure function of its arguments and the [`Context`]: what is outside comes through the [`Host`], work is
//! drawn from the budget. What it cannot do is a [`BuiltinError`]: outside strict mode the call is then undefined; a
//! `Halt` ends the evaluation in every mode. Deliberately absent: the engine that calls them, and `rego.parse_module`,
//! which needs the parser and is listed there.

mod aggregates;
mod arithmetic;
mod arrays;
mod aws;
mod bits;
mod comparison;
mod config;
mod crypto;
mod declare;
mod encodings;
mod globs;
mod graphql;
mod graphs;
mod host;
mod http;
mod json_patch;
mod json_paths;
mod json_schema;
mod json_yaml;
mod jwt;
mod memory;
mod meta;
mod net;
mod numbers;
mod objects;
pub mod operands;
mod regexes;
mod semver;
mod sets;
mod sprintf;
mod strings;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod type_checks;
pub mod types;
mod units;
mod uris;
mod uuid;

use jiff::Timestamp;
use palisade_model::{Budget, Spent};
use palisade_rego_value::Value;

pub use host::{Host, Offline};
pub use memory::Memory;
use types::Type;

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
    pub run: fn(&mut Context<'_>, &[Value]) -> Answer,
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

impl Context<'_> {
    /// Draws steps from the budget, one per element or so many bytes gone through.
    pub fn step(&mut self, steps: usize) -> Result<(), BuiltinError> {
        Ok(self.budget.step(steps)?)
    }

    /// Draws bytes from the budget before they are taken, and steps for the time it takes to fill them.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), BuiltinError> {
        Ok(self.budget.grow(bytes)?)
    }

    /// Draws what a collection of so many values takes.
    pub(crate) fn collect(&mut self, values: usize) -> Result<(), BuiltinError> {
        self.grow(values.saturating_mul(size_of::<Value>()))?;
        self.step(values)
    }

    /// Draws what the text of a value takes, of which parts may stand in many places.
    pub(crate) fn weigh(&mut self, value: &Value) -> Result<(), BuiltinError> {
        match value {
            Value::String(text) => self.grow(text.len() + 2),
            Value::Array(items) => items.iter().try_for_each(|item| self.weigh(item)),
            Value::Set(set) => set.iter().try_for_each(|item| self.weigh(item)),
            Value::Object(object) => object.iter().try_for_each(|(key, value)| {
                self.weigh(key)?;
                self.weigh(value)
            }),
            Value::Null | Value::Bool(_) => self.grow(5),
            Value::Number(number) => self.grow(number.to_string().len()),
        }?;
        self.step(1)
    }
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

impl From<Spent> for BuiltinError {
    fn from(spent: Spent) -> Self {
        Self::Halt(spent.to_string())
    }
}

impl BuiltinError {
    /// The work failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// What a builtin answers: `Ok(None)` is undefined.
pub type Answer = Result<Option<Value>, BuiltinError>;

/// A defined answer.
#[expect(clippy::unnecessary_wraps, reason = "it is the form that builtins answer in")]
pub(crate) fn answer(value: impl Into<Value>) -> Answer {
    Ok(Some(value.into()))
}

/// The families, each a file with its own table of [`Builtin`]s.
pub const FAMILIES: &[&[Builtin]] = &[
    aggregates::BUILTINS,
    arithmetic::BUILTINS,
    arrays::BUILTINS,
    aws::BUILTINS,
    bits::BUILTINS,
    comparison::BUILTINS,
    config::BUILTINS,
    crypto::BUILTINS,
    encodings::BUILTINS,
    globs::BUILTINS,
    graphql::BUILTINS,
    graphs::BUILTINS,
    http::BUILTINS,
    json_patch::BUILTINS,
    json_paths::BUILTINS,
    json_yaml::BUILTINS,
    json_schema::BUILTINS,
    jwt::BUILTINS,
    meta::BUILTINS,
    net::BUILTINS,
    numbers::BUILTINS,
    objects::BUILTINS,
    regexes::BUILTINS,
    semver::BUILTINS,
    sets::BUILTINS,
    strings::BUILTINS,
    template::BUILTINS,
    time::BUILTINS,
    type_checks::BUILTINS,
    units::BUILTINS,
    uris::BUILTINS,
    uuid::BUILTINS,
];

/// The builtin of a name such as `json.patch`; operators go by the name of their function (`plus`).
pub fn find(name: &str) -> Option<&'static Builtin> {
    all().find(|builtin| builtin.name == name)
}

/// Every builtin, family by family.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    FAMILIES.iter().copied().flatten()
}

/// Builtins that OPA 1.0 and strict mode refuse, because they have better successors.
pub const DEPRECATED: &[&str] = &[
    "all",
    "any",
    "cast_array",
    "cast_boolean",
    "cast_null",
    "cast_object",
    "cast_set",
    "cast_string",
    "net.cidr_overlap",
    "re_match",
    "set_diff",
];
