//! One case of a test file: its environment, its variables, what it expects.

use std::sync::Arc;

use palisade_cel::library::{kubernetes, standard};
use palisade_cel::{
    Bindings, Budget, Call, Entries, Env, EnvBuilder, EvalError, Function, Key, Library, Moment, Type, Val,
};
use palisade_model::Str;

use super::textproto::{Field, Message};

/// Whether a case passed; why not, otherwise.
pub(super) type Judged = Result<(), String>;

/// Runs a case.
pub(super) fn judge(case: &Message, expr: &str) -> Judged {
    let env = environment(case)?;
    let checked = !case.flag("disable_check");
    let compiled = if checked { env.compile(expr) } else { env.compile_unchecked(expr) };
    let expects_error = case.message("eval_error").is_some() || case.message("any_eval_errors").is_some();
    let program = match compiled {
        Err(_) if expects_error => return Ok(()),
        Err(errors) => {
            return Err(format!("does not compile: {}", errors.first().map(ToString::to_string).unwrap_or_default()));
        }
        Ok(program) => program,
    };
    let typed = case.message("typed_result");
    if let Some(wanted) = typed.and_then(|typed| typed.message("deduced_type")) {
        let wanted = read_type(wanted)?;
        if wanted != *program.result_type() {
            return Err(format!("deduced `{}`, expected `{wanted}`", program.result_type()));
        }
    }
    if case.flag("check_only") {
        return Ok(());
    }
    let outcome = program.evaluate(&variables(case)?, &mut Budget::default());
    match (outcome, expects_error) {
        (Err(_), true) => Ok(()),
        (Ok(value), true) => Err(format!("yields {value:?}, expected an error")),
        (Err(error), false) => Err(format!("fails: {error}")),
        (Ok(value), false) => {
            compare(&value, case.message("value").or(typed.and_then(|typed| typed.message("result"))))
        }
    }
}

/// Where a case names no result, it expects `true`.
fn compare(value: &Val, wanted: Option<&Message>) -> Judged {
    let wanted = wanted.map_or(Ok(Val::Bool(true)), read_value)?;
    if same(value, &wanted) { Ok(()) } else { Err(format!("yields {value:?}, expected {wanted:?}")) }
}

/// Equality that tells number types apart and holds for NaN.
fn same(a: &Val, b: &Val) -> bool {
    match (a, b) {
        (Val::Double(a), Val::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Val::List(a), Val::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(&a, &b)),
        (Val::Map(a), Val::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(&key).is_some_and(|other| same(&value, &other)))
        }
        (Val::Opaque(_), Val::Opaque(_)) => a == b,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b) && a == b,
    }
}

fn environment(case: &Message) -> Result<Env, String> {
    let mut builder = Env::builder()
        .libraries(standard::extensions())
        .library(standard::specification())
        .library(standard::block())
        .libraries(kubernetes::network_library())
        .strict(true)
        .container(case.text("container").unwrap_or_default());
    for declaration in case.messages("type_env") {
        let name = declaration.text("name").ok_or("a declaration has no name")?;
        if let Some(of) = declaration.message("ident").and_then(|ident| ident.message("type")) {
            builder = builder.variable(name.clone(), read_type(of)?);
        }
        if let Some(function) = declaration.message("function") {
            builder = declare_function(builder, &name, function)?;
        }
    }
    Ok(builder.build())
}

/// Functions that a case declares have types only: such cases are checked, not evaluated.
fn declare_function(mut builder: EnvBuilder, name: &str, function: &Message) -> Result<EnvBuilder, String> {
    for overload in function.messages("overloads") {
        let params = overload.messages("params").map(read_type).collect::<Result<Vec<_>, _>>()?;
        let result = overload.message("result_type").map_or(Ok(Type::Dyn), read_type)?;
        let declared = |_: &mut Call<'_>, _: &[Val]| Err(EvalError::invalid("the function is only declared"));
        let function = if overload.flag("is_instance_function") {
            Function::member(name.to_owned(), params, result, declared)
        } else {
            Function::global(name.to_owned(), params, result, declared)
        };
        builder = builder.library(Library::of("declared by the case", [function.contextual()]));
    }
    Ok(builder)
}

fn variables(case: &Message) -> Result<Bindings, String> {
    case.messages("bindings").try_fold(Bindings::new(), |bindings, binding| {
        let name = binding.text("key").ok_or("a binding has no name")?;
        let value =
            binding.message("value").and_then(|value| value.message("value")).ok_or("a binding has no value")?;
        Ok(bindings.with(name, read_value(value)?))
    })
}

/// A `cel.expr.Type`.
fn read_type(of: &Message) -> Result<Type, String> {
    let Some((kind, field)) = of.fields().next() else { return Ok(Type::Dyn) };
    match (kind, field) {
        ("dyn", _) => Ok(Type::Dyn),
        ("null", _) => Ok(Type::Null),
        ("primitive", Field::Word(name)) => primitive(name),
        ("well_known", Field::Word(name)) => match name.as_str() {
            "TIMESTAMP" => Ok(Type::Timestamp),
            "DURATION" => Ok(Type::Duration),
            _ => Err(format!("the type {name} is not supported")),
        },
        ("message_type", Field::Text(name)) => match name.as_slice() {
            b"google.protobuf.Timestamp" => Ok(Type::Timestamp),
            b"google.protobuf.Duration" => Ok(Type::Duration),
            other => Ok(Type::object(&String::from_utf8_lossy(other))),
        },
        ("type_param", Field::Text(name)) => Ok(Type::param(&String::from_utf8_lossy(name))),
        ("type", Field::Message(of)) => read_type(of).map(Type::type_of),
        ("list_type", Field::Message(list)) => part(list, "elem_type").map(Type::list),
        ("map_type", Field::Message(map)) => Ok(Type::map(part(map, "key_type")?, part(map, "value_type")?)),
        ("abstract_type", Field::Message(of)) => abstract_type(of),
        _ => Err(format!("the type {kind} is not supported")),
    }
}

fn part(of: &Message, name: &str) -> Result<Type, String> {
    of.message(name).map_or(Ok(Type::Dyn), read_type)
}

fn primitive(name: &str) -> Result<Type, String> {
    Ok(match name {
        "BOOL" => Type::Bool,
        "INT64" => Type::Int,
        "UINT64" => Type::UInt,
        "DOUBLE" => Type::Double,
        "STRING" => Type::String,
        "BYTES" => Type::Bytes,
        _ => return Err(format!("the type {name} is not supported")),
    })
}

fn abstract_type(of: &Message) -> Result<Type, String> {
    let name = of.text("name").ok_or("an abstract type has no name")?;
    let parameters = of.messages("parameter_types").map(read_type).collect::<Result<Vec<_>, _>>()?;
    Ok(match (name.as_str(), parameters.first()) {
        ("optional_type", Some(value)) => Type::optional(value.clone()),
        _ => Type::Opaque(name.into(), parameters.into()),
    })
}

/// A `cel.expr.Value`.
fn read_value(value: &Message) -> Result<Val, String> {
    let Some((kind, field)) = value.fields().next() else { return Err("a value is empty".to_owned()) };
    let unreadable = || format!("the {kind} cannot be read");
    match (kind, field) {
        ("null_value", _) => Ok(Val::Null),
        ("bool_value", Field::Word(word)) => Ok(Val::Bool(word == "true")),
        ("int64_value", Field::Word(word)) => {
            integer(word).and_then(|n| i64::try_from(n).ok()).map(Val::Int).ok_or_else(unreadable)
        }
        ("uint64_value", Field::Word(word)) => {
            integer(word).and_then(|n| u64::try_from(n).ok()).map(Val::UInt).ok_or_else(unreadable)
        }
        ("double_value", Field::Word(word)) => word.parse().map(Val::Double).map_err(|_| unreadable()),
        ("string_value", Field::Text(bytes)) => {
            String::from_utf8(bytes.clone()).map(Val::from).map_err(|_| unreadable())
        }
        ("bytes_value", Field::Text(bytes)) => Ok(Val::bytes(bytes.as_slice())),
        ("type_value", Field::Text(name)) => Ok(Val::of_type(type_named(&String::from_utf8_lossy(name)))),
        ("list_value", Field::Message(list)) => {
            Ok(Val::list(list.messages("values").map(read_value).collect::<Result<Vec<_>, _>>()?))
        }
        ("map_value", Field::Message(map)) => read_map(map),
        ("object_value", Field::Message(object)) => read_object(object),
        _ => Err(unreadable()),
    }
}

fn integer(word: &str) -> Option<i128> {
    let (sign, digits) = word.strip_prefix('-').map_or((1, word), |digits| (-1, digits));
    let number = match digits.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(sign * number)
}

/// Types are compared by name when evaluating, so an opaque type of the name stands for any.
fn type_named(name: &str) -> Type {
    Type::Opaque(Str::from(name), Arc::from([]))
}

fn read_map(map: &Message) -> Result<Val, String> {
    let mut entries = Entries::new();
    for entry in map.messages("entries") {
        let key = entry.message("key").map_or(Err("an entry has no key".to_owned()), read_value)?;
        let value = entry.message("value").map_or(Err("an entry has no value".to_owned()), read_value)?;
        let key = Key::new(&key).ok_or("an entry has a key of the wrong type")?;
        if !entries.insert(key, value) {
            return Err("a key is repeated".to_owned());
        }
    }
    Ok(Val::map(entries))
}

/// Durations and timestamps, the only messages that are values of CEL's own.
fn read_object(object: &Message) -> Result<Val, String> {
    let Some((name, Field::Message(fields))) = object.fields().next() else {
        return Err("an object is empty".to_owned());
    };
    let number = |name| fields.word(name).map_or(Some(0), |word| word.parse::<i64>().ok());
    let (Some(seconds), Some(nanos)) = (number("seconds"), number("nanos")) else {
        return Err("seconds and nanos must be integers".to_owned());
    };
    let span = jiff::SignedDuration::from_secs(seconds).saturating_add(jiff::SignedDuration::from_nanos(nanos));
    match name.rsplit_once('/').map_or(name, |(_, name)| name) {
        "google.protobuf.Duration" => Ok(Val::Duration(span)),
        "google.protobuf.Timestamp" => Moment::new(span).map(Val::Timestamp).map_err(|error| error.to_string()),
        other => Err(format!("the message {other} is not supported")),
    }
}
