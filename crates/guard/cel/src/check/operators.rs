//! What operators accept and give.

use std::collections::HashMap;

use crate::{Function, Type};

/// A signature to match arguments against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) params: &'a [Type],
    pub(crate) variadic: bool,
    pub(crate) result: &'a Type,
}

impl Signature<'_> {
    /// Whether this many arguments fit.
    pub(crate) fn takes(&self, count: usize) -> bool {
        if self.variadic { count + 1 >= self.params.len() } else { count == self.params.len() }
    }
}

impl<'a> From<&'a Function> for Signature<'a> {
    fn from(function: &'a Function) -> Self {
        Self { params: &function.params, variadic: function.variadic, result: &function.result }
    }
}

/// The signatures of all operators, by cel-go's names for them.
#[derive(Clone, Debug)]
pub(crate) struct Operators(HashMap<&'static str, Vec<(Vec<Type>, Type)>>);

impl Operators {
    pub(crate) fn of(&self, name: &str) -> impl Iterator<Item = Signature<'_>> + Clone {
        let signatures = self.0.get(name).map_or(&[][..], Vec::as_slice);
        signatures.iter().map(|(params, result)| Signature { params, variadic: false, result })
    }
}

#[cfg(test)]
impl Operators {
    /// Every signature with the name of its operator.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, Signature<'_>)> {
        self.0.keys().flat_map(|name| self.of(name).map(|signature| (*name, signature)))
    }
}

impl Default for Operators {
    fn default() -> Self {
        let mut table = HashMap::new();
        table.insert("_+_", addition());
        table.insert("_-_", subtraction());
        for name in ["_*_", "_/_"] {
            table.insert(name, same(&[Type::Double, Type::Int, Type::UInt]));
        }
        table.insert("_%_", same(&[Type::Int, Type::UInt]));
        table.insert("-_", vec![(vec![Type::Double], Type::Double), (vec![Type::Int], Type::Int)]);
        table.insert("!_", vec![(vec![Type::Bool], Type::Bool)]);
        for name in ["_<_", "_<=_", "_>_", "_>=_"] {
            table.insert(name, ordering());
        }
        let any = Type::param("A");
        for name in ["_==_", "_!=_"] {
            table.insert(name, vec![(vec![any.clone(), any.clone()], Type::Bool)]);
        }
        table.insert("@in", membership());
        table.insert("_?_:_", vec![(vec![Type::Bool, any.clone(), any.clone()], any)]);
        table.insert("_[_]", indexing());
        table.insert("_[?_]", optional_indexing());
        Self(table)
    }
}

/// `T op T -> T`.
fn same(types: &[Type]) -> Vec<(Vec<Type>, Type)> {
    types.iter().map(|of| (vec![of.clone(), of.clone()], of.clone())).collect()
}

fn addition() -> Vec<(Vec<Type>, Type)> {
    use Type::{Bytes, Double, Duration, Int, String, Timestamp, UInt};
    let mut table = same(&[Bytes, Double, Duration, Int, Type::list(Type::param("A")), String, UInt]);
    table.push((vec![Duration, Timestamp], Timestamp));
    table.push((vec![Timestamp, Duration], Timestamp));
    table
}

fn subtraction() -> Vec<(Vec<Type>, Type)> {
    use Type::{Double, Duration, Int, Timestamp, UInt};
    let mut table = same(&[Double, Duration, Int, UInt]);
    table.push((vec![Timestamp, Duration], Timestamp));
    table.push((vec![Timestamp, Timestamp], Duration));
    table
}

/// Numbers of different types have an order, as Kubernetes turns on in cel-go.
fn ordering() -> Vec<(Vec<Type>, Type)> {
    use Type::{Bool, Bytes, Double, Duration, Int, String, Timestamp, UInt};
    let numbers = [Int, UInt, Double];
    let mut table: Vec<_> = [Bool, Bytes, String, Timestamp, Duration].map(|of| (vec![of.clone(), of], Bool)).into();
    for left in &numbers {
        table.extend(numbers.iter().map(|right| (vec![left.clone(), right.clone()], Bool)));
    }
    table
}

fn membership() -> Vec<(Vec<Type>, Type)> {
    let (a, b) = (Type::param("A"), Type::param("B"));
    vec![(vec![a.clone(), Type::list(a.clone())], Type::Bool), (vec![a.clone(), Type::map(a, b)], Type::Bool)]
}

fn indexing() -> Vec<(Vec<Type>, Type)> {
    let (a, b) = (Type::param("A"), Type::param("B"));
    let (list, map) = (Type::list(a.clone()), Type::map(a.clone(), b.clone()));
    vec![
        (vec![list.clone(), Type::Int], a.clone()),
        (vec![map.clone(), a.clone()], b.clone()),
        (vec![Type::optional(list), Type::Int], Type::optional(a.clone())),
        (vec![Type::optional(map), a], Type::optional(b)),
    ]
}

fn optional_indexing() -> Vec<(Vec<Type>, Type)> {
    let (a, b) = (Type::param("A"), Type::param("B"));
    let (list, map) = (Type::list(a.clone()), Type::map(a.clone(), b.clone()));
    vec![
        (vec![list.clone(), Type::Int], Type::optional(a.clone())),
        (vec![Type::optional(list), Type::Int], Type::optional(a.clone())),
        (vec![map.clone(), a.clone()], Type::optional(b.clone())),
        (vec![Type::optional(map), a], Type::optional(b)),
    ]
}
