//! Regular expressions in Go's syntax, compiled once per evaluation.

use std::sync::Arc;

use palisade_gotext::go_regex;
use palisade_model::Str;
use palisade_rego_value::Value;
use regex::Regex;

use super::declare::builtin;
use super::memory::Language;
use super::{Answer, Builtin, BuiltinError, Context, answer, globs, operands};
use crate::types::Type;

const TWO: &[Type] = &[Type::String, Type::String];
const THREE: &[Type] = &[Type::String, Type::String, Type::String];
const FOUR: &[Type] = &[Type::String, Type::String, Type::String, Type::String];
const FIND: &[Type] = &[Type::String, Type::String, Type::Number];
const TEXTS: Type = Type::Array(&Type::String);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("regex.match", TWO, Type::Boolean, matches),
    builtin("re_match", TWO, Type::Boolean, matches),
    builtin("regex.is_valid", &[Type::String], Type::Boolean, |context, operands| {
        let Value::String(pattern) = operands::any(operands, 1)? else { return answer(false) };
        answer(compiled(context, pattern).is_ok())
    }),
    builtin("regex.split", TWO, TEXTS, split),
    builtin("regex.find_n", FIND, TEXTS, find),
    builtin("regex.find_all_string_submatch_n", FIND, Type::Array(&TEXTS), find_groups),
    builtin("regex.replace", THREE, Type::String, replace),
    builtin("regex.template_match", FOUR, Type::Boolean, template_match),
    builtin("regex.globs_match", TWO, Type::Boolean, globs::intersect),
];

fn compile(pattern: &str) -> Result<Regex, BuiltinError> {
    go_regex::compile(pattern).map_err(|error| BuiltinError::Failed(format!("error parsing regexp: {error}")))
}

fn compiled(context: &mut Context<'_>, pattern: &Str) -> Result<Arc<Regex>, BuiltinError> {
    context.step(1 + pattern.len() / 8)?;
    context.memory.pattern(Language::Regex, pattern, || compile(pattern))
}

/// A pattern and the text that it is to search, which is paid for.
fn search<'a>(
    context: &mut Context<'_>,
    operands: &'a [Value],
    pattern: usize,
    text: usize,
) -> Result<(Arc<Regex>, &'a Str), BuiltinError> {
    let (first, second) = (pattern.min(text), pattern.max(text));
    operands::string(operands, first)?;
    operands::string(operands, second)?;
    let (pattern, text) = (operands::string(operands, pattern)?, operands::string(operands, text)?);
    let regex = compiled(context, pattern)?;
    context.step(go_regex::search_cost(pattern, text.len()))?;
    Ok((regex, text))
}

fn matches(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (regex, text) = search(context, operands, 1, 2)?;
    answer(regex.is_match(text))
}

/// What is between matches. An empty match at the beginning separates nothing.
fn split(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (regex, text) = search(context, operands, 1, 2)?;
    if text.is_empty() {
        return answer(vec![Value::from("")]);
    }
    context.grow(text.len())?;
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(text) {
        end = found.start();
        if found.end() != 0 {
            context.collect(1)?;
            parts.push(Value::from(text.get(start..end).unwrap_or_default()));
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(Value::from(text.get(start..).unwrap_or_default()));
    }
    answer(parts)
}

/// How many matches are asked for; a negative number asks for all.
fn limit(operands: &[Value]) -> Result<usize, BuiltinError> {
    Ok(usize::try_from(operands::integer(operands, 3)?).unwrap_or(usize::MAX))
}

fn find(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (regex, text) = search(context, operands, 1, 2)?;
    let mut found = Vec::new();
    for part in regex.find_iter(text).take(limit(operands)?) {
        context.collect(1)?;
        context.grow(part.len())?;
        found.push(Value::from(part.as_str()));
    }
    answer(found)
}

fn find_groups(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (regex, text) = search(context, operands, 1, 2)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(text).take(limit(operands)?) {
        context.collect(1 + captures.len())?;
        let groups = captures.iter().map(|group| group.map_or("", |group| group.as_str()));
        let groups: Vec<Value> = groups.map(Value::from).collect();
        context.grow(groups.iter().filter_map(Value::as_str).map(str::len).sum())?;
        found.push(Value::from(groups));
    }
    answer(found)
}

fn replace(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let replacement = operands::string(operands, 3);
    let (regex, text) = search(context, operands, 2, 1)?;
    let replacement = replacement?;
    context.grow(text.len())?;
    let (mut replaced, mut end) = (String::new(), 0);
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        replaced.push_str(text.get(end..found.start()).unwrap_or_default());
        // A group may stand in the replacement as often as `$1` fits into it.
        context.grow(replacement.len().saturating_mul(1 + found.len() / 2))?;
        replaced.push_str(&go_regex::expand(&captures, replacement));
        end = found.end();
    }
    replaced.push_str(text.get(end..).unwrap_or_default());
    answer(replaced)
}

/// Whether a text fits a template that has regular expressions between delimiters.
fn template_match(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (template, text) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    let (open, close) = (operands::string(operands, 3)?, operands::string(operands, 4)?);
    let delimiter = |which: &str, text: &Str| match text.chars().next() {
        Some(c) if text.len() == 1 => Ok(c),
        _ => Err(BuiltinError::Failed(format!(
            "{which} delimiter has to be exactly one character long but is {} long",
            open.len()
        ))),
    };
    let (open, close) = (delimiter("start", open)?, delimiter("end", close)?);
    context.step(1 + template.len() / 8)?;
    let compile = || compile(&template_pattern(template, open, close)?);
    let regex = context.memory.pattern(Language::Template(open, close), template, compile)?;
    context.step(go_regex::search_cost(template, text.len()))?;
    answer(regex.is_match(text))
}

/// The regular expression of a template: what stands between outermost delimiters, the rest quoted.
fn template_pattern(template: &str, open: char, close: char) -> Result<String, BuiltinError> {
    let unbalanced = || BuiltinError::Failed(format!("unbalanced braces in {template:?}"));
    let (mut pattern, mut level, mut literal, mut start) = (String::from("^"), 0_usize, 0, 0);
    for (at, c) in template.char_indices() {
        if c == open {
            level += 1;
            if level == 1 {
                start = at;
            }
        } else if c == close {
            level = level.checked_sub(1).ok_or_else(unbalanced)?;
            if level == 0 {
                let raw = template.get(literal..start).unwrap_or_default();
                let inner = template.get(start + 1..at).unwrap_or_default();
                compile(&format!("^{inner}$"))?;
                pattern.extend([&*regex::escape(raw), "(", inner, ")"]);
                literal = at + 1;
            }
        }
    }
    if level != 0 {
        return Err(unbalanced());
    }
    pattern.extend([&*regex::escape(template.get(literal..).unwrap_or_default()), "$"]);
    Ok(pattern)
}
