//! `walk`: all values within a value, each with its path, the value itself first.

use palisade_rego_value::Value;

use super::collect::Sink;
use super::evaluation::{Evaluation, Flow, Outcome};
use crate::plan::{Block, Operand, Register};

impl<'a> Evaluation<'a> {
    /// Runs the rest of a block for each `[path, value]` within a value. Levels are kept here, not on the thread's
    /// stack.
    #[inline(never)]
    pub(super) fn walk(
        &mut self,
        block: &'a Block,
        pc: usize,
        source: Operand,
        to: Register,
        sink: &mut Sink,
    ) -> Outcome<Flow> {
        let Some(root) = self.operand(source).cloned() else { return Ok(Flow::More) };
        self.enter()?;
        let mut path: Vec<Value> = Vec::new();
        let mut flow = self.visit(block, pc, &path, root.clone(), to, sink)?;
        let mut levels = vec![(root, 0)];
        while flow == Flow::More
            && let Some((node, at)) = levels.last_mut()
        {
            let Some((key, value)) = entry(node, *at) else {
                levels.pop();
                path.pop();
                continue;
            };
            *at += 1;
            path.push(key);
            flow = self.visit(block, pc, &path, value.clone(), to, sink)?;
            levels.push((value, 0));
        }
        self.leave();
        Ok(flow)
    }

    fn visit(
        &mut self,
        block: &'a Block,
        pc: usize,
        path: &[Value],
        value: Value,
        to: Register,
        sink: &mut Sink,
    ) -> Outcome<Flow> {
        self.tick()?;
        self.charge(path.len() + 2)?;
        self.set(to, Value::array(vec![Value::array(path.to_vec()), value]));
        self.run(block, pc, sink)
    }
}

/// The entry at a position: its key or index (of a set the element itself) and its value.
fn entry(node: &Value, at: usize) -> Option<(Value, Value)> {
    match node {
        Value::Array(items) => items.get(at).map(|item| (Value::from(at), item.clone())),
        Value::Object(object) => object.at(at).cloned(),
        Value::Set(set) => set.as_slice().get(at).map(|item| (item.clone(), item.clone())),
        _ => None,
    }
}
