//! The one tree that every engine reads: JSON data with cheap clones and ordered keys.
//!
//! A document is converted to a [`Value`] once and then shared by every policy: strings, arrays and objects are
//! reference counted, so cloning is constant time, and mutation copies only what is shared ([`Arc::make_mut`]).
//! Numbers follow Kubernetes' JSON decoding: 64-bit integers where they fit, IEEE doubles elsewhere.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// An immutable, cheaply cloned string.
pub type Str = Arc<str>;

/// A JSON value. Equality is numeric (`1 == 1.0`) and ignores the order of object keys.
#[derive(Clone, Default)]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// JSON `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(Str),
    /// An ordered sequence.
    Array(Arc<Vec<Value>>),
    /// Named members in the order of the document.
    Object(Arc<Map>),
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// An array value.
    pub fn array(items: impl Into<Vec<Self>>) -> Self {
        Self::Array(Arc::new(items.into()))
    }

    /// An object value.
    pub fn object(map: Map) -> Self {
        Self::Object(Arc::new(map))
    }

    /// Reads JSON text; for literals in policies and tests. Files go through `palisade-document`, which keeps spans.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Compact JSON text, keys in document order.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Indented JSON text, keys in document order.
    pub fn to_json_pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Compact JSON with keys sorted at every level: the text that digests and fingerprints are taken over.
    pub fn to_canonical_json(&self) -> String {
        self.sorted().to_json()
    }

    /// The same value with object keys in byte order at every level.
    #[must_use]
    pub fn sorted(&self) -> Self {
        match self {
            Self::Array(items) => Self::array(items.iter().map(Self::sorted).collect::<Vec<_>>()),
            Self::Object(map) => {
                let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), value.sorted())).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Self::object(entries.into_iter().collect())
            }
            other => other.clone(),
        }
    }

    /// Whether an object at any level has a member that is null.
    pub fn has_null_members(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::has_null_members),
            Self::Object(map) => map.iter().any(|(_, value)| value.is_null() || value.has_null_members()),
            _ => false,
        }
    }

    /// The same value without the members of objects that are null.
    #[must_use]
    pub fn without_null_members(&self) -> Self {
        match self {
            Self::Array(items) => Self::array(items.iter().map(Self::without_null_members).collect::<Vec<_>>()),
            Self::Object(map) => {
                let kept = map.iter().filter(|(_, value)| !value.is_null());
                Self::object(kept.map(|(key, value)| (key.clone(), value.without_null_members())).collect())
            }
            other => other.clone(),
        }
    }

    /// The member `key` of an object; `None` for anything else.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The element `index` of an array; `None` for anything else.
    pub fn at(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }

    /// Follows object keys from here; `None` as soon as one is missing.
    pub fn dig<const N: usize>(&self, keys: [&str; N]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The shared text of a string value.
    pub fn as_shared_str(&self) -> Option<&Str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean of a boolean value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer of a whole number, doubles with no fraction included.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => Some(*value as i64),
            _ => None,
        }
    }

    /// The double nearest to a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array value.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object value.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The elements of an array value for editing, copied first where they are shared.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(items) => Some(Arc::make_mut(items)),
            _ => None,
        }
    }

    /// The members of an object value for editing, copied first where they are shared.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Object(map) => Some(Arc::make_mut(map)),
            _ => None,
        }
    }

    /// Whether this is JSON `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The JSON name of the type: `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

/// Makes a value type of plain types: `impl_from!(Value { bool => Self::Bool, &str => |text| Self::String(text.into()) })`.
#[macro_export]
macro_rules! impl_from {
    ($target:ty { $($plain:ty => $make:expr),+ $(,)? }) => {
        $(impl From<$plain> for $target {
            fn from(plain: $plain) -> Self {
                let make: fn($plain) -> Self = $make;
                make(plain)
            }
        })+
    };
}

impl_from!(Value {
    bool => Self::Bool,
    i64 => Self::Int,
    f64 => Self::Float,
    &str => |text| Self::String(text.into()),
    String => |text| Self::String(text.into()),
    Str => Self::String,
    Vec<Value> => Self::array,
    Map => Self::object,
});

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            serde_json::Value::String(text) => Self::from(text),
            serde_json::Value::Array(items) => Self::array(items.into_iter().map(Self::from).collect::<Vec<_>>()),
            serde_json::Value::Object(members) => {
                Self::object(members.into_iter().map(|(key, value)| (Str::from(key), Self::from(value))).collect())
            }
        }
    }
}

/// Builds a [`Value`] from a JSON literal, with interpolation as in `serde_json::json!`. Keys come out sorted.
#[macro_export]
macro_rules! json {
    ($($body:tt)+) => { $crate::Value::from($crate::value::serde_json::json!($($body)+)) };
}

#[doc(hidden)]
pub use serde_json;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => match whole(*value) {
                Some(value) => serializer.serialize_i64(value),
                None => serializer.serialize_f64(*value),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Object(map) => map.serialize(serializer),
        }
    }
}

/// Doubles without a fraction print as Go prints them in JSON: without a trailing `.0`.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64)
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            members.serialize_entry(&**key, value)?;
        }
        members.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::from(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::array(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = members.next_entry::<String, Value>()? {
                    map.insert(key, value);
                }
                Ok(Value::object(map))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// An object's members, in insertion order, unique by key.
///
/// Kubernetes objects have few keys per level, where a linear scan over adjacent memory beats hashing; a hash index
/// is kept beside the entries once an object grows past [`INDEX_FROM`], so that hostile objects stay linear overall.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<(Str, Value)>,
    #[expect(clippy::box_collection, reason = "objects are many and small ones have no index: a word instead of six")]
    index: Option<Box<HashMap<Str, usize>>>,
}

/// The number of members from which lookups go through a hash index.
const INDEX_FROM: usize = 24;

impl Map {
    /// An object with no members.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), index: None }
    }

    /// An object with no members and room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity), index: None }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The position of `key` in document order.
    pub fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            // The first byte tells most keys of one length apart, without a call to compare the rest.
            None => self.entries.iter().position(|(name, _)| {
                name.len() == key.len() && name.as_bytes().first() == key.as_bytes().first() && &**name == key
            }),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// The member at `position` in document order.
    pub fn at(&self, position: usize) -> Option<(&Str, &Value)> {
        self.entries.get(position).map(|(key, value)| (key, value))
    }

    /// The value of `key` for editing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.position(key).and_then(|at| self.entries.get_mut(at)).map(|(_, value)| value)
    }

    /// The value of `key`, inserted as `null` at the end where it is missing.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        let at = self.position(key).unwrap_or_else(|| {
            self.push(key.into(), Value::Null);
            self.entries.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed above")]
        &mut self.entries[at].1
    }

    /// Whether `key` is a member.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets `key`, in place where it exists and at the end otherwise; returns the value it replaces.
    pub fn insert(&mut self, key: impl Into<Str> + Borrow<str>, value: impl Into<Value>) -> Option<Value> {
        if let Some(slot) = self.get_mut(key.borrow()) {
            return Some(std::mem::replace(slot, value.into()));
        }
        self.push(key.into(), value.into());
        None
    }

    /// The value of a new member at the end, `null` at first, whose key is known to be none of the others: for readers
    /// that can tell. Of two members with one key, look-ups would find the first.
    pub fn append(&mut self, key: Str) -> &mut Value {
        debug_assert!(!self.contains_key(&key), "`{key}` is a member already");
        self.push(key, Value::Null);
        let at = self.entries.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed above")]
        &mut self.entries[at].1
    }

    fn push(&mut self, key: Str, value: Value) {
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() >= INDEX_FROM {
            self.reindex();
        }
    }

    fn reindex(&mut self) {
        self.index = (self.entries.len() >= INDEX_FROM)
            .then(|| Box::new(self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect()));
    }

    /// Removes `key`, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.reindex();
        Some(value)
    }

    /// Keeps the members for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&Str, &mut Value) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
        self.reindex();
    }

    /// Members in document order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &Value)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Members in document order, values for editing.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&Str, &mut Value)> + ExactSizeIterator {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keys in document order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Str> + ExactSizeIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Values in document order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.iter().map(|(_, value)| value)
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self::with_capacity(entries.size_hint().0);
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (Str, Value);
    type IntoIter = std::vec::IntoIter<(Str, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_order_through_removal_and_growth() {
        let mut map = Map::new();
        for n in 0..100_i64 {
            map.insert(format!("k{n}"), n);
        }
        assert_eq!(map.remove("k3"), Some(Value::Int(3)));
        assert_eq!(map.get("k99"), Some(&Value::Int(99)));
        assert_eq!(map.keys().nth(3).map(|key| &**key), Some("k4"));
        map.retain(|key, _| key.len() == 2);
        assert_eq!(map.len(), 9);
        assert_eq!(map.get("k9"), Some(&Value::Int(9)));
        assert!(map.get("k3").is_none());
    }

    #[test]
    fn numbers_compare_by_value_and_print_as_kubernetes_prints_them() {
        assert_eq!(Value::Int(1), Value::Float(1.0));
        assert_eq!(Value::Float(2.0).to_json(), "2");
        assert_eq!(Value::Float(2.5).to_json(), "2.5");
        assert_eq!(Value::from_json("18446744073709551615").unwrap(), Value::Float(18_446_744_073_709_551_615.0));
    }

    #[test]
    fn canonical_json_ignores_key_order() {
        let a = Value::from_json(r#"{"b":1,"a":{"d":[1,2],"c":null}}"#).unwrap();
        let b = Value::from_json(r#"{"a":{"c":null,"d":[1,2]},"b":1}"#).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.to_canonical_json(), b.to_canonical_json());
        assert_eq!(a.to_json(), r#"{"b":1,"a":{"d":[1,2],"c":null}}"#);
    }
}
