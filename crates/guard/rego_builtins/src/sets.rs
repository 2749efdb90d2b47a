//! Sets joined, met and told apart (`-` is with arithmetic).

use palisade_rego_value::{Set, Value};

use super::declare::{SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const SETS: Type = Type::Set(&SET);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("and", &[SET, SET], SET, |context, operands| combine(context, operands, Set::intersection)),
    builtin("or", &[SET, SET], SET, |context, operands| combine(context, operands, Set::union)),
    builtin("set_diff", &[SET, SET], SET, |context, operands| combine(context, operands, Set::difference)),
    builtin("intersection", &[SETS], SET, intersection),
    builtin("union", &[SETS], SET, union),
];

fn combine(context: &mut Context<'_>, operands: &[Value], operation: fn(&Set, &Set) -> Set) -> Answer {
    let (first, second) = (operands::set(operands, 1)?, operands::set(operands, 2)?);
    context.collect(first.len() + second.len())?;
    answer(operation(first, second))
}

fn member(element: &Value) -> Result<&Set, BuiltinError> {
    element.as_set().ok_or_else(|| operands::wrong_type(1, element, &["set"]))
}

fn intersection(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut common: Option<Set> = None;
    for element in operands::set(operands, 1)? {
        let set = member(element)?;
        context.collect(set.len())?;
        common = Some(common.map_or_else(|| set.clone(), |common| common.intersection(set)));
    }
    answer(common.unwrap_or_default())
}

fn union(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut all = Vec::new();
    for element in operands::set(operands, 1)? {
        let set = member(element)?;
        context.collect(set.len())?;
        all.extend_from_slice(set.as_slice());
    }
    answer(Value::set(all))
}
