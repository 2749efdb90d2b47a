//! Documents below `data`: packages and rules, with base documents merged in.

use palisade_rego_value::{Object, Set, Value};

use super::evaluation::{Evaluation, Outcome, base_entry};
use crate::plan::{Node, NodeId, RuleId, RuleKind};

/// Where a path below `data` leads.
enum Target<'a, 'p> {
    /// To a package; nothing of the path is left.
    Package(&'a Node),
    /// To a rule, and further along its value.
    Rule(RuleId, &'p [Value]),
    /// To a base document.
    Base(Option<Value>),
}

impl<'a> Evaluation<'a> {
    /// The document at a node, followed along a path; only what lies on the path is evaluated.
    #[inline(never)]
    pub(super) fn tree(&mut self, node: NodeId, path: &[Value]) -> Outcome<Option<Value>> {
        match self.target(node, path) {
            Target::Base(value) => Ok(value),
            Target::Rule(rule, rest) => self.rule_along(rule, rest),
            Target::Package(node) => self.package(node).map(Some),
        }
    }

    /// The keys of the document at a node, followed along a path; packages on it are not evaluated.
    #[inline(never)]
    pub(super) fn keys(&mut self, node: NodeId, path: &[Value]) -> Outcome<Option<Value>> {
        let node = match self.target(node, path) {
            Target::Base(value) => return Ok(value.as_ref().and_then(keys_of)),
            Target::Rule(rule, rest) => return Ok(self.rule_along(rule, rest)?.as_ref().and_then(keys_of)),
            Target::Package(node) => node,
        };
        let names = node.children.iter().filter(|(_, child)| self.is_document(**child));
        let mut keys: Vec<Value> = names.map(|(name, _)| Value::String(name.clone())).collect();
        if let Some(Value::Object(base)) = self.environment.base(&node.path) {
            keys.extend(base.keys().cloned());
        }
        Ok(Some(Value::from(Set::from(keys))))
    }

    fn target<'p>(&self, node: NodeId, path: &'p [Value]) -> Target<'a, 'p> {
        let Some(mut node) = self.program.nodes.get(node as usize) else {
            return Target::Base(follow_base(Some(&self.environment.data), path));
        };
        let mut rest = path;
        loop {
            let base = || follow_base(self.environment.base(&node.path), rest);
            if self.environment.hides(&node.path) {
                return Target::Base(base());
            }
            if let Some(rule) = node.rule {
                return Target::Rule(rule, rest);
            }
            let Some((key, below)) = rest.split_first() else { return Target::Package(node) };
            let child = key.as_str().and_then(|name| node.children.get(name));
            match child.and_then(|child| self.program.nodes.get(*child as usize)) {
                None => return Target::Base(base()),
                Some(child) => (node, rest) = (child, below),
            }
        }
    }

    fn rule_along(&mut self, rule: RuleId, path: &[Value]) -> Outcome<Option<Value>> {
        if self.is_function(rule) {
            return Ok(None);
        }
        let value = self.rule(rule)?;
        Ok(follow(value.as_ref(), path))
    }

    fn is_function(&self, rule: RuleId) -> bool {
        let rule = self.program.rules.get(rule as usize);
        rule.is_some_and(|rule| matches!(rule.kind, RuleKind::Function { .. }))
    }

    fn is_document(&self, node: NodeId) -> bool {
        let node = self.program.nodes.get(node as usize);
        node.is_some_and(|node| node.rule.is_none_or(|rule| !self.is_function(rule)))
    }

    /// All of a package: its rules, the packages below it, and base documents.
    fn package(&mut self, node: &'a Node) -> Outcome<Value> {
        self.enter()?;
        let mut members = Vec::with_capacity(node.children.len());
        for (name, id) in &node.children {
            if self.is_document(*id)
                && let Some(value) = self.tree(*id, &[])?
            {
                members.push((Value::String(name.clone()), value));
            }
        }
        self.leave();
        self.charge(members.len() * 2)?;
        let virtual_part = Object::from(members);
        Ok(match self.environment.base(&node.path) {
            Some(Value::Object(base)) => Value::from(base.merged(&virtual_part, |_, rule| rule.clone())),
            _ => Value::from(virtual_part),
        })
    }
}

fn follow(start: Option<&Value>, path: &[Value]) -> Option<Value> {
    path.iter().try_fold(start?, Value::get).cloned()
}

fn follow_base(start: Option<&Value>, path: &[Value]) -> Option<Value> {
    path.iter().try_fold(start?, base_entry).cloned()
}

fn keys_of(value: &Value) -> Option<Value> {
    let keys: Vec<Value> = match value {
        Value::Object(object) => object.keys().cloned().collect(),
        Value::Array(items) => (0..items.len()).map(Value::from).collect(),
        Value::Set(_) => return Some(value.clone()),
        _ => return None,
    };
    Some(Value::from(Set::from(keys)))
}
