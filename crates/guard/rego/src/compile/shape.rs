//! Static types, as far as they are evident: of constants, composites, results of builtins and of rules.
//!
//! Two shapes that no value can have both are a mistake; whatever is unknown is [`Shape::Any`], which fits everything.

use palisade_rego_value::Value;

use palisade_rego_builtins::types::Type;

/// More parts than this are not told apart.
const MAX_PARTS: usize = 32;
/// Deeper parts are not told apart.
const MAX_DEPTH: usize = 5;

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Any,
    Null,
    Boolean,
    Number,
    String,
    /// The first items, and all further ones where there may be such.
    Array(Vec<Shape>, Option<Box<Shape>>),
    Set(Box<Shape>),
    /// Known members, and the others where there may be such.
    Object(Vec<(Value, Shape)>, Option<Box<(Shape, Shape)>>),
    OneOf(Vec<Shape>),
}

impl From<&Type> for Shape {
    fn from(declared: &Type) -> Self {
        match declared {
            Type::Any => Self::Any,
            Type::Null => Self::Null,
            Type::Boolean => Self::Boolean,
            Type::Number => Self::Number,
            Type::String => Self::String,
            Type::Array(item) => Self::array(Self::from(*item)),
            Type::Set(item) => Self::Set(Box::new(Self::from(*item))),
            Type::Object(key, value) => Self::object(Self::from(*key), Self::from(*value)),
            Type::OneOf(several) => Self::one_of(several.iter().map(Self::from)),
        }
    }
}

impl Shape {
    pub(super) fn array(item: Self) -> Self {
        Self::Array(Vec::new(), Some(Box::new(item)))
    }

    pub(super) fn object(key: Self, value: Self) -> Self {
        Self::Object(Vec::new(), Some(Box::new((key, value))))
    }

    /// An array of these items. An empty one often is a default or a beginning that others replace: it is of any array.
    pub(super) fn array_of(items: Vec<Self>) -> Self {
        if items.is_empty() { Self::array(Self::Any) } else { Self::Array(items, None) }
    }

    /// An object of these members; an empty one is of any object.
    pub(super) fn object_of(members: Vec<(Value, Self)>) -> Self {
        if members.is_empty() { Self::object(Self::Any, Self::Any) } else { Self::Object(members, None) }
    }

    /// Any of several shapes.
    pub(super) fn one_of(several: impl IntoIterator<Item = Self>) -> Self {
        let mut found: Vec<Self> = Vec::new();
        for shape in several {
            let parts = match shape {
                Self::OneOf(parts) => parts,
                other => vec![other],
            };
            for part in parts {
                if part == Self::Any || found.len() > MAX_PARTS {
                    return Self::Any;
                }
                if !found.contains(&part) {
                    found.push(part);
                }
            }
        }
        match found.len() {
            0 => Self::Any,
            1 => found.pop().unwrap_or(Self::Any),
            _ => Self::OneOf(found),
        }
    }

    /// The shape of a constant.
    pub(super) fn of(value: &Value) -> Self {
        Self::of_constant(value, 0)
    }

    fn of_constant(value: &Value, depth: usize) -> Self {
        let inner = |value: &Value| Self::of_constant(value, depth + 1);
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            _ if depth >= MAX_DEPTH => Self::Any,
            Value::Array(items) if items.len() <= MAX_PARTS => Self::array_of(items.iter().map(inner).collect()),
            Value::Array(_) => Self::array(Self::Any),
            Value::Set(items) => Self::Set(Box::new(Self::one_of(items.iter().take(MAX_PARTS * 2).map(inner)))),
            Value::Object(members) if members.len() <= MAX_PARTS => {
                Self::object_of(members.iter().map(|(key, value)| (key.clone(), inner(value))).collect())
            }
            Value::Object(_) => Self::object(Self::Any, Self::Any),
        }
    }

    /// Whether some value may have both shapes.
    pub(super) fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::OneOf(several), other) | (other, Self::OneOf(several)) => several.iter().any(|one| one.fits(other)),
            (Self::Array(a, more), Self::Array(b, others)) => {
                let item = |items: &'_ [Self], more: &Option<Box<Self>>, at: usize| {
                    items.get(at).cloned().or_else(|| more.as_deref().cloned())
                };
                let longest = a.len().max(b.len());
                let alike = (0..longest).all(|at| match (item(a, more, at), item(b, others, at)) {
                    (Some(a), Some(b)) => a.fits(&b),
                    _ => false,
                });
                alike && both_fit(more.as_deref(), others.as_deref())
            }
            (Self::Set(a), Self::Set(b)) => a.fits(b),
            (Self::Object(a, more), Self::Object(b, others)) => {
                let known = |members: &[(Value, Self)], other: &Self| {
                    members.iter().all(|(key, value)| other.member(key).is_some_and(|it| value.fits(&it)))
                };
                let rest = |more: &Option<Box<(Self, Self)>>| more.as_deref().map(|(_, value)| value.clone());
                known(a, other) && known(b, self) && both_fit(rest(more).as_ref(), rest(others).as_ref())
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }

    /// The shape of a member by a constant key; `None` where there can be none.
    pub(super) fn member(&self, key: &Value) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Array(items, more) => {
                let at = key.as_number()?.as_i64()?;
                let item = usize::try_from(at).ok().and_then(|at| items.get(at));
                item.cloned().or_else(|| more.as_deref().cloned())
            }
            Self::Object(members, more) => {
                let known = members.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
                known
                    .or_else(|| more.as_deref().filter(|(name, _)| name.fits(&Self::of(key))).map(|(_, it)| it.clone()))
            }
            Self::Set(item) => item.fits(&Self::of(key)).then(|| (**item).clone()),
            Self::OneOf(several) => {
                let found: Vec<_> = several.iter().filter_map(|one| one.member(key)).collect();
                (!found.is_empty()).then(|| Self::one_of(found))
            }
            Self::Null | Self::Boolean | Self::Number | Self::String => None,
        }
    }

    /// The shapes of all keys and values; `None` where there can be none.
    pub(super) fn entries(&self) -> Option<(Self, Self)> {
        match self {
            Self::Any => Some((Self::Any, Self::Any)),
            Self::Array(items, more) => {
                let all: Vec<_> = items.iter().chain(more.as_deref()).cloned().collect();
                Some((Self::Number, Self::one_of(all)))
            }
            Self::Object(members, more) => {
                let rest = more.as_deref();
                let keys = members.iter().map(|(key, _)| Self::of(key)).chain(rest.map(|(key, _)| key.clone()));
                let values = members.iter().map(|(_, value)| value.clone()).chain(rest.map(|(_, it)| it.clone()));
                Some((Self::one_of(keys), Self::one_of(values)))
            }
            Self::Set(item) => Some(((**item).clone(), (**item).clone())),
            Self::OneOf(several) => {
                let (keys, values): (Vec<_>, Vec<_>) = several.iter().filter_map(Self::entries).unzip();
                (!keys.is_empty()).then(|| (Self::one_of(keys), Self::one_of(values)))
            }
            Self::Null | Self::Boolean | Self::Number | Self::String => None,
        }
    }

    /// Without parts below a depth.
    pub(super) fn shallow(self, depth: usize) -> Self {
        if depth >= MAX_DEPTH {
            return match self {
                Self::Null | Self::Boolean | Self::Number | Self::String => self,
                _ => Self::Any,
            };
        }
        let inner = |shape: Self| shape.shallow(depth + 1);
        match self {
            Self::Array(items, more) => {
                Self::Array(items.into_iter().map(inner).collect(), more.map(|more| Box::new(inner(*more))))
            }
            Self::Set(item) => Self::Set(Box::new(inner(*item))),
            Self::Object(members, more) => Self::Object(
                members.into_iter().map(|(key, value)| (key, inner(value))).collect(),
                more.map(|more| Box::new((inner(more.0), inner(more.1)))),
            ),
            Self::OneOf(several) => Self::one_of(several.into_iter().map(inner)),
            other => other,
        }
    }

    /// As messages tell it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::Array(..) => "array".to_owned(),
            Self::Set(_) => "set".to_owned(),
            Self::Object(..) => "object".to_owned(),
            Self::OneOf(several) => {
                let mut names: Vec<String> = several.iter().map(Self::name).collect();
                names.sort();
                names.dedup();
                names.join(" or ")
            }
        }
    }
}

fn both_fit(a: Option<&Shape>, b: Option<&Shape>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.fits(b),
        _ => true,
    }
}
