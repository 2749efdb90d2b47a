//! Calls of library functions: shortcuts over borrowed text, else the first overload that takes the arguments.

use std::sync::Arc;

use super::machine::{Evaluated, Machine};
use super::node::{Construction, Invocation, Shortcut};
use super::term::{Term, View};
use crate::check::Signature;
use crate::{Call, Cost, EvalError, Function, Type, Val};

impl<'a> Machine<'a, '_> {
    pub(super) fn call(&mut self, call: &'a Invocation) -> Evaluated<'a> {
        match &*call.args {
            [] => self.dispatch(call, &[]),
            [a] => {
                let a = self.eval(a)?;
                match self.shortcut(call, &a, None)? {
                    Some(value) => Ok(Term::Own(value)),
                    None => self.dispatch(call, &[a.into_val()]),
                }
            }
            [a, b] => {
                let a = self.eval(a)?;
                let b = self.eval(b)?;
                match self.shortcut(call, &a, Some(&b))? {
                    Some(value) => Ok(Term::Own(value)),
                    None => self.dispatch(call, &[a.into_val(), b.into_val()]),
                }
            }
            args => {
                let args = args.iter().map(|arg| self.eval(arg).map(Term::into_val)).collect::<Result<Vec<_>, _>>()?;
                self.dispatch(call, &args)
            }
        }
    }

    fn shortcut(&mut self, call: &Invocation, a: &Term<'_>, b: Option<&Term<'_>>) -> Result<Option<Val>, EvalError> {
        let Some(shortcut) = call.shortcut else { return Ok(None) };
        let (View::String(text), argument) = (a.view(), b.map(Term::view)) else {
            let size = if shortcut == Shortcut::Size { a.rounds() } else { None };
            return Ok(size.map(Val::size));
        };
        let value = match (shortcut, argument) {
            (Shortcut::Size, None) => {
                self.budget.spend_size(text.len())?;
                Val::size(text.chars().count())
            }
            (Shortcut::StartsWith, Some(View::String(prefix))) => {
                self.budget.spend_size(prefix.len())?;
                Val::Bool(text.starts_with(prefix))
            }
            (Shortcut::EndsWith, Some(View::String(suffix))) => {
                self.budget.spend_size(suffix.len())?;
                Val::Bool(text.ends_with(suffix))
            }
            (Shortcut::Contains, Some(View::String(part))) => {
                self.budget.spend_size(text.len() + part.len())?;
                Val::Bool(text.contains(part))
            }
            (Shortcut::Matches, Some(View::String(_))) => {
                let Some(pattern) = &call.pattern else { return Ok(None) };
                self.budget.spend_size(text.len().saturating_mul(pattern.source().len() / 4 + 1))?;
                Val::Bool(pattern.regex().is_match(text))
            }
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn dispatch(&mut self, call: &'a Invocation, args: &[Val]) -> Evaluated<'a> {
        let Some(function) = call.overloads.iter().find(|overload| accepts(overload, args)) else {
            args.iter().try_for_each(Val::taken_whole)?;
            let types: Vec<_> = args.iter().map(Val::type_name).collect();
            return Err(EvalError::NoOverload(format!("{}({})", call.name, types.join(", ")).into()));
        };
        self.budget.spend(price(function, args))?;
        let mut surroundings = Call::new(self.budget, self.scope.environment(), call.pattern.as_ref());
        (function.call)(&mut surroundings, args).map(Term::Own)
    }

    pub(super) fn construct(&mut self, construction: &'a Construction) -> Evaluated<'a> {
        let mut fields = Vec::with_capacity(construction.fields.len());
        for (name, item) in &construction.fields {
            if let Some(value) = self.item(item)? {
                fields.push((name.clone(), value.into_val()));
            }
        }
        let mut surroundings = Call::new(self.budget, self.scope.environment(), None);
        (construction.of.construct)(&mut surroundings, &construction.name, fields).map(Term::Own)
    }
}

fn price(function: &Function, args: &[Val]) -> u64 {
    match function.cost {
        Cost::Fixed(units) => units,
        Cost::Sizes => {
            let size = |value: &Val| match value {
                Val::String(text) => text.len(),
                Val::Bytes(bytes) => bytes.len(),
                Val::List(list) => list.len(),
                Val::Map(map) => map.len(),
                _ => 0,
            };
            args.iter().map(|value| size(value) as u64 / 10).sum::<u64>() + 1
        }
    }
}

fn accepts(function: &Arc<Function>, args: &[Val]) -> bool {
    let last = function.params.last();
    Signature::from(&**function).takes(args.len())
        && args
            .iter()
            .enumerate()
            .all(|(at, value)| function.params.get(at).or(last).is_some_and(|param| param_accepts(param, value)))
}

/// Whether a value may be an argument of type `param`, as far as that shows without looking into collections.
fn param_accepts(param: &Type, value: &Val) -> bool {
    match (param, value) {
        (Type::Dyn | Type::Param(_) | Type::Var(_), _)
        | (Type::Null, Val::Null)
        | (Type::Bool, Val::Bool(_))
        | (Type::Int, Val::Int(_))
        | (Type::UInt, Val::UInt(_))
        | (Type::Double, Val::Double(_))
        | (Type::String, Val::String(_))
        | (Type::Bytes, Val::Bytes(_))
        | (Type::List(_), Val::List(_))
        | (Type::Map(_) | Type::Object(_), Val::Map(_))
        | (Type::Timestamp, Val::Timestamp(_))
        | (Type::Duration, Val::Duration(_))
        | (Type::Type(_), Val::Type(_))
        | (Type::Optional(_), Val::Optional(_)) => true,
        (Type::Opaque(name, _) | Type::Object(name), Val::Opaque(value)) => value.opaque_type().name() == &**name,
        _ => false,
    }
}
