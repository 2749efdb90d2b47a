//! The solutions of one definition, each with what its variables were: for reports that say where in `input` it is.

use palisade_rego_value::Value;

use super::calls::named;
use super::collect::{Gathered, Sink};
use super::evaluation::{Evaluation, Flow, Outcome};
use crate::plan::{Emit, RuleId};

/// A solution of a definition.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The element, member's value or value that it gives.
    pub value: Value,
    /// The registers of the definition. One that was not bound on the way holds `null` or what was there before.
    pub registers: Vec<Value>,
}

impl Evaluation<'_> {
    pub(super) fn solutions(&mut self, id: RuleId, definition: usize) -> Outcome<Vec<Solution>> {
        self.begin();
        self.budget = self.allowance;
        let Some(rule) = self.program.rules.get(id as usize) else { return Ok(Vec::new()) };
        let Some(definition) = rule.definitions.get(definition) else { return Ok(Vec::new()) };
        let mut sink = Sink::new(Gathered::Solutions(Vec::new()));
        self.definition(id, definition, &mut sink).map_err(|error| named(error, rule))?;
        let Gathered::Solutions(mut solutions) = sink.gathered else { return Ok(Vec::new()) };
        solutions.sort_by(|a, b| a.value.cmp(&b.value));
        Ok(solutions)
    }

    pub(super) fn emit_solution(&mut self, emit: &Emit, solutions: &mut Vec<Solution>) -> Outcome<Flow> {
        let (Emit::Value(operand) | Emit::Element(operand) | Emit::Member(_, operand) | Emit::Nested(_, operand)) =
            emit
        else {
            return Ok(Flow::More);
        };
        let Some(value) = self.operand(*operand).cloned() else { return Ok(Flow::More) };
        let registers = self.stack.get(self.base..).unwrap_or_default().to_vec();
        self.charge(registers.len() + 1)?;
        solutions.push(Solution { value, registers });
        Ok(Flow::More)
    }
}
