//! Calls: comparisons and `walk` have steps of their own.

use super::super::resolved::{Function, Term, TermKind};
use super::Lowerer;
use crate::plan::{Comparison, Operand, Step};

impl Lowerer<'_, '_> {
    /// A call as a condition, or with its result as the last argument.
    pub(super) fn call(&mut self, function: Function, arguments: &[Term]) {
        let (inputs, result) = arguments.split_at(function.arity().min(arguments.len()));
        let inputs = self.operands(inputs);
        let result = result.first();
        if let (Some(operator), [left, right]) = (self.comparison(function), inputs.as_slice()) {
            let (left, right) = (*left, *right);
            let to = result.map(|_| self.register());
            self.step(Step::Compare { operator, left, right, to });
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
            Some(Term { kind: TermKind::Var(var), .. }) if !self.is_bound(*var) => self.bind(*var, Operand::Register(to)),
            Some(result) => self.destructure(result, Operand::Register(to)),
            None => self.truthy(Operand::Register(to)),
        }
    }

    /// The comparison that a builtin is, unless some `with` replaces it.
    fn comparison(&self, function: Function) -> Option<Comparison> {
        let Function::Builtin(builtin) = function else { return None };
        if self.pool.replaced.contains(builtin.name) {
            return None;
        }
        Some(match builtin.name {
            "equal" => Comparison::Equal,
            "neq" => Comparison::NotEqual,
            "lt" => Comparison::Less,
            "lte" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "gte" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }
}
