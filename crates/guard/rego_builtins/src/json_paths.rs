//! Parts of values named by paths: what `json.filter` keeps and `json.remove` leaves out, and the paths of `json.patch`.

use std::collections::BTreeMap;

use palisade_model::Str;
use palisade_rego_value::{MAX_DEPTH, Object, Value};

use super::declare::{ARRAY, OBJECT, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const PATH: Type = Type::OneOf(&[Type::String, ARRAY]);
const PATHS: Type = Type::OneOf(&[Type::Array(&PATH), Type::Set(&PATH)]);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("json.filter", &[OBJECT, PATHS], Type::Any, |context, operands| {
        operands::object(operands, 1)?;
        let paths = Paths::read(context, operands)?;
        answer(filter(context, operands::any(operands, 1)?, &paths)?)
    }),
    builtin("json.remove", &[OBJECT, PATHS], Type::Any, |context, operands| {
        operands::object(operands, 1)?;
        let paths = Paths::read(context, operands)?;
        remove(context, operands::any(operands, 1)?, Some(&paths))
    }),
];

/// Paths by their first keys.
enum Paths {
    /// A path ends here.
    End,
    /// What follows each key.
    Below(BTreeMap<Value, Paths>),
}

impl Paths {
    fn read(context: &mut Context<'_>, operands: &[Value]) -> Result<Self, BuiltinError> {
        let mut root = Self::Below(BTreeMap::new());
        for path in operands::elements(operands, 2, &["set", "array"])? {
            let path = keys(path)?;
            context.step(path.len() + 1)?;
            root.add(&path);
        }
        Ok(root)
    }

    /// Adds a path; one that goes on where another ends changes nothing, and an empty one names nothing.
    fn add(&mut self, path: &[Value]) {
        let mut here = self;
        // No value is deeper; what a longer path names is not there.
        for (position, key) in path.iter().take(MAX_DEPTH as usize).enumerate() {
            let Self::Below(below) = here else { return };
            if position + 1 == path.len() {
                below.insert(key.clone(), Self::End);
                return;
            }
            here = below.entry(key.clone()).or_insert_with(|| Self::Below(BTreeMap::new()));
        }
    }

    /// What follows a key; items of arrays go by their position as text.
    fn below(&self, key: &Value) -> Option<&Self> {
        match self {
            Self::End => None,
            Self::Below(below) => below.get(key),
        }
    }
}

fn position(at: usize) -> Value {
    Value::from(at.to_string())
}

/// What is at the paths.
fn filter(context: &mut Context<'_>, value: &Value, paths: &Paths) -> Result<Value, BuiltinError> {
    let Paths::Below(below) = paths else { return Ok(value.clone()) };
    context.step(1)?;
    Ok(match value {
        Value::Object(object) => {
            let chosen = below.iter().filter_map(|(key, paths)| object.get(key).map(|value| (key, value, paths)));
            let pairs: Result<Object, BuiltinError> =
                chosen.map(|(key, value, paths)| Ok((key.clone(), filter(context, value, paths)?))).collect();
            Value::from(pairs?)
        }
        Value::Array(items) => {
            context.step(items.len())?;
            let named = items.iter().enumerate().filter_map(|(at, item)| Some((item, paths.below(&position(at))?)));
            Value::array(named.map(|(item, paths)| filter(context, item, paths)).collect::<Result<_, _>>()?)
        }
        Value::Set(set) => {
            let named = below.iter().filter_map(|(key, paths)| set.get(key).map(|item| (item, paths)));
            Value::set(named.map(|(item, paths)| filter(context, item, paths)).collect::<Result<_, _>>()?)
        }
        scalar => scalar.clone(),
    })
}

/// All but what is at the paths; `None` where a path ends here.
fn remove(context: &mut Context<'_>, value: &Value, paths: Option<&Paths>) -> Answer {
    let Some(paths) = paths else { return answer(value.clone()) };
    if matches!(paths, Paths::End) {
        return Ok(None);
    }
    match value {
        Value::Object(object) => {
            context.collect(object.len())?;
            let mut kept = Vec::with_capacity(object.len());
            for (key, member) in object.iter() {
                kept.extend(remove(context, member, paths.below(key))?.map(|member| (key.clone(), member)));
            }
            answer(Value::object(kept))
        }
        Value::Array(items) => {
            context.collect(items.len())?;
            let mut kept = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                kept.extend(remove(context, item, paths.below(&position(at)))?);
            }
            answer(kept)
        }
        Value::Set(set) => {
            context.collect(set.len())?;
            let mut kept = Vec::with_capacity(set.len());
            for item in set.iter() {
                kept.extend(remove(context, item, paths.below(item))?);
            }
            answer(Value::set(kept))
        }
        scalar => answer(scalar.clone()),
    }
}

/// The keys of a path: an array of them, or a text with `/` between them, `~1` for `/` and `~0` for `~`.
pub(super) fn keys(path: &Value) -> Result<Vec<Value>, BuiltinError> {
    match path {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => {
            let unescape = |key: &str| Value::from(Str::from(key.replace("~1", "/").replace("~0", "~")));
            Ok(text.trim_start_matches('/').split('/').map(unescape).collect())
        }
        Value::Array(keys) => Ok(keys.to_vec()),
        other => {
            let expected = "must be one of {set, array} containing string paths or array of path segments but got";
            Err(operands::invalid(2, &format!("{expected} {}", other.type_name())))
        }
    }
}
