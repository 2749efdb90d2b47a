//! What a node evaluates to: a value borrowed from the scope or the program wherever possible.

use jiff::SignedDuration;
use palisade_model::{Map, Value};

use crate::value::json_equal;
use crate::{Dict, Entries, EvalError, Key, List, Moment, Val};

/// A value, borrowed where it can be. Borrowing spares the reference counts, which threads would contend for.
#[derive(Clone, Debug)]
pub(crate) enum Term<'a> {
    Json(&'a Value),
    Val(&'a Val),
    Own(Val),
}

/// A value taken apart, whatever it is borrowed from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'v> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    String(&'v str),
    Bytes(&'v [u8]),
    Array(&'v [Value]),
    Items(&'v [Val]),
    Object(&'v Map),
    Entries(&'v Entries),
    Timestamp(Moment),
    Duration(SignedDuration),
    Type,
    Optional(Option<&'v Val>),
    Opaque(&'v Val),
}

impl<'v> From<&'v Value> for View<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Double(*value),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::Array(items),
            Value::Object(map) => Self::Object(map),
        }
    }
}

impl<'v> From<&'v Val> for View<'v> {
    fn from(value: &'v Val) -> Self {
        match value {
            Val::Null => Self::Null,
            Val::Bool(value) => Self::Bool(*value),
            Val::Int(value) => Self::Int(*value),
            Val::UInt(value) => Self::UInt(*value),
            Val::Double(value) => Self::Double(*value),
            Val::String(text) => Self::String(text),
            Val::Bytes(bytes) => Self::Bytes(bytes),
            Val::List(List::Json(items)) => Self::Array(items),
            Val::List(List::Items(items)) => Self::Items(items),
            Val::Map(Dict::Json(map)) => Self::Object(map),
            Val::Map(Dict::Entries(entries)) => Self::Entries(entries),
            Val::Timestamp(moment) => Self::Timestamp(*moment),
            Val::Duration(span) => Self::Duration(*span),
            Val::Type(_) => Self::Type,
            Val::Optional(value) => Self::Optional(value.as_deref()),
            Val::Opaque(_) => Self::Opaque(value),
        }
    }
}

impl View<'_> {
    /// The number as a value, for arithmetic and comparison; anything else as `null`.
    pub(crate) const fn number(self) -> Val {
        match self {
            Self::Int(value) => Val::Int(value),
            Self::UInt(value) => Val::UInt(value),
            Self::Double(value) => Val::Double(value),
            _ => Val::Null,
        }
    }
}

impl<'a> Term<'a> {
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Json(value) => View::from(*value),
            Self::Val(value) => View::from(*value),
            Self::Own(value) => View::from(value),
        }
    }

    pub(crate) fn into_val(self) -> Val {
        match self {
            Self::Json(value) => Val::from(value),
            Self::Val(value) => value.clone(),
            Self::Own(value) => value,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.view() {
            View::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn type_name(&self) -> String {
        self.clone().into_val().type_name()
    }

    /// The field of an object or the value of a text key; `None` where there is none, as for values without fields.
    pub(crate) fn field(&self, name: &str) -> Result<Option<Term<'a>>, EvalError> {
        Ok(match self {
            Self::Json(Value::Object(map)) | Self::Val(Val::Map(Dict::Json(map))) => map.get(name).map(Term::Json),
            Self::Val(Val::Map(Dict::Entries(entries))) => entries.get_str(name).map(Term::Val),
            Self::Own(Val::Map(map)) => map.get_str(name).map(Term::Own),
            Self::Val(Val::Opaque(value)) | Self::Own(Val::Opaque(value)) => {
                value.field(name).transpose()?.map(Term::Own)
            }
            Self::Val(Val::List(_)) | Self::Own(Val::List(_)) | Self::Json(Value::Array(_)) => {
                return Err(EvalError::invalid(format_args!("a list has no field `{name}`")));
            }
            _ => None,
        })
    }

    /// The field that `x.?name` asks for.
    pub(crate) fn optional_field(&self, name: &str) -> Result<Option<Term<'a>>, EvalError> {
        match self.view() {
            View::Opaque(Val::Opaque(value)) => Ok(value.optional_field(name).transpose()?.map(Term::Own)),
            _ => self.field(name),
        }
    }

    /// The element that `x[?index]` asks for.
    pub(crate) fn optional_element(&self, index: &Term<'_>) -> Result<Option<Term<'a>>, EvalError> {
        match (self.view(), index.view()) {
            (View::Opaque(_), View::String(name)) => self.optional_field(name),
            _ => self.element(index),
        }
    }

    /// The element at `index`, or the value of the key `index`; `None` where there is none.
    pub(crate) fn element(&self, index: &Term<'_>) -> Result<Option<Term<'a>>, EvalError> {
        if let (View::String(key), true) = (index.view(), self.is_map()) {
            return self.field(key);
        }
        match self {
            Self::Json(Value::Array(items)) | Self::Val(Val::List(List::Json(items))) => {
                Ok(items.get(position(index)?).map(Term::Json))
            }
            Self::Val(Val::List(List::Items(items))) => Ok(items.get(position(index)?).map(Term::Val)),
            Self::Own(Val::List(list)) => Ok(list.get(position(index)?).map(Term::Own)),
            Self::Val(Val::Map(Dict::Entries(entries))) => Ok(entries.get(&key(index)?).map(Term::Val)),
            Self::Own(Val::Map(map)) => Ok(map.get(&key(index)?).map(Term::Own)),
            Self::Json(Value::Object(_)) | Self::Val(Val::Map(Dict::Json(_))) => key(index).map(|_| None),
            Self::Own(Val::Opaque(value)) | Self::Val(Val::Opaque(value)) => opaque_element(value.as_ref(), index),
            _ => Ok(None),
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.view(), View::Object(_) | View::Entries(_))
    }

    /// How many rounds a loop over this has; `None` for what is no list or map.
    pub(crate) fn rounds(&self) -> Option<usize> {
        match self.view() {
            View::Array(items) => Some(items.len()),
            View::Items(items) => Some(items.len()),
            View::Object(map) => Some(map.len()),
            View::Entries(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// The key of a round over a map; the position of a round over a list.
    pub(crate) fn round_key(&self, at: usize) -> Term<'a> {
        match self.view() {
            View::Object(map) => Term::Own(map.at(at).map_or(Val::Null, |(key, _)| Val::String(key.clone()))),
            View::Entries(entries) => Term::Own(entries.at(at).map_or(Val::Null, |(key, _)| key.to_val())),
            _ => Term::Own(Val::size(at)),
        }
    }

    /// The element or value of a round.
    pub(crate) fn round_value(&self, at: usize) -> Term<'a> {
        let value = match self {
            Self::Json(Value::Array(items)) | Self::Val(Val::List(List::Json(items))) => items.get(at).map(Term::Json),
            Self::Val(Val::List(List::Items(items))) => items.get(at).map(Term::Val),
            Self::Own(Val::List(list)) => list.get(at).map(Term::Own),
            Self::Json(Value::Object(map)) | Self::Val(Val::Map(Dict::Json(map))) => {
                map.at(at).map(|(_, value)| Term::Json(value))
            }
            Self::Val(Val::Map(Dict::Entries(entries))) => entries.at(at).map(|(_, value)| Term::Val(value)),
            Self::Own(Val::Map(Dict::Json(map))) => map.at(at).map(|(_, value)| Term::Own(Val::from(value))),
            Self::Own(Val::Map(Dict::Entries(entries))) => entries.at(at).map(|(_, value)| Term::Own(value.clone())),
            _ => None,
        };
        value.unwrap_or(Term::Own(Val::Null))
    }

    /// CEL's `==`.
    pub(crate) fn equals(&self, other: &Term<'_>) -> bool {
        match (self.borrowed(), other.borrowed()) {
            (Ok(a), Ok(b)) => json_equal(a, b),
            (Ok(json), Err(val)) | (Err(val), Ok(json)) => val.equals_json(json),
            (Err(a), Err(b)) => a == b,
        }
    }

    /// How many values there are in this one, itself included: what comparing it may cost.
    pub(crate) fn weight(&self) -> u64 {
        match self.borrowed() {
            Ok(json) => json_weight(json),
            Err(val) => weight(val),
        }
    }

    const fn borrowed(&self) -> Result<&Value, &Val> {
        match self {
            Self::Json(value) => Ok(value),
            Self::Val(value) => Err(value),
            Self::Own(value) => Err(value),
        }
    }

    /// The optional that holds a part of this: `None` becomes an absent one.
    pub(crate) fn optional(part: Option<Term<'a>>) -> Term<'a> {
        Term::Own(part.map_or(Val::none(), |part| Val::some(part.into_val())))
    }
}

fn json_weight(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(json_weight).sum::<u64>(),
        Value::Object(map) => 1 + map.values().map(json_weight).sum::<u64>(),
        Value::String(text) => 1 + text.len() as u64 / 10,
        _ => 1,
    }
}

fn weight(value: &Val) -> u64 {
    match View::from(value) {
        View::Array(items) => 1 + items.iter().map(json_weight).sum::<u64>(),
        View::Object(map) => 1 + map.values().map(json_weight).sum::<u64>(),
        View::Items(items) => 1 + items.iter().map(weight).sum::<u64>(),
        View::Entries(entries) => 1 + entries.iter().map(|(_, value)| weight(value)).sum::<u64>(),
        View::String(text) => 1 + text.len() as u64 / 10,
        _ => 1,
    }
}

fn opaque_element<'a>(value: &dyn crate::Opaque, index: &Term<'_>) -> Result<Option<Term<'a>>, EvalError> {
    match index.view() {
        View::String(name) => Ok(value.field(name).transpose()?.map(Term::Own)),
        _ => Err(EvalError::NoOverload(format!("{}[{}]", value.opaque_type(), index.type_name()).into())),
    }
}

/// The position that an index into a list means; one that no list has for negative numbers.
fn position(index: &Term<'_>) -> Result<usize, EvalError> {
    let position = match index.view() {
        View::Int(index) => usize::try_from(index).ok(),
        View::UInt(index) => usize::try_from(index).ok(),
        View::Double(index) if index.fract() == 0.0 => (index >= 0.0).then_some(index as usize),
        View::Double(index) => return Err(EvalError::invalid(format_args!("`{index}` is no position in a list"))),
        _ => return Err(EvalError::invalid(format_args!("a list has no position of type `{}`", index.type_name()))),
    };
    Ok(position.unwrap_or(usize::MAX))
}

fn key(index: &Term<'_>) -> Result<Key, EvalError> {
    let value = index.clone().into_val();
    match Key::lookup(&value) {
        Some(key) => Ok(key),
        // A double with a fraction may be asked for, and is never found.
        None if matches!(value, Val::Double(_)) => Ok(Key::String("\u{0}".into())),
        None => Err(EvalError::invalid(format_args!("a map has no keys of type `{}`", value.type_name()))),
    }
}
