//! Conftest's functions that read configuration: `parse_config`, `parse_config_file`, `parse_combined_config_files`.
//!
//! Files are the host's, which has them where tests run. What cannot be read ends the evaluation: an undefined
//! configuration would make a rule that looks for mistakes in it silent. Deliberately absent: the formats of Conftest
//! for which there is no reader here, which are refused by name.

mod hcl;

use std::sync::Arc;

use palisade_document::{Limits, parse_json, parse_toml, parse_yaml};
use palisade_model::{Level, Source};
use palisade_rego_value::Value;

use super::declare::{OBJECT, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("parse_config", &[Type::String, Type::String], OBJECT, parse_config),
    builtin("parse_config_file", &[Type::String], OBJECT, parse_config_file),
    // Conftest declares an object and gives a list.
    builtin("parse_combined_config_files", &[Type::Array(&Type::String)], Type::Any, parse_combined),
];

/// A reader of a format.
#[derive(Clone, Copy)]
enum Format {
    Yaml,
    Json,
    Toml,
    Hcl,
}

const FORMATS: [(&str, Format); 4] =
    [("yaml", Format::Yaml), ("json", Format::Json), ("toml", Format::Toml), ("hcl2", Format::Hcl)];

fn parse_config(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (name, text) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    let format = FORMATS.iter().find(|(known, _)| **known == **name).map(|(_, format)| *format);
    answer(read(context, format.ok_or_else(|| unknown(name))?, name, text)?)
}

fn parse_config_file(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(file(context, operands::string(operands, 1)?)?)
}

fn parse_combined(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let paths: Vec<Value> = operands::any(operands, 1)?.as_elements().unwrap_or_default().to_vec();
    let mut combined = Vec::with_capacity(paths.len());
    for path in paths {
        let contents = file(context, path.as_str().unwrap_or_default())?;
        combined.push(Value::object(vec![(Value::from("path"), path), (Value::from("contents"), contents)]));
    }
    answer(Value::array(combined))
}

fn file(context: &mut Context<'_>, path: &str) -> Result<Value, BuiltinError> {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let format = match extension {
        "yaml" | "yml" => Format::Yaml,
        "json" => Format::Json,
        "toml" => Format::Toml,
        "tf" | "tfvars" | "hcl" => Format::Hcl,
        _ => return Err(unknown(path)),
    };
    let text = context.host.file(path).map_err(|error| BuiltinError::Halt(format!("`{path}`: {error}")))?;
    read(context, format, path, &text)
}

fn unknown(name: &str) -> BuiltinError {
    let known: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    BuiltinError::Halt(format!("there is no reader for `{name}`: those known are {}", known.join(", ")))
}

/// The documents of a text: the only one, or a list of them.
fn read(context: &mut Context<'_>, format: Format, name: &str, text: &str) -> Result<Value, BuiltinError> {
    context.grow(text.len().saturating_mul(8))?;
    let read: fn(Arc<Source>, &Limits) -> palisade_document::Parsed = match format {
        Format::Hcl => {
            return hcl::read(text).map_err(|error| BuiltinError::Halt(format!("`{name}` cannot be read: {error}")));
        }
        Format::Yaml => parse_yaml,
        Format::Json => parse_json,
        Format::Toml => parse_toml,
    };
    let parsed = read(Source::new(name, text), &Limits::default());
    if let Some(trouble) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.level >= Level::Error) {
        return Err(BuiltinError::Halt(format!("`{name}` cannot be read: {}", trouble.message)));
    }
    let mut documents: Vec<Value> = parsed.documents.iter().map(|document| Value::from(&document.value)).collect();
    Ok(match (documents.pop(), documents.is_empty()) {
        (None, _) => Value::Null,
        (Some(only), true) => only,
        (Some(last), false) => {
            documents.push(last);
            Value::array(documents)
        }
    })
}
