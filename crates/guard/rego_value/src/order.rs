//! Rego's total order: null, booleans, numbers, strings, arrays, objects, sets; within a type by value.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Object, Value};

impl Value {
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
            Self::Set(_) => 6,
        }
    }
}

impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b) || ***a == ***b,
            (Self::Object(a), Self::Object(b)) => {
                Arc::ptr_eq(a, b) || (a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a == b))
            }
            (Self::Set(a), Self::Set(b)) => Arc::ptr_eq(a, b) || a.as_slice() == b.as_slice(),
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Array(a), Self::Array(b)) => {
                if Arc::ptr_eq(a, b) {
                    Ordering::Equal
                } else {
                    (***a).cmp(&***b)
                }
            }
            (Self::Object(a), Self::Object(b)) => {
                if Arc::ptr_eq(a, b) {
                    Ordering::Equal
                } else {
                    objects(a, b)
                }
            }
            (Self::Set(a), Self::Set(b)) => a.as_slice().cmp(b.as_slice()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Objects compare pair by pair, key before value; a prefix is less.
fn objects(a: &Object, b: &Object) -> Ordering {
    a.iter().cmp(b.iter())
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.rank());
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Number(number) => number.hash(state),
            Self::String(text) => text.hash(state),
            Self::Array(items) => (***items).hash(state),
            Self::Object(object) => {
                state.write_usize(object.len());
                for pair in object.iter() {
                    pair.hash(state);
                }
            }
            Self::Set(set) => set.as_slice().hash(state),
        }
    }
}
