//! The arguments of a call: checked once against what the function takes, then read by position.

use std::borrow::Cow;
use std::fmt;

use palisade_model::{Map, Value};

use super::{Answer, Arity, Function, Kind};
use crate::ast::{Call, Node};
use crate::evaluate::{Current, Evaluator, lenient};
use crate::{QueryError, Runtime};

/// An argument as it was evaluated.
#[derive(Debug)]
pub(crate) enum Argument<'v> {
    /// A value; what was not found is null.
    Value(Cow<'v, Value>),
    /// An expression that the function applies itself.
    Expression(&'v Node),
}

/// The arguments of one call.
pub(crate) struct Arguments<'v> {
    evaluator: Evaluator<'v>,
    call: &'v Call,
    values: Vec<Argument<'v>>,
}

impl<'v> Arguments<'v> {
    pub(crate) fn new(evaluator: Evaluator<'v>, call: &'v Call, values: Vec<Argument<'v>>) -> Self {
        Self { evaluator, call, values }
    }

    /// Checks number and kinds, then runs the function.
    pub(crate) fn apply(&self, function: &Function) -> Answer {
        if let Some(message) = function.misfit(self.len()) {
            return Err(QueryError::Invalid(message));
        }
        if let Arity::Exact(kinds) = function.arity {
            for (position, (kinds, argument)) in kinds.iter().zip(&self.values).enumerate() {
                if !kinds.iter().any(|kind| is_of_kind(argument, *kind)) {
                    return Err(self.wrong_kind(position, kinds, argument));
                }
            }
        }
        (function.run)(self)
    }

    fn wrong_kind(&self, position: usize, kinds: &[Kind], argument: &Argument<'_>) -> QueryError {
        let expected: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        let found = match argument {
            Argument::Value(value) => value.type_name(),
            Argument::Expression(_) => "expression reference",
        };
        self.error(format_args!("argument {} must be {}, not {found}", position + 1, expected.join(" or ")))
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// An error that names the function.
    pub(super) fn error(&self, what: impl fmt::Display) -> QueryError {
        QueryError::Invalid(format!("function `{}` {what}", self.call.name))
    }

    pub(super) fn runtime(&self) -> &Runtime<'v> {
        self.evaluator.runtime
    }

    pub(super) fn call(&self) -> &Call {
        self.call
    }

    /// Takes `count` steps from the budget, for work in proportion to the data.
    pub(super) fn charge(&self, count: usize) -> Result<(), QueryError> {
        self.evaluator.charge(count)
    }

    /// Takes steps for producing `bytes` of text.
    pub(super) fn charge_text(&self, bytes: usize) -> Result<(), QueryError> {
        self.evaluator.charge(bytes / 16)
    }

    pub(super) fn charge_tree(&self, value: &Value) -> Result<(), QueryError> {
        self.evaluator.charge_tree(value)
    }

    pub(super) fn equal(&self, left: &Value, right: &Value) -> Result<bool, QueryError> {
        self.evaluator.equal(left, right)
    }

    /// Argument `position` as a value.
    pub(super) fn value(&self, position: usize) -> Result<&Value, QueryError> {
        match self.values.get(position) {
            Some(Argument::Value(value)) => Ok(value),
            Some(Argument::Expression(_)) => Err(self.not(position, "a value")),
            None => Err(self.not(position, "present")),
        }
    }

    fn not(&self, position: usize, what: &str) -> QueryError {
        self.error(format_args!("argument {} is not {what}", position + 1))
    }

    pub(super) fn text(&self, position: usize) -> Result<&str, QueryError> {
        self.value(position)?.as_str().ok_or_else(|| self.not(position, "a string"))
    }

    pub(super) fn number(&self, position: usize) -> Result<f64, QueryError> {
        self.value(position)?.as_f64().ok_or_else(|| self.not(position, "a number"))
    }

    pub(super) fn array(&self, position: usize) -> Result<&[Value], QueryError> {
        self.value(position)?.as_array().ok_or_else(|| self.not(position, "an array"))
    }

    pub(super) fn object(&self, position: usize) -> Result<&Map, QueryError> {
        self.value(position)?.as_object().ok_or_else(|| self.not(position, "an object"))
    }

    /// Applies the expression at `position` to `value`; what is not found is null.
    pub(super) fn apply_expression(&self, position: usize, value: &Value) -> Answer {
        let Some(Argument::Expression(node)) = self.values.get(position) else {
            return Err(self.not(position, "an expression reference"));
        };
        lenient(self.evaluator.evaluate(node, Current::Value(value))).map(Cow::into_owned)
    }

    /// A string, number or boolean as Kyverno prints it: numbers with the precision of a 32-bit float.
    pub(super) fn scalar_text<'t>(&self, position: usize, value: &'t Value) -> Result<Cow<'t, str>, QueryError> {
        match value {
            Value::String(text) => Ok(Cow::Borrowed(text)),
            Value::Bool(value) => Ok(Cow::Owned(value.to_string())),
            Value::Int(_) | Value::Float(_) => Ok(Cow::Owned((value.as_f64().unwrap_or_default() as f32).to_string())),
            _ => Err(self.not(position, "a string or a number")),
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Numbers => "an array of numbers",
            Self::Strings => "an array of strings",
            Self::Expression => "an expression reference (`&`)",
        }
    }
}

fn is_of_kind(argument: &Argument<'_>, kind: Kind) -> bool {
    let Argument::Value(value) = argument else { return matches!(kind, Kind::Expression | Kind::Any) };
    let all = |accept: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(accept));
    match kind {
        Kind::Any => true,
        Kind::Number => value.as_f64().is_some(),
        Kind::String => value.as_str().is_some(),
        Kind::Array => value.as_array().is_some(),
        Kind::Object => value.as_object().is_some(),
        Kind::Numbers => all(|item| item.as_f64().is_some()),
        Kind::Strings => all(|item| item.as_str().is_some()),
        Kind::Expression => false,
    }
}
