//! Objects: members found, chosen, compared and merged.

use std::sync::Arc;

use palisade_rego_value::{Object, Set, Value};

use super::declare::{ARRAY, OBJECT, SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const KEYS: Type = Type::OneOf(&[ARRAY, OBJECT, SET]);
const COLLECTION: Type = Type::OneOf(&[ARRAY, OBJECT, SET]);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("object.get", &[OBJECT, Type::Any, Type::Any], Type::Any, get),
    builtin("object.keys", &[OBJECT], SET, keys),
    builtin("object.remove", &[OBJECT, KEYS], Type::Any, |context, operands| choose(context, operands, false)),
    builtin("object.filter", &[OBJECT, KEYS], Type::Any, |context, operands| choose(context, operands, true)),
    builtin("object.subset", &[COLLECTION, COLLECTION], Type::Any, subset),
    builtin("object.union", &[OBJECT, OBJECT], Type::Any, union),
    builtin("object.union_n", &[Type::Array(&OBJECT)], Type::Any, union_all),
];

/// The member of a key or, of an array of keys, what is at the end of the path; the default where there is none.
fn get(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let object = operands::object(operands, 1)?;
    let (whole, key, default) = (operands::any(operands, 1)?, operands::any(operands, 2)?, operands::any(operands, 3)?);
    let found = match key {
        Value::Array(path) => {
            context.step(path.len())?;
            path.iter().try_fold(whole, |value, key| value.get(key))
        }
        key => object.get(key),
    };
    answer(found.unwrap_or(default).clone())
}

fn keys(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let object = operands::object(operands, 1)?;
    context.collect(object.len())?;
    answer(object.keys().cloned().collect::<Set>())
}

/// The members whose keys are named, or the others.
fn choose(context: &mut Context<'_>, operands: &[Value], named: bool) -> Answer {
    let object = operands::object(operands, 1)?;
    let keys = match operands::any(operands, 2)? {
        Value::Array(keys) => Arc::new(keys.iter().cloned().collect()),
        Value::Set(keys) => keys.clone(),
        Value::Object(keys) => Arc::new(keys.keys().cloned().collect()),
        other => return Err(operands::wrong_type(2, other, &["object", "set", "array"])),
    };
    context.collect(object.len() + keys.len())?;
    let chosen = object.iter().filter(|(key, _)| keys.contains(key) == named);
    answer(chosen.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>())
}

fn subset(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (whole, part) = (operands::any(operands, 1)?, operands::any(operands, 2)?);
    match contains(context, whole, part)? {
        Some(holds) => answer(holds),
        None => {
            Err(BuiltinError::Type("both arguments object.subset must be of the same type or array and set".to_owned()))
        }
    }
}

/// Whether a collection contains another; `None` where the two cannot be told so. Only objects are gone into.
fn contains(context: &mut Context<'_>, whole: &Value, part: &Value) -> Result<Option<bool>, BuiltinError> {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (key, value) in part.iter() {
                context.step(1)?;
                let Some(other) = whole.get(key) else { return Ok(Some(false)) };
                let nested = !matches!((other, value), (Value::Array(_), Value::Set(_)));
                if other != value && !(nested && contains(context, other, value)?.unwrap_or(false)) {
                    return Ok(Some(false));
                }
            }
            Ok(Some(true))
        }
        (Value::Set(whole), Value::Set(part)) => {
            context.step(part.len())?;
            Ok(Some(part.iter().all(|element| whole.contains(element))))
        }
        (Value::Array(whole), Value::Array(part)) => {
            context.step(whole.len().saturating_mul(part.len()))?;
            Ok(Some(part.is_empty() || whole.windows(part.len()).any(|window| *window == ***part)))
        }
        (Value::Array(whole), Value::Set(part)) => {
            context.step(whole.len())?;
            let found: Set = whole.iter().filter(|item| part.contains(item)).cloned().collect();
            Ok(Some(found.len() == part.len()))
        }
        _ => Ok(None),
    }
}

fn union(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (first, second) = (operands::object(operands, 1)?, operands::object(operands, 2)?);
    answer(merge(context, first, second)?)
}

fn union_all(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let composite = operands::any(operands, 1)?;
    let mut merged = Object::new();
    for element in operands::array(operands, 1)? {
        let Value::Object(object) = element else {
            return Err(operands::wrong_element(1, composite, element, &["object"]));
        };
        merged = merge(context, &merged, object)?;
    }
    answer(merged)
}

/// Both objects; where both have a key, objects are merged and else the second wins.
fn merge(context: &mut Context<'_>, first: &Object, second: &Object) -> Result<Object, BuiltinError> {
    context.collect(first.len() + second.len())?;
    let mut failed = None;
    let merged = first.merged(second, |a, b| match (a, b) {
        (Value::Object(a), Value::Object(b)) if failed.is_none() => match merge(context, a, b) {
            Ok(merged) => Value::from(merged),
            Err(error) => {
                failed = Some(error);
                Value::Null
            }
        },
        _ => b.clone(),
    });
    failed.map_or(Ok(merged), Err)
}
