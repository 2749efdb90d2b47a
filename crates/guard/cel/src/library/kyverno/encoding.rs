//! `json`, `yaml` and `gzip`. Numbers that are read are doubles, as Go reads JSON into no particular type.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use palisade_document::Limits;
use palisade_gotext::go_json;
use palisade_model::{Level, Map, Value};

use super::handle::Handle;
use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{Dict, EvalError, Key, List, Type, Val};

/// The most bytes that one call unpacks.
const MAX_UNPACKED: u64 = 16 << 20;

pub(super) fn json_library() -> Library {
    let own = || Type::opaque("json.Json");
    let functions = [
        Function::member("unmarshal", [own(), Type::Dyn], Type::Dyn, unmarshal).cost(Cost::Sizes),
        Function::member("marshal", [own(), Type::Dyn], Type::String, marshal).cost(Cost::Sizes),
    ];
    Library { constants: vec![("json", Handle::value("json.Json"))], ..Library::of("kyverno.json", functions) }
}

pub(super) fn yaml_library() -> Library {
    let params = [Type::opaque("yaml.Yaml"), Type::String];
    let parse = Function::member("parse", params, Type::Dyn, parse_yaml).cost(Cost::Sizes);
    Library { constants: vec![("yaml", Handle::value("yaml.Yaml"))], ..Library::of("kyverno.yaml", [parse]) }
}

pub(super) fn gzip_library() -> Library {
    Library::of(
        "kyverno.gzip",
        [
            Function::global("gzip.decompress", [Type::Bytes], Type::String, decompress),
            Function::global("gzip.compress", [Type::Dyn], Type::Bytes, compress).cost(Cost::Sizes),
        ],
    )
}

fn unmarshal(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(text)] = args else { return Err(mismatch("unmarshal", args)) };
    call.spend_size(text.len())?;
    let value = Value::from_json(text).map_err(|error| EvalError::invalid(format_args!("invalid JSON: {error}")))?;
    Ok(Val::from(go_json::with_doubles(&value)))
}

fn marshal(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, value] = args else { return Err(mismatch("marshal", args)) };
    let text = go_json::to_string(&to_json(value)?);
    call.spend_size(text.len())?;
    Ok(Val::from(text))
}

/// A value as Go's JSON encoder sees it: durations are nanoseconds, and keys must be texts.
fn to_json(value: &Val) -> Result<Value, EvalError> {
    match value {
        Val::Duration(span) => {
            i64::try_from(span.as_nanos()).map(Value::Int).map_err(|_| EvalError::Overflow("duration"))
        }
        Val::List(List::Items(items)) => items.iter().map(to_json).collect::<Result<Vec<_>, _>>().map(Value::array),
        Val::Map(Dict::Entries(entries)) => {
            let members = entries.iter().map(|(key, value)| match key {
                Key::String(key) => Ok((key.clone(), to_json(value)?)),
                other => {
                    let key = other.to_json_key();
                    Err(EvalError::invalid(format_args!("json.marshal: the key `{key}` is no text")))
                }
            });
            members.collect::<Result<Map, _>>().map(Value::object)
        }
        other => other.to_value(),
    }
}

/// The first document; an empty text is `null`.
fn parse_yaml(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(text)] = args else { return Err(mismatch("parse", args)) };
    call.spend_size(text.len())?;
    let limits = Limits { max_nodes: 1_000_000, max_alias_expansion: 100_000, ..Limits::default() };
    let source = palisade_document::decode("yaml.parse", text.as_bytes());
    let parsed = source.map(|source| palisade_document::parse_yaml(source, &limits));
    let parsed =
        parsed.map_err(|diagnostic| EvalError::invalid(format_args!("invalid YAML: {}", diagnostic.message)))?;
    if let Some(diagnostic) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error) {
        return Err(EvalError::invalid(format_args!("invalid YAML: {}", diagnostic.message)));
    }
    let first = parsed.documents.first().map(|document| go_json::with_doubles(&document.value));
    Ok(Val::from(first.unwrap_or_default()))
}

fn decompress(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::Bytes(bytes)] = args else { return Err(mismatch("gzip.decompress", args)) };
    call.spend_size(bytes.len())?;
    let failed = |error| EvalError::invalid(format_args!("gzip.decompress: {error}"));
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&**bytes).take(MAX_UNPACKED + 1).read_to_end(&mut unpacked).map_err(failed)?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err(EvalError::invalid(format_args!("gzip.decompress: more than {MAX_UNPACKED} bytes")));
    }
    call.spend_size(unpacked.len())?;
    Ok(Val::from(String::from_utf8_lossy(&unpacked).into_owned()))
}

/// The header names no time, so that the same text always gives the same bytes.
fn compress(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("gzip.compress", args)) };
    call.spend_size(text.len())?;
    let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::default());
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    packed.map(Val::bytes).map_err(|error| EvalError::invalid(format_args!("gzip.compress: {error}")))
}
