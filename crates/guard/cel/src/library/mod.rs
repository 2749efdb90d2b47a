//! The registration interface: a library is a table of functions, macros and types that an [`Env`](crate::Env) turns on.
//!
//! Functions are plain `fn` pointers over values; what they need from outside they take from [`Call`]. Signatures are
//! typed, so that the checker can say that no overload matches before anything runs.

pub mod kubernetes;
pub mod kyverno;
pub mod re2;
pub mod standard;

mod call;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod textual;

use std::borrow::Cow;
use std::fmt;

pub use call::Call;

use crate::syntax::{Expander, Expansion, MacroCall};
use crate::{CompileError, EvalError, Type, Val};

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// `f(x)`, or `namespace.f(x)` where the name is dotted.
    Global,
    /// `x.f(y)`; the receiver is the first argument.
    Member,
}

/// What a call costs beside what its function spends itself through [`Call::spend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// So many units.
    Fixed(u64),
    /// One unit and a tenth of the size of every text, bytes, list and map argument.
    Sizes,
}

/// The body of a function. Arguments have the types of the signature; the receiver of a member comes first.
pub type Implementation = fn(&mut Call<'_>, &[Val]) -> Result<Val, EvalError>;

/// One overload of a function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The name: `size`, `sets.contains`.
    pub name: Cow<'static, str>,
    /// How it is called.
    pub style: Style,
    /// The types of the arguments, the receiver's first.
    pub params: Vec<Type>,
    /// Whether the last argument may be repeated any number of times, zero included.
    pub variadic: bool,
    /// The type of the result.
    pub result: Type,
    /// What a call costs.
    pub cost: Cost,
    /// The position of an argument that is a regular expression, to be compiled once where it is constant.
    pub pattern: Option<usize>,
    /// Whether it gives the same result for the same arguments whatever surrounds it, so that calls with constant
    /// arguments are evaluated once.
    pub constant: bool,
    /// The body.
    pub call: Implementation,
}

impl Function {
    /// A function called as `name(x)`; `name` may be dotted.
    pub fn global(
        name: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Type>>,
        result: Type,
        call: Implementation,
    ) -> Self {
        let (name, params) = (name.into(), params.into());
        let (style, cost) = (Style::Global, Cost::Fixed(1));
        Self { name, style, params, variadic: false, result, cost, pattern: None, constant: true, call }
    }

    /// A function called as `x.name(y)`; the first of `params` is the receiver.
    pub fn member(
        name: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Type>>,
        result: Type,
        call: Implementation,
    ) -> Self {
        Self { style: Style::Member, ..Self::global(name, params, result, call) }
    }

    /// Sets the cost.
    #[must_use]
    pub const fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// The last argument may be repeated.
    #[must_use]
    pub const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    /// The argument at `position` is a regular expression, for [`Call::pattern`].
    #[must_use]
    pub const fn pattern(mut self, position: usize) -> Self {
        self.pattern = Some(position);
        self
    }

    /// The result depends on more than the arguments: the environment, time, a look-up, chance.
    #[must_use]
    pub const fn contextual(mut self) -> Self {
        self.constant = false;
        self
    }
}

/// A macro: a call that is rewritten before names are resolved.
#[derive(Clone, Copy, Debug)]
pub struct Macro {
    /// The name of the call.
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// How many arguments it takes, without the receiver; `None` for any number.
    pub arity: Option<usize>,
    /// Rewrites the call, or hands it back.
    pub expand: fn(&mut Expander, MacroCall) -> Result<Expansion, CompileError>,
}

/// Builds an object from `Name{field: value}`.
pub type Construct = fn(&mut Call<'_>, &str, Vec<(palisade_model::Str, Val)>) -> Result<Val, EvalError>;

/// Types of which expressions may write `Name{field: value}`.
#[derive(Clone, Copy, Debug)]
pub struct StructType {
    /// The name, and with `nested` every dotted name under it (`Object`, `Object.spec`).
    pub name: &'static str,
    /// Whether dotted names under `name` are types too.
    pub nested: bool,
    /// The type of the field of a type of this family; `None` where there is no such field.
    pub field: fn(type_name: &str, field: &str) -> Option<Type>,
    /// Builds the object.
    pub construct: Construct,
}

impl StructType {
    /// Whether `name` is of this family.
    pub fn matches(&self, name: &str) -> bool {
        name.strip_prefix(self.name).is_some_and(|rest| rest.is_empty() || (self.nested && rest.starts_with('.')))
    }
}

/// A set of functions, macros and types that is turned on as a whole.
#[derive(Clone, Default)]
pub struct Library {
    /// What it is called in messages, such as `kubernetes.quantity`.
    pub name: &'static str,
    /// Its functions.
    pub functions: Vec<Function>,
    /// Its macros.
    pub macros: Vec<Macro>,
    /// Names that denote types: `net.IP` as in `type(x) == net.IP`.
    pub types: Vec<Type>,
    /// Types that expressions may construct.
    pub structs: Vec<StructType>,
    /// Names that denote constants.
    pub constants: Vec<(&'static str, Val)>,
}

impl Library {
    /// A library of functions only.
    pub fn of(name: &'static str, functions: impl Into<Vec<Function>>) -> Self {
        Self { name, functions: functions.into(), ..Self::default() }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("name", &self.name)
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

/// An argument that has the wrong type although the signature let it through; libraries return it with `?`.
pub fn mismatch(function: &str, arguments: &[Val]) -> EvalError {
    let types: Vec<_> = arguments.iter().map(Val::type_name).collect();
    EvalError::NoOverload(format!("{function}({})", types.join(", ")).into())
}
