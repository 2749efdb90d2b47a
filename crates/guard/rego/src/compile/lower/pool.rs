//! What all definitions share: constants, builtins, places of expressions.

use std::collections::{BTreeSet, HashMap};

use palisade_rego_builtins::Builtin;
use palisade_rego_value::Value;

use super::super::tree::Tree;
use crate::plan::{Operand, Place};

/// Tables of the program under construction.
pub(in super::super) struct Pool<'t> {
    pub(super) tree: &'t Tree,
    pub(in super::super) constants: Vec<Value>,
    index: HashMap<String, u32>,
    pub(in super::super) builtins: Vec<&'static Builtin>,
    /// Builtins that some `with` replaces, so that they are called even where a step would do.
    pub(super) replaced: BTreeSet<&'static str>,
    /// Whether expressions are marked.
    pub(super) instrument: bool,
    pub(in super::super) expressions: Vec<Place>,
}

impl<'t> Pool<'t> {
    pub(in super::super) fn new(tree: &'t Tree, replaced: BTreeSet<&'static str>, instrument: bool) -> Self {
        Self {
            tree,
            constants: Vec::new(),
            index: HashMap::new(),
            builtins: Vec::new(),
            replaced,
            instrument,
            expressions: Vec::new(),
        }
    }

    /// The operand of a constant; equal ones are shared. Numbers that are written differently stay apart.
    pub(in super::super) fn constant(&mut self, value: Value) -> Operand {
        let next = self.constants.len() as u32;
        let index = *self.index.entry(format!("{value:?}")).or_insert(next);
        if index == next {
            self.constants.push(value);
        }
        Operand::Constant(index)
    }

    pub(super) fn builtin(&mut self, builtin: &'static Builtin) -> u32 {
        let known = self.builtins.iter().position(|known| known.name == builtin.name);
        known.unwrap_or_else(|| {
            self.builtins.push(builtin);
            self.builtins.len() - 1
        }) as u32
    }
}
