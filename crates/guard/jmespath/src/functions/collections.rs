//! Functions over arrays and objects.

use std::cmp::Ordering;

use palisade_model::{Map, Str, Value};

use super::{Answer, Arguments, QueryError};

/// A length or position as a number.
fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn length(arguments: &Arguments<'_>) -> Answer {
    let length = match arguments.value(0)? {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => return Err(arguments.error("takes a string, an array or an object")),
    };
    Ok(count(length))
}

pub(super) fn type_of(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.value(0)?.type_name().into())
}

/// Whether text contains text, or an array contains an element. Kyverno cannot compare an array or object with an
/// element of its own type.
pub(super) fn contains(arguments: &Arguments<'_>) -> Answer {
    let wanted = arguments.value(1)?;
    let items = match arguments.value(0)? {
        Value::String(text) => return Ok(wanted.as_str().is_some_and(|wanted| text.contains(wanted)).into()),
        other => other.as_array().unwrap_or_default(),
    };
    arguments.charge(items.len())?;
    for item in items {
        match (item, wanted) {
            (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
                return Err(arguments.error(format_args!("cannot look for an {}", wanted.type_name())));
            }
            (item, wanted) if item == wanted => return Ok(true.into()),
            _ => {}
        }
    }
    Ok(false.into())
}

pub(super) fn keys(arguments: &Arguments<'_>) -> Answer {
    let map = arguments.object(0)?;
    arguments.charge(map.len())?;
    Ok(map.keys().cloned().map(Value::from).collect::<Vec<_>>().into())
}

pub(super) fn values(arguments: &Arguments<'_>) -> Answer {
    let map = arguments.object(0)?;
    arguments.charge(map.len())?;
    Ok(map.values().cloned().collect::<Vec<_>>().into())
}

pub(super) fn map(arguments: &Arguments<'_>) -> Answer {
    let mapped = arguments.array(1)?.iter().map(|item| arguments.apply_expression(0, item));
    Ok(mapped.collect::<Result<Vec<_>, _>>()?.into())
}

/// Members of all objects; later ones win.
pub(super) fn merge(arguments: &Arguments<'_>) -> Answer {
    let mut merged = Map::new();
    for position in 0..arguments.len() {
        let map = arguments.object(position)?;
        arguments.charge(map.len())?;
        for (key, value) in map.iter() {
            merged.insert(key.clone(), value.clone());
        }
    }
    Ok(merged.into())
}

pub(super) fn not_null(arguments: &Arguments<'_>) -> Answer {
    for position in 0..arguments.len() {
        let value = arguments.value(position)?;
        if !value.is_null() {
            return Ok(value.clone());
        }
    }
    Ok(Value::Null)
}

pub(super) fn reverse(arguments: &Arguments<'_>) -> Answer {
    Ok(match arguments.value(0)? {
        Value::String(text) => {
            arguments.charge_text(text.len())?;
            text.chars().rev().collect::<String>().into()
        }
        other => {
            let items = other.as_array().unwrap_or_default();
            arguments.charge(items.len())?;
            items.iter().rev().cloned().collect::<Vec<_>>().into()
        }
    })
}

pub(super) fn to_array(arguments: &Arguments<'_>) -> Answer {
    Ok(match arguments.value(0)? {
        array @ Value::Array(_) => array.clone(),
        other => vec![other.clone()].into(),
    })
}

/// Numbers by size, strings by bytes; `None` for anything else.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (left, right) => Some(left.as_f64()?.total_cmp(&right.as_f64()?)),
    }
}

pub(super) fn sort(arguments: &Arguments<'_>) -> Answer {
    let mut items = arguments.array(0)?.to_vec();
    arguments.charge(items.len())?;
    items.sort_by(|left, right| order(left, right).unwrap_or(Ordering::Equal));
    Ok(items.into())
}

pub(super) fn max(arguments: &Arguments<'_>) -> Answer {
    extreme(arguments, Ordering::Greater)
}

pub(super) fn min(arguments: &Arguments<'_>) -> Answer {
    extreme(arguments, Ordering::Less)
}

fn extreme(arguments: &Arguments<'_>, wanted: Ordering) -> Answer {
    let items = arguments.array(0)?;
    arguments.charge(items.len())?;
    let best = items.iter().reduce(|best, item| if order(item, best) == Some(wanted) { item } else { best });
    Ok(best.cloned().unwrap_or_default())
}

/// Elements with the key that the expression gives each; the keys are all numbers or all strings.
fn keyed<'a>(arguments: &'a Arguments<'_>) -> Result<Vec<(Value, &'a Value)>, QueryError> {
    let mut pairs = Vec::new();
    for item in arguments.array(0)? {
        let key = arguments.apply_expression(1, item)?;
        let first = pairs.first().map_or(&key, |(first, _)| first);
        if order(first, &key).is_none() {
            return Err(arguments.error("orders by keys that are all numbers or all strings"));
        }
        pairs.push((key, item));
    }
    Ok(pairs)
}

/// With fewer than two elements the expression is not asked.
fn trivial(arguments: &Arguments<'_>) -> Result<bool, QueryError> {
    Ok(arguments.array(0)?.len() < 2)
}

pub(super) fn sort_by(arguments: &Arguments<'_>) -> Answer {
    if trivial(arguments)? {
        return Ok(arguments.value(0)?.clone());
    }
    let mut pairs = keyed(arguments)?;
    pairs.sort_by(|left, right| order(&left.0, &right.0).unwrap_or(Ordering::Equal));
    Ok(pairs.into_iter().map(|(_, item)| item.clone()).collect::<Vec<_>>().into())
}

pub(super) fn max_by(arguments: &Arguments<'_>) -> Answer {
    extreme_by(arguments, Ordering::Greater)
}

pub(super) fn min_by(arguments: &Arguments<'_>) -> Answer {
    extreme_by(arguments, Ordering::Less)
}

fn extreme_by(arguments: &Arguments<'_>, wanted: Ordering) -> Answer {
    if trivial(arguments)? {
        return Ok(arguments.array(0)?.first().cloned().unwrap_or_default());
    }
    let pairs = keyed(arguments)?.into_iter();
    let best = pairs.reduce(|best, pair| if order(&pair.0, &best.0) == Some(wanted) { pair } else { best });
    Ok(best.map_or(Value::Null, |(_, item)| item.clone()))
}

/// The member or element, or null. Negative indices find nothing.
pub(super) fn lookup(arguments: &Arguments<'_>) -> Answer {
    let found = match arguments.value(0)? {
        Value::Object(map) => map.get(arguments.text(1)?),
        container => {
            let index = arguments.number(1)?;
            if index.fract() != 0.0 || !index.is_finite() {
                return Err(arguments.error(format_args!("takes a whole number as index, not {index}")));
            }
            if index < 0.0 { None } else { container.at(index as usize) }
        }
    };
    Ok(found.cloned().unwrap_or_default())
}

/// An object per member, sorted by key, or per element.
pub(super) fn items(arguments: &Arguments<'_>) -> Answer {
    let (key_name, value_name) = (Str::from(arguments.text(1)?), Str::from(arguments.text(2)?));
    let item = |key: Value, value: &Value| {
        let mut map = Map::with_capacity(2);
        map.insert(key_name.clone(), key);
        map.insert(value_name.clone(), value.clone());
        Value::from(map)
    };
    let collected: Vec<Value> = match arguments.value(0)? {
        Value::Object(map) => {
            arguments.charge(map.len())?;
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|left, right| left.0.cmp(right.0));
            members.into_iter().map(|(key, value)| item(key.clone().into(), value)).collect()
        }
        other => {
            let elements = other.as_array().unwrap_or_default();
            arguments.charge(elements.len())?;
            elements.iter().enumerate().map(|(index, value)| item(count(index), value)).collect()
        }
    };
    Ok(collected.into())
}

/// Keys and values paired up; keys without a value get null.
pub(super) fn object_from_lists(arguments: &Arguments<'_>) -> Answer {
    let (keys, values) = (arguments.array(0)?, arguments.array(1)?);
    arguments.charge(keys.len())?;
    let mut map = Map::with_capacity(keys.len());
    for (position, key) in keys.iter().enumerate() {
        let key = arguments.scalar_text(0, key)?.into_owned();
        map.insert(key, values.get(position).cloned().unwrap_or_default());
    }
    Ok(map.into())
}
