//! JSON and YAML text from values, and values from it.

use palisade_document::{Limits, parse_yaml, write::to_indented_yaml};
use palisade_model::{Level, Source};
use palisade_rego_value::Value;

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const TEXT: &[Type] = &[Type::String];
const OPTIONS: Type = Type::Object(&Type::String, &Type::Any);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("json.marshal", &[Type::Any], Type::String, |context, operands| answer(json(context, operands)?)),
    builtin("json.marshal_with_options", &[Type::Any, OPTIONS], Type::String, marshal_with_options),
    builtin("json.unmarshal", TEXT, Type::Any, |context, operands| {
        let text = operands::string(operands, 1)?;
        context.grow(text.len().saturating_mul(4))?;
        answer(Value::from_json(text).map_err(BuiltinError::Failed)?)
    }),
    builtin("json.is_valid", TEXT, Type::Boolean, |context, operands| {
        let Value::String(text) = operands::any(operands, 1)? else { return answer(false) };
        context.grow(text.len().saturating_mul(4))?;
        answer(Value::from_json(text).is_ok())
    }),
    builtin("yaml.marshal", &[Type::Any], Type::String, |context, operands| {
        let value = operands::any(operands, 1)?;
        context.weigh(value)?;
        answer(to_indented_yaml(&value.to_model().sorted()))
    }),
    builtin("yaml.unmarshal", TEXT, Type::Any, |context, operands| {
        answer(yaml(context, operands::string(operands, 1)?)?.map_err(BuiltinError::Failed)?)
    }),
    builtin("yaml.is_valid", TEXT, Type::Boolean, |context, operands| {
        let Value::String(text) = operands::any(operands, 1)? else { return answer(false) };
        answer(yaml(context, text)?.is_ok())
    }),
];

fn json(context: &mut Context<'_>, operands: &[Value]) -> Result<String, BuiltinError> {
    let value = operands::any(operands, 1)?;
    context.weigh(value)?;
    Ok(value.to_json())
}

fn marshal_with_options(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (mut prefix, mut indent, mut pretty, mut shaped) = ("", "\t", None, false);
    for (at, (key, value)) in operands::object(operands, 2)?.iter().enumerate() {
        let text = || {
            let got = value.type_name();
            let cause =
                format!("key {} failed cast to string: operand {at} must be string but got {got}", key.to_key());
            value.as_str().ok_or_else(|| operands::invalid(2, &cause))
        };
        match key.as_str() {
            Some("prefix") => prefix = text()?,
            Some("indent") => indent = text()?,
            Some("pretty") => {
                pretty = Some(value.as_bool().ok_or_else(|| operands::invalid(2, "key pretty failed cast to bool"))?);
                continue;
            }
            Some(other) => return Err(operands::invalid(2, &format!("object contained unknown key {other}"))),
            None => {
                let cause = format!("operand {at} must be string but got {}", key.type_name());
                return Err(operands::invalid(2, &format!("failed to stringify key {key} at index {at}: {cause}")));
            }
        }
        shaped = true;
    }
    let compact = json(context, operands)?;
    if !pretty.unwrap_or(shaped) {
        return answer(compact);
    }
    answer(indented(context, &compact, prefix, indent)?)
}

/// Compact JSON on lines: each begins with the prefix and the indentation of its depth.
fn indented(context: &mut Context<'_>, json: &str, prefix: &str, indent: &str) -> Result<String, BuiltinError> {
    let mut text = prefix.to_owned();
    let (mut depth, mut quoted, mut escaped, mut opened) = (0_usize, false, false, false);
    for c in json.chars() {
        if quoted {
            text.push(c);
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let closes = matches!(c, '}' | ']');
        depth -= usize::from(closes && depth > 0);
        if opened != closes {
            new_line(context, &mut text, [prefix, indent], depth)?;
        }
        opened = matches!(c, '{' | '[');
        depth += usize::from(opened);
        text.push(c);
        match c {
            ',' => new_line(context, &mut text, [prefix, indent], depth)?,
            ':' => text.push(' '),
            c => quoted = c == '"',
        }
    }
    Ok(text)
}

fn new_line(
    context: &mut Context<'_>,
    text: &mut String,
    [prefix, indent]: [&str; 2],
    depth: usize,
) -> Result<(), BuiltinError> {
    context.grow(indent.len().saturating_mul(depth).saturating_add(prefix.len() + 1))?;
    text.push('\n');
    text.push_str(prefix);
    text.extend(std::iter::repeat_n(indent, depth));
    Ok(())
}

/// The first document of a YAML text, or what is wrong with it.
fn yaml(context: &mut Context<'_>, text: &str) -> Result<Result<Value, String>, BuiltinError> {
    context.grow(text.len().saturating_mul(8))?;
    // OPA's library takes `yes` and its like for text.
    let parsed = parse_yaml(Source::new("", text), &Limits { word_booleans: false, ..Limits::default() });
    // Trouble behind the first document is none here. Empty documents are left out.
    if let Some(document) = parsed.documents.first() {
        return Ok(Ok(if document.index == 0 { Value::from(&document.value) } else { Value::Null }));
    }
    let Some(trouble) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.level >= Level::Error) else {
        return Ok(Ok(Value::Null));
    };
    let place = trouble.labels.first().map_or(0, |label| label.location.span.start);
    let line = text.get(..place as usize).unwrap_or_default().matches('\n').count() + 1;
    // As libyaml says it of what is never closed.
    let unclosed = if trouble.code == "PAL-D0008" { "did not find the end: " } else { "" };
    Ok(Err(format!("yaml: line {line}: {unclosed}{}", trouble.message)))
}
