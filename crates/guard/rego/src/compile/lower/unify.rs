//! Unification: which side has a value is known here, so that it becomes copies, comparisons and destructuring.

use std::collections::VecDeque;

use palisade_model::Relation;
use palisade_rego_value::Value;

use super::super::outputs::same;
use super::super::resolved::{Term, TermKind};
use super::Lowerer;
use crate::plan::{Operand, Step};

impl Lowerer<'_, '_> {
    /// `left = right`, either side with variables that have no value yet.
    pub(super) fn unify(&mut self, left: &Term, right: &Term) {
        let mut pairs = VecDeque::from([(left.clone(), right.clone())]);
        let mut waited = 0;
        while let Some((left, right)) = pairs.pop_front() {
            let ready = (self.is_ready(&left), self.is_ready(&right));
            let parts = if ready == (true, true) { None } else { parts(&left, &right) };
            match (ready, parts) {
                (_, Some(Parts::Different)) => self.fail(),
                (_, Some(Parts::Pairs(more))) => pairs.extend(more),
                ((true, true), _) => self.equal(&left, &right),
                ((true, false), _) => self.assign(&right, &left),
                ((false, true), _) => self.assign(&left, &right),
                ((false, false), _) if waited <= pairs.len() => {
                    waited += 1;
                    pairs.push_back((left, right));
                    continue;
                }
                ((false, false), _) => match <[Term; 2]>::try_from(self.grounded(&[left.clone(), right.clone()])) {
                    Ok([left, right]) if self.is_ready(&left) || self.is_ready(&right) => {
                        pairs.push_back((left, right));
                    }
                    _ => _ = self.impossible(),
                },
            }
            waited = 0;
        }
    }

    fn assign(&mut self, pattern: &Term, value: &Term) {
        let value = self.operand(value);
        self.destructure(pattern, value);
    }

    fn equal(&mut self, left: &Term, right: &Term) {
        if let (TermKind::Constant(left), TermKind::Constant(right)) = (&left.kind, &right.kind) {
            if left != right {
                self.fail();
            }
            return;
        }
        let (left, right) = (self.operand(left), self.operand(right));
        self.step(Step::Compare { relation: Relation::Equal, left, right, to: None });
    }

    /// Takes a value apart by a pattern.
    pub(super) fn destructure(&mut self, pattern: &Term, value: Operand) {
        let mut open = VecDeque::from([(pattern.clone(), value)]);
        let mut waited = 0;
        while let Some((pattern, value)) = open.pop_front() {
            match &pattern.kind {
                TermKind::Var(var) if self.is_wildcard(*var) && matches!(value, Operand::Register(_)) => {}
                TermKind::Var(var) if !self.is_bound(*var) => self.bind(*var, value),
                _ if self.is_ready(&pattern) => {
                    let other = self.operand(&pattern);
                    self.step(Step::Compare { relation: Relation::Equal, left: other, right: value, to: None });
                }
                TermKind::Array(items) => {
                    self.step(Step::ArrayOf { source: value, length: items.len() as u32 });
                    for (index, item) in items.iter().enumerate() {
                        let key = self.constant(Value::from(index));
                        self.part(item, value, key, &mut open);
                    }
                }
                TermKind::Object(members) if members.iter().all(|(key, _)| self.is_ready(key)) => {
                    self.step(Step::ObjectOf { source: value, length: members.len() as u32 });
                    for (key, member) in members {
                        let key = self.operand(key);
                        self.part(member, value, key, &mut open);
                    }
                }
                TermKind::Object(_) if waited <= open.len() => {
                    waited += 1;
                    open.push_back((pattern, value));
                    continue;
                }
                _ => match self.grounded(std::slice::from_ref(&pattern)).pop() {
                    Some(pattern) if self.is_ready(&pattern) => open.push_back((pattern, value)),
                    _ => _ = self.impossible(),
                },
            }
            waited = 0;
        }
    }

    /// The part of a value that a part of a pattern is about.
    fn part(&mut self, pattern: &Term, source: Operand, key: Operand, open: &mut VecDeque<(Term, Operand)>) {
        let value = self.made(|to| Step::Get { source, path: vec![key], to });
        open.push_back((pattern.clone(), value));
    }
}

/// Two composite terms, part by part.
enum Parts {
    Different,
    Pairs(Vec<(Term, Term)>),
}

fn parts(left: &Term, right: &Term) -> Option<Parts> {
    use TermKind::{Array, Constant, Object};
    let pairs = match (&left.kind, &right.kind) {
        (Array(a), Array(b)) if a.len() == b.len() => a.iter().cloned().zip(b.iter().cloned()).collect(),
        (Array(a), Constant(Value::Array(b))) | (Constant(Value::Array(b)), Array(a)) if a.len() == b.len() => {
            let constant = |value: &Value| Term::new(Constant(value.clone()), left.span);
            a.iter().cloned().zip(b.iter().map(constant)).collect()
        }
        (Object(a), Object(b)) if a.len() == b.len() => {
            let pair = |(key, value): &(Term, Term)| {
                let (_, other) = b.iter().find(|(other, _)| same(key, other))?;
                Some((value.clone(), other.clone()))
            };
            match a.iter().map(pair).collect::<Option<Vec<_>>>() {
                Some(pairs) => pairs,
                None if constant_keys(a) && constant_keys(b) => return Some(Parts::Different),
                None => return None,
            }
        }
        (Array(_), Array(_) | Constant(_) | Object(_)) | (Constant(_) | Object(_), Array(_)) => {
            return Some(Parts::Different);
        }
        _ => return None,
    };
    Some(Parts::Pairs(pairs))
}

fn constant_keys(members: &[(Term, Term)]) -> bool {
    members.iter().all(|(key, _)| matches!(key.kind, TermKind::Constant(_)))
}
