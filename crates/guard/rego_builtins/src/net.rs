//! `net.*`: address ranges, and look-ups of names through the host.
//!
//! Addresses are as Go's `net` reads and prints them: IPv4 in IPv6 is IPv4.

mod cidr;

use palisade_model::Str;
use palisade_rego_value::Value;

use self::cidr::Cidr;
use super::declare::{ARRAY, OBJECT, SET, builtin, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const TEXTS: &[Type] = &[Type::String, Type::String];
const RANGES: Type = Type::OneOf(&[Type::String, ARRAY, SET, OBJECT]);
const LIST: Type = Type::OneOf(&[Type::Array(&Type::String), Type::Set(&Type::String)]);

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("net.cidr_contains", TEXTS, Type::Boolean, contains),
    builtin("net.cidr_overlap", TEXTS, Type::Boolean, contains),
    builtin("net.cidr_contains_matches", &[RANGES, RANGES], Type::Set(&ARRAY), contains_matches),
    builtin("net.cidr_expand", &[Type::String], Type::Set(&Type::String), expand),
    builtin("net.cidr_intersects", TEXTS, Type::Boolean, intersects),
    builtin("net.cidr_is_valid", &[Type::String], Type::Boolean, is_valid),
    builtin("net.cidr_merge", &[LIST], Type::Set(&Type::String), merge),
    nondeterministic("net.lookup_ip_addr", &[Type::String], Type::Set(&Type::String), lookup),
];

fn parse(text: &str) -> Result<Cidr, BuiltinError> {
    Cidr::parse(text).ok_or_else(|| BuiltinError::Failed(format!("invalid CIDR address: {text}")))
}

/// A range, or an address as the range of it alone.
fn parse_either(text: &str) -> Result<Cidr, BuiltinError> {
    Cidr::parse_address(text).or_else(|| Cidr::parse(text)).ok_or_else(|| {
        BuiltinError::Failed(format!("not a valid textual representation of an IP address or CIDR: {text}"))
    })
}

fn contains(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (outer, inner) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    answer(parse(outer)?.contains(parse_either(inner)?))
}

fn intersects(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (left, right) = (parse(operands::string(operands, 1)?)?, parse(operands::string(operands, 2)?)?);
    answer(left.contains(right) || right.contains(left))
}

fn contains_matches(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let outer = ranges(operands, 1)?;
    let inner = ranges(operands, 2)?;
    // Every outer range is read when it is compared with the first inner one.
    if outer.is_empty() || inner.is_empty() {
        return answer(Value::set(Vec::new()));
    }
    let inner = read(&inner, parse_either)?;
    let mut matches = Vec::new();
    for (key, range) in read(&outer, parse)? {
        context.step(inner.len())?;
        let contained = inner.iter().filter(|(_, other)| range.contains(*other));
        matches.extend(contained.map(|(other, _)| Value::array(vec![key.clone(), other.clone()])));
    }
    context.collect(matches.len())?;
    answer(Value::set(matches))
}

fn read(
    texts: &[(Value, &Value)],
    parse: impl Fn(&str) -> Result<Cidr, BuiltinError>,
) -> Result<Vec<(Value, Cidr)>, BuiltinError> {
    let read = |(key, text): &(Value, &Value)| {
        let text = text.as_str().ok_or_else(|| operands::wrong_type(1, text, &["string"]))?;
        Ok((key.clone(), parse(text)?))
    };
    texts.iter().map(read).collect()
}

/// The ranges of an operand, each with what tells it in the answer.
fn ranges<'a>(operands: &'a [Value], position: usize) -> Result<Vec<(Value, &'a Value)>, BuiltinError> {
    let range = |element: &'a Value| -> Result<&'a Value, BuiltinError> {
        let text = match element {
            Value::String(_) => Some(element),
            Value::Array(items) => items.first(),
            _ => None,
        };
        let wrong = || BuiltinError::Failed(format!("operand {position}: element must be string or non-empty array"));
        text.ok_or_else(wrong)
    };
    match operands::any(operands, position)? {
        text @ Value::String(_) => Ok(vec![(text.clone(), text)]),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| Ok((Value::from(index), range(item)?))).collect()
        }
        Value::Set(set) => set.iter().map(|item| Ok((item.clone(), range(item)?))).collect(),
        Value::Object(object) => object.iter().map(|(key, value)| Ok((key.clone(), range(value)?))).collect(),
        _ => Ok(Vec::new()),
    }
}

fn expand(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let range = parse(operands::string(operands, 1)?)?;
    // The whole size is drawn first: most ranges of IPv6 are larger than any budget.
    let size = usize::try_from(range.size()).unwrap_or(usize::MAX);
    context.grow(size.saturating_mul(16))?;
    context.collect(size)?;
    answer(Value::set(range.addresses().map(Value::from).collect()))
}

fn is_valid(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(operands::any(operands, 1)?.as_str().is_some_and(|text| Cidr::parse(text).is_some()))
}

fn merge(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let elements = operands::any(operands, 1)?.as_elements();
    let elements = elements.ok_or_else(|| BuiltinError::failed("operand must be an array"))?;
    context.step(elements.len())?;
    let range = |element: &Value| {
        let text = element.as_str().ok_or_else(|| BuiltinError::failed("element must be string"))?;
        match Cidr::parse_address(text) {
            Some(address) => {
                address.classful().ok_or_else(|| BuiltinError::failed("IPv6 invalid: needs prefix length"))
            }
            None => parse(text),
        }
    };
    let ranges = elements.iter().map(range).collect::<Result<Vec<_>, _>>()?;
    answer(Value::set(cidr::merge(ranges).into_iter().map(|range| Value::from(range.to_string())).collect()))
}

fn lookup(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    const NAME: &str = "net.lookup_ip_addr";
    let name = operands::string(operands, 1)?;
    if let Some(address) = Cidr::parse_address(name) {
        return answer(Value::set(address.addresses().map(Value::from).collect()));
    }
    let request = Value::from(name.clone());
    if let Some(known) = context.memory.answer(NAME, &request) {
        return answer(known.clone());
    }
    let addresses: Vec<Str> = context.host.addresses(name).map_err(BuiltinError::Failed)?;
    let found = Value::set(addresses.into_iter().map(Value::from).collect());
    context.memory.remember(NAME, request, found.clone());
    answer(found)
}

#[cfg(test)]
mod tests;
