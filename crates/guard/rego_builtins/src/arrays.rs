//! Arrays put together and taken apart.

use palisade_rego_value::Value;

use super::declare::{ARRAY, builtin};
use super::{Answer, Builtin, Context, answer, operands};
use crate::types::Type;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("array.concat", &[ARRAY, ARRAY], ARRAY, concat),
    builtin("array.flatten", &[ARRAY], ARRAY, flatten),
    builtin("array.reverse", &[ARRAY], ARRAY, reverse),
    builtin("array.slice", &[ARRAY, Type::Number, Type::Number], ARRAY, slice),
];

fn concat(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (first, second) = (operands::array(operands, 1)?, operands::array(operands, 2)?);
    context.collect(first.len() + second.len())?;
    answer([first, second].concat())
}

/// Items that are arrays are replaced by their items, one level deep.
fn flatten(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut flat = Vec::new();
    for item in operands::array(operands, 1)? {
        let items = item.as_array().unwrap_or(std::slice::from_ref(item));
        context.collect(items.len() + 1)?;
        flat.extend_from_slice(items);
    }
    answer(flat)
}

fn reverse(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let items = operands::array(operands, 1)?;
    context.collect(items.len())?;
    answer(items.iter().rev().cloned().collect::<Vec<_>>())
}

/// From one position up to another, both cut to the array.
fn slice(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let items = operands::array(operands, 1)?;
    let (start, stop) = (operands::integer(operands, 2)?, operands::integer(operands, 3)?);
    let stop = usize::try_from(stop).unwrap_or(0).min(items.len());
    let start = usize::try_from(start).unwrap_or(0).min(stop);
    context.collect(stop - start)?;
    answer(items.get(start..stop).unwrap_or_default().to_vec())
}
