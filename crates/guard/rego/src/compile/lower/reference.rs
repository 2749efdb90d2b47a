//! References: bound keys are followed, unbound ones gone through.

use palisade_rego_value::Value;

use super::super::resolved::{Head, Term, TermKind};
use super::{Lookup, Lowerer};
use crate::plan::{NodeId, Operand, RuleKind, Step};

impl Lowerer<'_, '_> {
    pub(super) fn reference(&mut self, head: Head, parts: &[Term]) -> Operand {
        match head {
            Head::Var(var) => {
                let source = self.binding(var);
                self.follow(source, Vec::new(), parts)
            }
            Head::Input => self.follow(Operand::Input, Vec::new(), parts),
            Head::Data => self.below_data(parts),
        }
    }

    /// Follows parts from a value on, after a path that is still to be followed.
    fn follow(&mut self, mut source: Operand, mut path: Vec<Operand>, parts: &[Term]) -> Operand {
        for part in parts {
            if self.is_ready(part) {
                let key = self.operand(part);
                path.push(key);
                continue;
            }
            source = self.got(source, &mut path);
            let wildcard = matches!(part.kind, TermKind::Var(var) if self.is_wildcard(var));
            let key = (!wildcard).then(|| self.register());
            let value = self.register();
            self.step(Step::Scan { source, key, value: Some(value) });
            if let Some(key) = key {
                self.destructure(part, Operand::Register(key));
            }
            source = Operand::Register(value);
        }
        self.got(source, &mut path)
    }

    /// The value at a path, which is taken.
    fn got(&mut self, source: Operand, path: &mut Vec<Operand>) -> Operand {
        if path.is_empty() {
            return source;
        }
        self.lookup(Lookup::Path(source, std::mem::take(path)))
    }

    fn below_data(&mut self, parts: &[Term]) -> Operand {
        let tree = self.pool.tree;
        let (mut at, mut known): (NodeId, usize) = (0, 0);
        for part in parts {
            let Some(node) = tree.nodes.get(at as usize).filter(|node| node.rule.is_none()) else { break };
            let Some(child) = part.as_name().and_then(|name| node.children.get(name)) else { break };
            (at, known) = (*child, known + 1);
        }
        let rest = parts.get(known..).unwrap_or_default();
        let Some(node) = tree.nodes.get(at as usize) else { return self.impossible() };
        if let Some(rule) = node.rule {
            if tree.group(rule).is_some_and(|group| matches!(group.kind, RuleKind::Function { .. })) {
                self.fail();
            }
            let value = self.lookup(Lookup::Rule(rule));
            return self.follow(value, Vec::new(), rest);
        }
        match rest.first().map(|part| &part.kind) {
            Some(TermKind::Constant(_)) => {
                let path = node.path.iter().map(|name| self.constant(Value::String(name.clone()))).collect();
                self.follow(Operand::Data, path, rest)
            }
            _ => self.below_node(at, rest),
        }
    }

    /// Parts below a package of which the first is not constant.
    fn below_node(&mut self, node: NodeId, parts: &[Term]) -> Operand {
        let levels = height(&self.pool.tree.nodes, node).min(parts.len());
        let (names, rest) = parts.split_at(levels);
        let mut path = Vec::new();
        for part in names {
            if self.is_ready(part) {
                let key = self.operand(part);
                path.push(key);
                continue;
            }
            let keys = self.made(|to| Step::Keys { node, path: path.clone(), to });
            let key = self.register();
            self.step(Step::Scan { source: keys, key: None, value: Some(key) });
            self.destructure(part, Operand::Register(key));
            path.push(Operand::Register(key));
        }
        let value = self.made(|to| Step::Tree { node, path, to });
        self.follow(value, Vec::new(), rest)
    }
}

/// How many levels of names there are below a node.
fn height(nodes: &[crate::plan::Node], node: NodeId) -> usize {
    let mut deepest = 0;
    let mut open = vec![(node, 0)];
    while let Some((at, depth)) = open.pop() {
        deepest = deepest.max(depth);
        if let Some(node) = nodes.get(at as usize) {
            open.extend(node.children.values().map(|child| (*child, depth + 1)));
        }
    }
    deepest
}
