//! Which part of `input` a solution is about: the deepest field that one of its conditions looked at.
//!
//! A rule says what is wrong in words only. Its plan tells more: the operand of a condition leads through the steps that
//! made it back to `input`, and the registers of the solution say which element of a list it was. What came through
//! another rule is found again by identity, because values are shared, not copied. A condition that something is
//! absent leads to the place where it would be.

use palisade_rego_value::Value;

use crate::machine::Solution;
use crate::plan::{Block, Definition, Operand, Register, Step};

/// How far definitions are followed back.
const MAX_STEPS: usize = 64;

/// The keys below `input` that the solution of `definition` is about; `None` where its conditions lead nowhere.
pub fn focus(definition: &Definition, constants: &[Value], input: &Value, solution: &Solution) -> Option<Vec<Value>> {
    let [block] = &definition.branches[..] else { return None };
    let tracer = Tracer { constants, input, registers: &solution.registers };
    tracer.conditions(&[block]).into_iter().rev().max_by_key(Vec::len).filter(|path| !path.is_empty())
}

struct Tracer<'a> {
    constants: &'a [Value],
    input: &'a Value,
    registers: &'a [Value],
}

/// Blocks in scope, the outermost first.
type Scope<'b, 'a> = &'b [&'a Block];

impl Tracer<'_> {
    /// Where the conditions of the innermost block lead, in their order.
    fn conditions(&self, scope: Scope<'_, '_>) -> Vec<Vec<Value>> {
        let Some(block) = scope.last() else { return Vec::new() };
        let mut paths = Vec::new();
        for step in &block.steps {
            match step {
                Step::Compare { left, right, to: None, .. } => {
                    paths.extend([left, right].into_iter().filter_map(|side| self.trace(scope, *side, MAX_STEPS)));
                }
                Step::Truthy(operand) => paths.extend(self.trace(scope, *operand, MAX_STEPS)),
                Step::Not(inner) => paths.extend(self.absent(&[scope, &[inner]].concat())),
                _ => {}
            }
        }
        paths
    }

    /// Where a negated block leads: to what its conditions look at, or to the first value it asks for.
    fn absent(&self, scope: Scope<'_, '_>) -> Vec<Vec<Value>> {
        let mut paths = self.conditions(scope);
        for step in scope.last().into_iter().flat_map(|block| &block.steps) {
            if let Step::Get { source, path, .. } = step
                && let Some(mut at) = self.trace(scope, *source, MAX_STEPS)
            {
                at.extend(path.iter().map_while(|key| self.value(*key)).cloned());
                paths.push(at);
            }
        }
        paths
    }

    /// The path below `input` that an operand's value was read from.
    fn trace(&self, scope: Scope<'_, '_>, operand: Operand, steps: usize) -> Option<Vec<Value>> {
        match operand {
            Operand::Input => Some(Vec::new()),
            Operand::Constant(_) | Operand::Data => None,
            Operand::Register(register) => self
                .defined(scope, register, steps.checked_sub(1)?)
                .or_else(|| self.identical(self.registers.get(register as usize)?)),
        }
    }

    /// Through the step that gave a register its value.
    fn defined(&self, scope: Scope<'_, '_>, register: Register, steps: usize) -> Option<Vec<Value>> {
        let defines = |step: &&Step| match step {
            Step::Copy { to, .. }
            | Step::Get { to, .. }
            | Step::Call { to, .. }
            | Step::Comprehension { to, .. }
            | Step::Compare { to: Some(to), .. } => *to == register,
            Step::Scan { key, value, .. } => *key == Some(register) || *value == Some(register),
            _ => false,
        };
        match scope.iter().rev().find_map(|block| block.steps.iter().rev().find(defines))? {
            Step::Copy { from, .. } => self.trace(scope, *from, steps),
            Step::Get { source, path, .. } => {
                let mut at = self.trace(scope, *source, steps)?;
                at.extend(path.iter().map_while(|key| self.value(*key)).cloned());
                Some(at)
            }
            Step::Call { arguments, .. } => self.deepest(scope, arguments, steps),
            Step::Compare { left, right, .. } => self.deepest(scope, &[*left, *right], steps),
            Step::Comprehension { block, .. } => self.collection(&[scope, &[block]].concat(), steps),
            Step::Scan { source, key, value } => {
                let mut at = self.trace(scope, *source, steps)?;
                at.extend(self.entry(&at, *key, *value));
                Some(at)
            }
            _ => None,
        }
    }

    fn deepest(&self, scope: Scope<'_, '_>, operands: &[Operand], steps: usize) -> Option<Vec<Value>> {
        // Each operand may lead through as many steps again, so the way is divided among them.
        let share = steps / operands.len().max(1);
        operands.iter().filter_map(|operand| self.trace(scope, *operand, share)).max_by_key(Vec::len)
    }

    /// What the innermost block goes through.
    fn collection(&self, scope: Scope<'_, '_>, steps: usize) -> Option<Vec<Value>> {
        scope.last()?.steps.iter().find_map(|step| match step {
            Step::Scan { source, .. } | Step::Get { source, .. } => self.trace(scope, *source, steps),
            _ => None,
        })
    }

    /// The key of the entry that a loop over the collection at `path` was at.
    fn entry(&self, path: &[Value], key: Option<Register>, value: Option<Register>) -> Option<Value> {
        if let Some(key) = key {
            return self.registers.get(key as usize).cloned();
        }
        let item = self.registers.get(value? as usize)?;
        let collection = path.iter().try_fold(self.input, |at, key| at.get(key))?;
        entries(collection).find(|(_, entry)| same(entry, item)).map(|(key, _)| key)
    }

    /// The path of the very value, which is shared with `input` where it was read from there.
    fn identical(&self, wanted: &Value) -> Option<Vec<Value>> {
        if !matches!(wanted, Value::String(_) | Value::Array(_) | Value::Object(_)) {
            return None;
        }
        let mut rest = vec![(Vec::new(), self.input)];
        while let Some((path, at)) = rest.pop() {
            if same(at, wanted) {
                return Some(path);
            }
            rest.extend(entries(at).map(|(key, entry)| ([&path[..], &[key]].concat(), entry)));
        }
        None
    }

    fn value(&self, operand: Operand) -> Option<&Value> {
        match operand {
            Operand::Register(register) => self.registers.get(register as usize),
            Operand::Constant(constant) => self.constants.get(constant as usize),
            Operand::Input | Operand::Data => None,
        }
    }
}

/// Keys and values of an array or object; sets do not come from documents.
fn entries(value: &Value) -> Box<dyn Iterator<Item = (Value, &Value)> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter().enumerate().map(|(at, item)| (Value::from(at), item))),
        Value::Object(object) => Box::new(object.iter().map(|(key, item)| (key.clone(), item))),
        _ => Box::new(std::iter::empty()),
    }
}

/// Whether both are the same value in memory; scalars are equal.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => std::sync::Arc::ptr_eq(a, b),
        (Value::Number(_) | Value::Bool(_), _) => a == b,
        _ => false,
    }
}
