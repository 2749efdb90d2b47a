//! Conversions between types, and `type()`.

use super::text_forms::{format_double, format_duration, format_timestamp, parse_duration, parse_timestamp};
use crate::library::mismatch;
use crate::{Call, Cost, EvalError, Function, Moment, Type, Val};

type Outcome = Result<Val, EvalError>;

pub(super) fn functions() -> Vec<Function> {
    use Type::{Bool, Bytes, Double, Duration, Int, String, Timestamp, UInt};
    let mut functions = Vec::new();
    let mut convert = |name, from: &[Type], to: Type, call: fn(&mut Call<'_>, &[Val]) -> Outcome| {
        let overloads = from.iter().map(|from| Function::global(name, [from.clone()], to.clone(), call));
        functions.extend(overloads.map(|function| function.cost(Cost::Sizes)));
    };
    convert("bool", &[Bool, String], Bool, |_, args| to_bool(args));
    convert("bytes", &[Bytes, String], Bytes, |_, args| to_bytes(args));
    convert("double", &[Double, Int, String, UInt], Double, |_, args| to_double(args));
    convert("duration", &[Duration, String], Duration, |_, args| to_duration(args));
    convert("int", &[Double, Duration, Int, String, Timestamp, UInt], Int, |_, args| to_int(args));
    let texts = [Bool, Bytes, Double, Duration, Int, String, Timestamp, UInt];
    convert("string", &texts, String, |_, args| to_string(args));
    convert("timestamp", &[Int, String, Timestamp], Timestamp, |_, args| to_timestamp(args));
    convert("uint", &[Double, Int, String, UInt], UInt, |_, args| to_uint(args));
    functions.push(Function::global("dyn", [Type::param("A")], Type::Dyn, |_, args| argument(args).cloned()));
    let of_type = Type::type_of(Type::param("A"));
    functions.push(Function::global("type", [Type::param("A")], of_type, |_, args| {
        argument(args).map(|value| Val::of_type(value.type_of()))
    }));
    functions
}

fn argument(args: &[Val]) -> Result<&Val, EvalError> {
    args.first().ok_or_else(|| mismatch("conversion", args))
}

fn unreadable(text: &str, of: &str) -> EvalError {
    EvalError::invalid(format_args!("`{text}` is no {of}"))
}

fn to_bool(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
            other => Err(unreadable(other, "bool")),
        },
        other => Ok(other.clone()),
    }
}

fn to_bytes(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::String(text) => Ok(Val::bytes(text.as_bytes())),
        other => Ok(other.clone()),
    }
}

fn to_double(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::Int(value) => Ok(Val::Double(*value as f64)),
        Val::UInt(value) => Ok(Val::Double(*value as f64)),
        Val::String(text) => text.parse().map(Val::Double).map_err(|_| unreadable(text, "double")),
        other => Ok(other.clone()),
    }
}

fn to_duration(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::String(text) => parse_duration(text).map(Val::Duration),
        other => Ok(other.clone()),
    }
}

fn to_int(args: &[Val]) -> Outcome {
    match argument(args)? {
        // Both ends are excluded, as in cel-go: doubles cannot tell the largest integer from the one after it.
        Val::Double(value) if *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_808.0 => {
            Ok(Val::Int(*value as i64))
        }
        Val::Double(_) => Err(EvalError::Overflow("integer")),
        Val::UInt(value) => i64::try_from(*value).map(Val::Int).map_err(|_| EvalError::Overflow("integer")),
        Val::String(text) => text.parse().map(Val::Int).map_err(|_| unreadable(text, "int")),
        Val::Timestamp(moment) => Ok(Val::Int(floor_seconds(*moment))),
        Val::Duration(span) => i64::try_from(span.as_nanos()).map(Val::Int).map_err(|_| EvalError::Overflow("integer")),
        other => Ok(other.clone()),
    }
}

/// Whole seconds since the epoch, rounded down.
fn floor_seconds(moment: Moment) -> i64 {
    let since = moment.since_epoch();
    since.as_secs() - i64::from(since.subsec_nanos() < 0)
}

fn to_uint(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::Double(value) if *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 => Ok(Val::UInt(*value as u64)),
        Val::Double(_) => Err(EvalError::Overflow("unsigned integer")),
        Val::Int(value) => u64::try_from(*value).map(Val::UInt).map_err(|_| EvalError::Overflow("unsigned integer")),
        Val::String(text) if text.starts_with('+') => Err(unreadable(text, "uint")),
        Val::String(text) => text.parse().map(Val::UInt).map_err(|_| unreadable(text, "uint")),
        other => Ok(other.clone()),
    }
}

fn to_string(args: &[Val]) -> Outcome {
    let value = argument(args)?;
    match value {
        Val::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Val::from(text)),
            Err(_) => Err(EvalError::invalid("the bytes are not valid UTF-8, so they are no string")),
        },
        other => Ok(Val::from(other.to_text())),
    }
}

fn to_timestamp(args: &[Val]) -> Outcome {
    match argument(args)? {
        Val::Int(seconds) => Moment::new(jiff::SignedDuration::from_secs(*seconds)).map(Val::Timestamp),
        Val::String(text) => parse_timestamp(text).map(Val::Timestamp),
        other => Ok(other.clone()),
    }
}

impl Val {
    /// As `string()` writes it; collections and library types as JSON.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::UInt(value) => value.to_string(),
            Self::Double(value) => format_double(*value),
            Self::String(text) => text.to_string(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Timestamp(moment) => format_timestamp(*moment),
            Self::Duration(span) => format_duration(*span),
            Self::Type(of) => of.name().to_owned(),
            other => other.to_value().map_or_else(|_| other.type_name(), |value| value.to_json()),
        }
    }
}
