//! Calls: comparisons and `walk` have steps of their own.

use palisade_model::Relation;
use palisade_rego_value::Value;

use super::super::resolved::{Function, Term, TermKind};
use super::Lowerer;
use crate::plan::{Operand, Step};

impl Lowerer<'_, '_> {
    /// A call as a condition, or with its result as the last argument.
    pub(super) fn call(&mut self, function: Function, arguments: &[Term]) {
        let (inputs, result) = arguments.split_at(function.arity().min(arguments.len()));
        let inputs = self.operands(inputs);
        let result = result.first();
        if let (None, true, [element, collection]) =
            (result, function.is_builtin("internal.member_2"), inputs.as_slice())
            && let Some(set) = self.elements(*collection)
        {
            let (source, path, to) = (self.constant(set), vec![*element], self.register());
            return self.step(Step::Get { source, path, to });
        }
        if let (Some(relation), [left, right]) = (self.comparison(function), inputs.as_slice()) {
            let (left, right) = (*left, *right);
            let to = result.map(|_| self.register());
            self.step(Step::Compare { relation, left, right, to });
            if let (Some(result), Some(to)) = (result, to) {
                self.destructure(result, Operand::Register(to));
            }
            return;
        }
        let to = self.register();
        match inputs.as_slice() {
            [source] if function.is_builtin("walk") => self.step(Step::Walk { source: *source, to }),
            _ => {
                let callee = self.callee(function);
                self.step(Step::Call { callee, arguments: inputs, to });
            }
        }
        match result {
            Some(Term { kind: TermKind::Var(var), .. }) if !self.is_bound(*var) => {
                self.bind(*var, Operand::Register(to));
            }
            Some(result) => self.destructure(result, Operand::Register(to)),
            None => self.truthy(Operand::Register(to)),
        }
    }

    /// The values of a constant collection as a set, in which a value is found at once.
    fn elements(&self, collection: Operand) -> Option<Value> {
        let Operand::Constant(index) = collection else { return None };
        match self.pool.constants.get(index as usize)? {
            Value::Array(items) => Some(Value::set(items.to_vec())),
            Value::Object(members) => Some(Value::set(members.values().cloned().collect())),
            set @ Value::Set(_) => Some(set.clone()),
            _ => None,
        }
    }

    /// The comparison that a builtin is, unless some `with` replaces it.
    fn comparison(&self, function: Function) -> Option<Relation> {
        let Function::Builtin(builtin) = function else { return None };
        if self.pool.replaced.contains(builtin.name) {
            return None;
        }
        Some(match builtin.name {
            "equal" => Relation::Equal,
            "neq" => Relation::NotEqual,
            "lt" => Relation::Less,
            "lte" => Relation::LessOrEqual,
            "gt" => Relation::Greater,
            "gte" => Relation::GreaterOrEqual,
            _ => return None,
        })
    }
}
