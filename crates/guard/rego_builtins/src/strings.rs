//! Text: searched, cut, joined and replaced. Positions count characters.

use palisade_model::Str;
use palisade_rego_value::{ArithmeticError, Number, Value};

use super::declare::{ARRAY, STRINGS, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands, sprintf};
use crate::types::Type;

const ONE: &[Type] = &[Type::String];
const TWO: &[Type] = &[Type::String, Type::String];
const TEXT_OR_TEXTS: Type = Type::OneOf(&[Type::String, Type::Set(&Type::String), Type::Array(&Type::String)]);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("concat", &[Type::String, STRINGS], Type::String, concat),
    builtin("contains", TWO, Type::Boolean, |context, operands| {
        ask(context, operands, |text, part| text.contains(part))
    }),
    builtin("startswith", TWO, Type::Boolean, |context, operands| {
        ask(context, operands, |text, part| text.starts_with(part))
    }),
    builtin("endswith", TWO, Type::Boolean, |context, operands| {
        ask(context, operands, |text, part| text.ends_with(part))
    }),
    builtin("format_int", &[Type::Number, Type::Number], Type::String, format_int),
    builtin("indexof", TWO, Type::Number, |context, operands| {
        let found = positions(context, operands, 1)?.first().copied();
        found.map_or_else(|| answer(-1), answer)
    }),
    builtin("indexof_n", TWO, Type::Array(&Type::Number), |context, operands| {
        answer(positions(context, operands, usize::MAX)?.into_iter().map(Value::from).collect::<Vec<_>>())
    }),
    builtin("lower", ONE, Type::String, |context, operands| map(context, operands, |text| lower(text).into())),
    builtin("upper", ONE, Type::String, |context, operands| map(context, operands, |text| upper(text).into())),
    builtin("split", TWO, Type::Array(&Type::String), split),
    builtin("strings.split_n", &[Type::String, Type::String, Type::Number], Type::Array(&Type::String), split_n),
    builtin("replace", &[Type::String, Type::String, Type::String], Type::String, |context, operands| {
        let (text, old, new) =
            (operands::string(operands, 1)?, operands::string(operands, 2)?, operands::string(operands, 3)?);
        replace_all(context, text, &[(old, new)])
    }),
    builtin("strings.replace_n", &[Type::Object(&Type::String, &Type::String), Type::String], Type::String, replace_n),
    builtin("sprintf", &[Type::String, ARRAY], Type::String, sprintf::sprintf),
    builtin("substring", &[Type::String, Type::Number, Type::Number], Type::String, substring),
    builtin("strings.reverse", ONE, Type::String, |context, operands| {
        map(context, operands, |text| text.chars().rev().collect::<String>().into())
    }),
    builtin("strings.count", TWO, Type::Number, count),
    builtin("strings.any_prefix_match", &[TEXT_OR_TEXTS, TEXT_OR_TEXTS], Type::Boolean, |context, operands| {
        any_match(context, operands, |text, prefix| text.starts_with(prefix))
    }),
    builtin("strings.any_suffix_match", &[TEXT_OR_TEXTS, TEXT_OR_TEXTS], Type::Boolean, |context, operands| {
        any_match(context, operands, |text, suffix| text.ends_with(suffix))
    }),
    builtin("trim", TWO, Type::String, |context, operands| {
        cut(context, operands, |text, set| text.trim_matches(|c| set.contains(c)))
    }),
    builtin("trim_left", TWO, Type::String, |context, operands| {
        cut(context, operands, |text, set| text.trim_start_matches(|c| set.contains(c)))
    }),
    builtin("trim_right", TWO, Type::String, |context, operands| {
        cut(context, operands, |text, set| text.trim_end_matches(|c| set.contains(c)))
    }),
    builtin("trim_prefix", TWO, Type::String, |context, operands| {
        cut(context, operands, |text, prefix| text.strip_prefix(prefix).unwrap_or(text))
    }),
    builtin("trim_suffix", TWO, Type::String, |context, operands| {
        cut(context, operands, |text, suffix| text.strip_suffix(suffix).unwrap_or(text))
    }),
    builtin("trim_space", ONE, Type::String, |context, operands| map(context, operands, |text| text.trim().into())),
];

/// A question about two texts.
fn ask(context: &mut Context<'_>, operands: &[Value], question: fn(&str, &str) -> bool) -> Answer {
    let (text, part) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    context.step(text.len() / 64)?;
    answer(question(text, part))
}

/// A text made of another.
fn map(context: &mut Context<'_>, operands: &[Value], change: fn(&str) -> Str) -> Answer {
    let text = operands::string(operands, 1)?;
    context.grow(text.len())?;
    answer(change(text))
}

/// A piece of the first text as the second says.
fn cut(context: &mut Context<'_>, operands: &[Value], cut: for<'a> fn(&'a str, &str) -> &'a str) -> Answer {
    let (text, by) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    let piece = cut(text, by);
    if piece.len() == text.len() {
        return answer(text.clone());
    }
    context.grow(piece.len())?;
    context.step((text.len() - piece.len()).saturating_mul(by.len()) / 64)?;
    answer(piece)
}

/// Letter by letter, as Go does: no letter becomes several.
fn lower(text: &str) -> String {
    let one = |c: char| {
        let mut lower = c.to_lowercase();
        lower.next().filter(|_| lower.next().is_none()).unwrap_or(if c == 'İ' { 'i' } else { c })
    };
    text.chars().map(one).collect()
}

fn upper(text: &str) -> String {
    let one = |c: char| {
        let mut upper = c.to_uppercase();
        upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
    };
    text.chars().map(one).collect()
}

fn concat(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let separator = operands::string(operands, 1)?;
    let texts = operands::strings(operands, 2, &["set", "array"])?;
    if let [text] = texts.as_slice() {
        return answer((*text).clone());
    }
    let separators = separator.len().saturating_mul(texts.len().saturating_sub(1));
    context.grow(texts.iter().map(|text| text.len()).fold(separators, usize::saturating_add))?;
    context.step(texts.len())?;
    let mut joined = String::new();
    for (position, text) in texts.into_iter().enumerate() {
        joined.push_str(if position == 0 { "" } else { separator });
        joined.push_str(text);
    }
    answer(joined)
}

fn format_int(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let number = operands::number(operands, 1)?;
    let base = match operands::number(operands, 2)? {
        Number::Int(base @ (2 | 8 | 10 | 16)) => *base as u32,
        _ => return Err(operands::not_one_of(2, &["2", "8", "10", "16"])),
    };
    let whole = match number.to_bigint() {
        Some(whole) => whole,
        None => (if number.is_negative() { number.ceil()? } else { number.floor()? })
            .to_bigint()
            .ok_or(ArithmeticError::TooLarge)?,
    };
    context.grow(whole.bits() as usize)?;
    answer(whole.to_str_radix(base))
}

/// Where the second text begins in the first, overlaps included, the first `most` of them.
fn positions(context: &mut Context<'_>, operands: &[Value], most: usize) -> Result<Vec<usize>, BuiltinError> {
    let (text, part) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    if part.is_empty() {
        return Err(BuiltinError::failed("empty search character"));
    }
    if most == 1 {
        context.step(text.len() / 32)?;
        let before = text.split_once(&**part).map(|(before, _)| before.chars().count());
        return Ok(before.into_iter().collect());
    }
    context.step(text.len())?;
    let rests = text.char_indices().filter_map(|(at, _)| text.get(at..)).enumerate();
    let found: Vec<usize> = rests.filter(|(_, rest)| rest.starts_with(&**part)).map(|(at, _)| at).collect();
    context.collect(found.len())?;
    Ok(found)
}

fn split(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(parts(context, operands)?)
}

/// The first parts, or the last where a negative number of them is asked for.
fn split_n(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let count = operands::integer(operands, 3);
    let mut parts = parts(context, operands)?;
    let count = count?;
    let kept = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(parts.len());
    if count < 0 {
        parts.drain(..parts.len() - kept);
    }
    parts.truncate(kept);
    answer(parts)
}

/// What is between delimiters; without one, the characters.
fn parts(context: &mut Context<'_>, operands: &[Value]) -> Result<Vec<Value>, BuiltinError> {
    let (text, delimiter) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    context.grow(text.len())?;
    if delimiter.is_empty() {
        context.collect(text.len())?;
        return Ok(text.chars().map(|c| Value::from(&*c.encode_utf8(&mut [0; 4]))).collect::<Vec<_>>());
    }
    let mut parts = Vec::new();
    for part in text.split(&**delimiter) {
        context.collect(1)?;
        parts.push(Value::from(part));
    }
    Ok(parts)
}

fn replace_n(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (patterns, text) = (operands::object(operands, 1)?, operands::string(operands, 2)?);
    let mut pairs = Vec::with_capacity(patterns.len());
    for (old, new) in patterns.iter() {
        let old = old.as_shared_str().ok_or_else(|| operands::invalid(1, "non-string key found in pattern object"))?;
        let new =
            new.as_shared_str().ok_or_else(|| operands::invalid(1, "non-string value found in pattern object"))?;
        pairs.push((old, new));
    }
    replace_all(context, text, &pairs)
}

/// The text with the first pair that fits at each place replaced, from left to right. An empty text fits everywhere
/// that nothing else has been replaced, once.
fn replace_all(context: &mut Context<'_>, text: &Str, pairs: &[(&Str, &Str)]) -> Answer {
    if let [(old, new)] = pairs
        && !old.is_empty()
    {
        context.step(text.len() / 32)?;
        let count = text.matches(&***old).count();
        let grown = count.saturating_mul(new.len()).saturating_add(text.len());
        context.grow(grown)?;
        return answer(if count == 0 { text.clone() } else { text.replace(&***old, new).into() });
    }
    let mut replaced = String::new();
    let mut rest = &**text;
    let mut after_match = false;
    loop {
        context.step(1 + pairs.len())?;
        let fits = pairs.iter().find(|(old, _)| rest.starts_with(&***old) && !(after_match && old.is_empty()));
        if let Some((old, new)) = fits {
            context.grow(new.len())?;
            replaced.push_str(new);
            rest = rest.get(old.len()..).unwrap_or_default();
            after_match = true;
            if !old.is_empty() {
                continue;
            }
        }
        after_match = false;
        let mut letters = rest.chars();
        let Some(letter) = letters.next() else { break };
        context.grow(4)?;
        replaced.push(letter);
        rest = letters.as_str();
    }
    answer(replaced)
}

fn substring(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    let (offset, length) = (operands::integer(operands, 2)?, operands::integer(operands, 3)?);
    let offset = usize::try_from(offset).map_err(|_| BuiltinError::failed("negative offset"))?;
    context.step(text.len() / 64)?;
    let byte = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    let rest = text.get(byte(text, offset)..).unwrap_or_default();
    // A negative length is that of the rest.
    let piece = usize::try_from(length).map_or(rest, |length| rest.get(..byte(rest, length)).unwrap_or(rest));
    context.grow(piece.len())?;
    answer(piece)
}

fn count(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (text, part) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    context.step(text.len() / 32)?;
    answer(if part.is_empty() { text.chars().count() + 1 } else { text.matches(&**part).count() })
}

/// Whether any of the first texts has any of the second as its prefix or suffix.
fn any_match(context: &mut Context<'_>, operands: &[Value], fits: fn(&str, &str) -> bool) -> Answer {
    let texts = |position| match operands::any(operands, position)? {
        Value::String(text) => Ok(vec![text]),
        _ => operands::strings(operands, position, &["string", "set", "array"]),
    };
    let (texts, parts) = (texts(1)?, texts(2)?);
    context.step(texts.len().saturating_mul(parts.len()))?;
    answer(texts.iter().any(|text| parts.iter().any(|part| fits(text, part))))
}
