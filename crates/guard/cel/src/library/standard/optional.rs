//! Optional values.

use crate::library::mismatch;
use crate::syntax::macros;
use crate::{Call, EvalError, Function, Library, Type, Val};

type Outcome = Result<Val, EvalError>;

/// `optional.of`, `optional.none`, `orValue`, `optMap` and their kin.
pub fn library() -> Library {
    let (value, optional) = (|| Type::param("T"), || Type::optional(Type::param("T")));
    let functions = vec![
        Function::global("optional.of", [value()], optional(), |_, args| one(args).map(Val::some)),
        Function::global("optional.ofNonZeroValue", [value()], optional(), of_non_zero),
        Function::global("optional.none", [], optional(), |_, _| Ok(Val::none())),
        Function::global("optional.unwrap", [Type::list(optional())], Type::list(value()), unwrap),
        Function::member("unwrapOpt", [Type::list(optional())], Type::list(value()), unwrap),
        Function::member("value", [optional()], value(), |_, args| match args {
            [Val::Optional(Some(value))] => Ok(Val::clone(value)),
            _ => Err(EvalError::invalid("optional.none() dereference")),
        }),
        Function::member("hasValue", [optional()], Type::Bool, by_machine),
        Function::member("or", [optional(), optional()], optional(), by_machine),
        Function::member("orValue", [optional(), value()], value(), by_machine),
    ];
    let types = vec![Type::optional(Type::Dyn)];
    Library { name: "optional", functions, macros: macros::OPTIONAL.into(), types, ..Library::default() }
}

/// Functions that the evaluator answers itself, because they need not evaluate their second operand.
fn by_machine(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    Err(mismatch("optional", args))
}

fn one(args: &[Val]) -> Outcome {
    args.first().cloned().ok_or_else(|| mismatch("optional.of", args))
}

fn of_non_zero(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    let value = one(args)?;
    Ok(if value.is_zero() { Val::none() } else { Val::some(value) })
}

fn unwrap(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::List(list)] = args else { return Err(mismatch("unwrapOpt", args)) };
    call.spend(list.len() as u64)?;
    let present = list.iter().filter_map(|item| match item {
        Val::Optional(content) => content.map(|content| Val::clone(&content)),
        other => Some(other),
    });
    Ok(Val::list(present.collect::<Vec<_>>()))
}

impl Val {
    /// Whether this is its type's zero: `null`, `false`, 0, empty, absent.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Optional(None) => true,
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::UInt(value) => *value == 0,
            Self::Double(value) => *value == 0.0,
            Self::String(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Timestamp(moment) => moment.since_epoch() == crate::Moment::MIN.since_epoch(),
            Self::Duration(span) => span.is_zero(),
            Self::Opaque(value) => value.is_zero(),
            Self::Type(_) | Self::Optional(Some(_)) => false,
        }
    }
}
