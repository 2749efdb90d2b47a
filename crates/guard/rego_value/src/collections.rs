//! Arrays, objects and sets: sorted vectors, which are small, quick to go through and found in by halving.
//!
//! Each knows how deeply it is nested, so that values too deep for recursion are refused where they arise.

use std::cmp::Ordering;
use std::ops::Deref;

use super::Value;

/// An array.
#[derive(Clone, Debug, Default)]
pub struct Array {
    items: Vec<Value>,
    depth: u32,
}

/// An object: pairs in order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pairs: Vec<(Value, Value)>,
    depth: u32,
}

/// A set: elements in order.
#[derive(Clone, Debug, Default)]
pub struct Set {
    items: Vec<Value>,
    depth: u32,
}

/// Objects of up to this many members are gone through, larger ones halved.
const SMALL: usize = 12;

fn above<'a>(values: impl Iterator<Item = &'a Value>) -> u32 {
    values.map(Value::depth).max().unwrap_or(0).saturating_add(1)
}

impl Array {
    /// How many levels there are.
    pub fn depth(&self) -> u32 {
        self.depth.max(1)
    }

    /// The items, to be taken apart.
    pub fn into_vec(self) -> Vec<Value> {
        self.items
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        let depth = above(items.iter());
        Self { items, depth }
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self { pairs: Vec::new(), depth: 1 }
    }

    /// How many levels there are.
    pub fn depth(&self) -> u32 {
        self.depth.max(1)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Where a key is, or would be.
    fn position(&self, key: &Value) -> Result<usize, usize> {
        match key {
            Value::String(text) => self.position_of_name(text),
            _ => self.pairs.binary_search_by(|(other, _)| other.cmp(key)),
        }
    }

    fn position_of_name(&self, name: &str) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(other, _)| match other {
            Value::String(other) => (**other).cmp(name),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ordering::Less,
            _ => Ordering::Greater,
        })
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        match key {
            Value::String(name) => self.get_str(name),
            _ => self.position(key).ok().and_then(|at| self.pairs.get(at)).map(|(_, value)| value),
        }
    }

    /// The value of a name. In small objects names are told apart by their lengths mostly, which lie side by side.
    #[inline]
    pub fn get_str(&self, name: &str) -> Option<&Value> {
        if self.pairs.len() <= SMALL {
            let found = self.pairs.iter().find(|(key, _)| matches!(key, Value::String(key) if **key == *name));
            return found.map(|(_, value)| value);
        }
        self.position_of_name(name).ok().and_then(|at| self.pairs.get(at)).map(|(_, value)| value)
    }

    /// Whether there is a member of this key.
    pub fn contains_key(&self, key: &Value) -> bool {
        self.position(key).is_ok()
    }

    /// The pair at a position in order of the keys.
    pub fn at(&self, position: usize) -> Option<&(Value, Value)> {
        self.pairs.get(position)
    }

    /// Sets a key and gives the value it replaces. Appending in order is constant time, inserting is linear: build
    /// large objects from pairs.
    pub fn insert(&mut self, key: Value, value: Value) -> Option<Value> {
        self.depth = self.depth.max(key.depth().max(value.depth()).saturating_add(1));
        if self.pairs.last().is_none_or(|(last, _)| *last < key) {
            self.pairs.push((key, value));
            return None;
        }
        match self.position(&key) {
            Ok(at) => self.pairs.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
            Err(at) => {
                self.pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.position(key).ok()?;
        Some(self.pairs.remove(at).1)
    }

    /// Pairs in order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Value, &Value)> + ExactSizeIterator + Clone {
        self.pairs.iter().map(|(key, value)| (key, value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.pairs.iter().map(|(key, _)| key)
    }

    /// Values in order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.pairs.iter().map(|(_, value)| value)
    }

    /// The pairs, to be taken apart.
    pub fn into_vec(self) -> Vec<(Value, Value)> {
        self.pairs
    }

    /// The pairs of both in one pass; where both have a key, `join` decides from the value here and the value there.
    #[must_use]
    pub fn merged(&self, other: &Self, mut join: impl FnMut(&Value, &Value) -> Value) -> Self {
        let mut pairs = Vec::with_capacity(self.len() + other.len());
        let (mut left, mut right) = (self.pairs.iter().peekable(), other.pairs.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            match order {
                Ordering::Less => pairs.extend(left.next().cloned()),
                Ordering::Greater => pairs.extend(right.next().cloned()),
                Ordering::Equal => {
                    if let (Some((key, a)), Some((_, b))) = (left.next(), right.next()) {
                        pairs.push((key.clone(), join(a, b)));
                    }
                }
            }
        }
        let depth = above(pairs.iter().flat_map(|(key, value)| [key, value]));
        Self { pairs, depth }
    }
}

impl From<Vec<(Value, Value)>> for Object {
    /// Of a repeated key the last value counts.
    fn from(mut pairs: Vec<(Value, Value)>) -> Self {
        if !pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            pairs.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(&mut later.1, &mut kept.1);
                }
                same
            });
        }
        let depth = above(pairs.iter().flat_map(|(key, value)| [key, value]));
        Self { pairs, depth }
    }
}

impl FromIterator<(Value, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(pairs: I) -> Self {
        Self::from(pairs.into_iter().collect::<Vec<_>>())
    }
}

impl Set {
    /// A set without elements.
    pub const fn new() -> Self {
        Self { items: Vec::new(), depth: 1 }
    }

    /// How many levels there are.
    pub fn depth(&self) -> u32 {
        self.depth.max(1)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The elements in order.
    pub fn as_slice(&self) -> &[Value] {
        &self.items
    }

    /// The elements in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.items.iter()
    }

    /// The element equal to a value.
    #[inline]
    pub fn get(&self, item: &Value) -> Option<&Value> {
        self.items.binary_search(item).ok().and_then(|at| self.items.get(at))
    }

    /// Whether a value is an element.
    pub fn contains(&self, item: &Value) -> bool {
        self.items.binary_search(item).is_ok()
    }

    /// Adds an element and tells whether it is new. Appending in order is constant time, inserting is linear: build
    /// large sets from vectors.
    pub fn insert(&mut self, item: Value) -> bool {
        let depth = item.depth().saturating_add(1);
        if self.items.last().is_none_or(|last| *last < item) {
            self.items.push(item);
        } else {
            match self.items.binary_search(&item) {
                Ok(_) => return false,
                Err(at) => self.items.insert(at, item),
            }
        }
        self.depth = self.depth.max(depth);
        true
    }

    /// Removes an element and tells whether it was there.
    pub fn remove(&mut self, item: &Value) -> bool {
        self.items.binary_search(item).map(|at| self.items.remove(at)).is_ok()
    }

    /// The elements of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, [true, true, true])
    }

    /// The elements of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, [false, true, false])
    }

    /// The elements here that are not there.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, [true, false, false])
    }

    /// One pass over both, keeping what is only here, in both, only there.
    fn combined(&self, other: &Self, [here, both, there]: [bool; 3]) -> Self {
        let mut items = Vec::new();
        let (mut left, mut right) = (self.items.iter().peekable(), other.items.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.cmp(b),
            };
            match order {
                Ordering::Less => items.extend(left.next().filter(|_| here).cloned()),
                Ordering::Greater => items.extend(right.next().filter(|_| there).cloned()),
                Ordering::Equal => {
                    right.next();
                    items.extend(left.next().filter(|_| both).cloned());
                }
            }
        }
        let depth = above(items.iter());
        Self { items, depth }
    }

    /// The elements, to be taken apart.
    pub fn into_vec(self) -> Vec<Value> {
        self.items
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl From<Vec<Value>> for Set {
    fn from(mut items: Vec<Value>) -> Self {
        if !items.is_sorted_by(|a, b| a < b) {
            items.sort();
            items.dedup();
        }
        let depth = above(items.iter());
        Self { items, depth }
    }
}

impl FromIterator<Value> for Set {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}
