//! Lists and maps: wrapped JSON, or values that expressions built.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use palisade_model::{Map, Str, Value};

use crate::Val;

/// A list.
#[derive(Clone, Debug)]
pub enum List {
    /// A JSON array.
    Json(Arc<Vec<Value>>),
    /// Built by an expression.
    Items(Arc<Vec<Val>>),
}

impl List {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Items(items) => items.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<Val> {
        match self {
            Self::Json(items) => items.get(index).map(Val::from),
            Self::Items(items) => items.get(index).cloned(),
        }
    }

    /// The elements in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Val> + ExactSizeIterator + '_ {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// The elements as a vector of their own.
    pub fn to_vec(&self) -> Vec<Val> {
        self.iter().collect()
    }
}

/// A map key. Equality is numeric across signed and unsigned integers.
#[derive(Clone, Debug)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// Text.
    String(Str),
}

impl Key {
    /// The key that a value stands for in a look-up: doubles without a fraction stand for integers.
    pub fn lookup(value: &Val) -> Option<Self> {
        match value {
            Val::Double(value) => {
                if value.fract() != 0.0 {
                    None
                } else if *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 {
                    Some(Self::UInt(*value as u64))
                } else if *value >= -9_223_372_036_854_775_808.0 && *value < 0.0 {
                    Some(Self::Int(*value as i64))
                } else {
                    None
                }
            }
            other => Self::new(other),
        }
    }

    /// The key that a value is in a map literal; `None` for types that cannot be keys.
    pub fn new(value: &Val) -> Option<Self> {
        match value {
            Val::Bool(value) => Some(Self::Bool(*value)),
            Val::Int(value) => Some(Self::Int(*value)),
            Val::UInt(value) => Some(Self::UInt(*value)),
            Val::String(text) => Some(Self::String(text.clone())),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_val(&self) -> Val {
        match self {
            Self::Bool(value) => Val::Bool(*value),
            Self::Int(value) => Val::Int(*value),
            Self::UInt(value) => Val::UInt(*value),
            Self::String(text) => Val::String(text.clone()),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Int(a), Self::UInt(b)) | (Self::UInt(b), Self::Int(a)) => u64::try_from(*a) == Ok(*b),
            (Self::String(a), Self::String(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(value) => value.hash(state),
            // Equal keys hash alike: the two's complement bits of a non-negative integer are the unsigned number's.
            Self::Int(value) => (*value as u64).hash(state),
            Self::UInt(value) => value.hash(state),
            Self::String(text) => text.hash(state),
        }
    }
}

/// The entries of a map that an expression built, in order of insertion.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    entries: Vec<(Key, Val)>,
    index: Option<HashMap<Key, usize>>,
}

/// The number of entries from which look-ups go through a hash index.
const INDEX_FROM: usize = 16;

impl Entries {
    /// No entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), index: None }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, key: &Key) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(own, _)| own == key),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &Key) -> Option<&Val> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// The value of a text key.
    pub fn get_str(&self, key: &str) -> Option<&Val> {
        if self.index.is_some() {
            return self.get(&Key::String(key.into()));
        }
        self.entries.iter().find(|(own, _)| matches!(own, Key::String(text) if **text == *key)).map(|(_, value)| value)
    }

    /// Adds an entry; `false`, changing nothing, where the key exists.
    #[must_use = "a repeated key is an error in CEL"]
    pub fn insert(&mut self, key: Key, value: Val) -> bool {
        if self.position(&key).is_some() {
            return false;
        }
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() >= INDEX_FROM {
            self.index = Some(self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect());
        }
        true
    }

    /// Adds an entry, or replaces the value of its key.
    pub fn set(&mut self, key: Key, value: Val) {
        match self.position(&key).and_then(|at| self.entries.get_mut(at)) {
            Some((_, old)) => *old = value,
            None => {
                let _added = self.insert(key, value);
            }
        }
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Val)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entry at `position`.
    pub fn at(&self, position: usize) -> Option<(&Key, &Val)> {
        self.entries.get(position).map(|(key, value)| (key, value))
    }
}

/// A map.
#[derive(Clone, Debug)]
pub enum Dict {
    /// A JSON object.
    Json(Arc<Map>),
    /// Built by an expression.
    Entries(Arc<Entries>),
}

impl Dict {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(map) => map.len(),
            Self::Entries(entries) => entries.len(),
        }
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a text key.
    pub fn get_str(&self, key: &str) -> Option<Val> {
        match self {
            Self::Json(map) => map.get(key).map(Val::from),
            Self::Entries(entries) => entries.get_str(key).cloned(),
        }
    }

    /// The value of any key, numerically equal ones included.
    pub fn get(&self, key: &Key) -> Option<Val> {
        match (self, key) {
            (Self::Json(map), Key::String(key)) => map.get(key).map(Val::from),
            (Self::Json(_), _) => None,
            (Self::Entries(entries), key) => entries.get(key).cloned(),
        }
    }

    /// The entry at `position`.
    pub fn at(&self, position: usize) -> Option<(Key, Val)> {
        match self {
            Self::Json(map) => map.at(position).map(|(key, value)| (Key::String(key.clone()), Val::from(value))),
            Self::Entries(entries) => entries.at(position).map(|(key, value)| (key.clone(), value.clone())),
        }
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Key, Val)> + '_ {
        (0..self.len()).filter_map(|position| self.at(position))
    }
}
