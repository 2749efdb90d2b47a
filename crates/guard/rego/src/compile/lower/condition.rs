//! Conditions.

use std::collections::HashMap;

use super::super::resolved::{Body, Expression, Kind, Replaced, Target, Term, TermKind, Var, With};
use super::Lowerer;
use crate::plan::{Callee, Emit, Operand, Place, Replacement, Step};

impl Lowerer<'_, '_> {
    /// Writes conditions that share replacements.
    pub(super) fn replaced(&mut self, with: Option<&Vec<With>>, conditions: &[Expression]) {
        let Some(with) = with else {
            return self.conditions(conditions);
        };
        self.place_at(conditions.first());
        let replacements = with.iter().map(|with| self.replacement(with)).collect();
        self.step(Step::With(replacements));
        let (outside, others) = std::mem::take(&mut self.found).into_iter().partition(|(it, _)| it.is_replaceable());
        self.found = others;
        let mark = self.looked_up.len();
        self.conditions(conditions);
        self.forget(mark);
        self.found.extend::<HashMap<_, _>>(outside);
        self.step(Step::EndWith);
    }

    fn conditions(&mut self, conditions: &[Expression]) {
        for condition in conditions {
            self.condition(condition);
        }
    }

    fn place_at(&mut self, expression: Option<&Expression>) {
        if let Some(expression) = expression {
            self.place = Place { source: self.source, span: expression.span };
        }
    }

    fn replacement(&mut self, with: &With) -> Replacement {
        match (&with.target, &with.value) {
            (Target::Function(function), Replaced::Function(other)) => {
                Replacement::Function(self.callee(*function), self.callee(*other))
            }
            (Target::Function(function), Replaced::Term(term)) => {
                Replacement::Constant(self.callee(*function), self.operand(term))
            }
            (Target::Input(path), Replaced::Term(term)) => Replacement::Input(path.clone(), self.operand(term)),
            (Target::Data(path), Replaced::Term(term)) => Replacement::Data(path.clone(), self.operand(term)),
            // The resolver takes functions as values for functions only.
            (Target::Input(path) | Target::Data(path), Replaced::Function(_)) => {
                Replacement::Data(path.clone(), self.impossible())
            }
        }
    }

    fn condition(&mut self, expression: &Expression) {
        self.place_at(Some(expression));
        if self.pool.instrument && expression.written {
            let number = self.pool.expressions.len() as u32;
            self.pool.expressions.push(self.place);
            self.step(Step::Mark(number));
        }
        if expression.negated {
            return self.negation(&expression.kind);
        }
        self.kind(&expression.kind);
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Term(term) => {
                let operand = self.operand(term);
                self.truthy(operand);
            }
            Kind::Unify(left, right) => self.unify(left, right),
            Kind::Call(function, arguments) => self.call(*function, arguments),
            Kind::Every { key, value, collection, body } => self.every(*key, *value, collection, body),
            Kind::Not { body, .. } => {
                let block = self.nested(|lowerer| {
                    lowerer.body(body);
                    Emit::Exists
                });
                self.step(Step::Not(Box::new(block)));
            }
            Kind::Print(arguments) => {
                let arguments = self.operands(arguments);
                self.step(Step::Print(arguments));
            }
        }
    }

    pub(super) fn truthy(&mut self, operand: Operand) {
        let holds = match operand {
            Operand::Constant(index) => self.pool.constants.get(index as usize).is_some_and(|value| !value.is_false()),
            _ => false,
        };
        if !holds {
            self.step(Step::Truthy(operand));
        }
    }

    /// `not`: what its terms refer to is looked up before it, as OPA does, so that an undefined argument of a call makes
    /// the whole expression undefined; the sides of a comparison for equality are looked up within.
    fn negation(&mut self, kind: &Kind) {
        let kind = match kind {
            Kind::Term(term) => Kind::Term(self.hoisted(term, true)),
            Kind::Unify(left, right) => Kind::Unify(self.hoisted(left, true), self.hoisted(right, true)),
            Kind::Call(function, arguments) => {
                let keep = function.is_builtin("equal");
                Kind::Call(*function, arguments.iter().map(|argument| self.hoisted(argument, keep)).collect())
            }
            other => other.clone(),
        };
        let block = self.nested(|lowerer| {
            lowerer.kind(&kind);
            Emit::Exists
        });
        self.step(Step::Not(Box::new(block)));
    }

    /// The term with references and comprehensions evaluated; the outermost one is kept where told.
    fn hoisted(&mut self, term: &Term, keep: bool) -> Term {
        let each = |lowerer: &mut Self, terms: &[Term]| {
            terms.iter().map(|term| lowerer.hoisted(term, false)).collect::<Vec<_>>()
        };
        let kind = match &term.kind {
            TermKind::Reference(head, parts) => TermKind::Reference(*head, each(self, parts)),
            TermKind::Array(items) => TermKind::Array(each(self, items)),
            TermKind::Set(items) => TermKind::Set(each(self, items)),
            TermKind::Object(members) => TermKind::Object(
                members.iter().map(|(key, value)| (self.hoisted(key, false), self.hoisted(value, false))).collect(),
            ),
            other => other.clone(),
        };
        let evaluated = matches!(kind, TermKind::Reference(..) | TermKind::Comprehension(_));
        let term = Term::new(kind, term.span);
        if keep || !evaluated {
            return term;
        }
        let operand = self.operand(&term);
        self.held(operand, term.span)
    }

    fn every(&mut self, key: Option<Var>, value: Var, collection: &Term, body: &Body) {
        let source = self.operand(collection);
        self.step(Step::Collection(source));
        let failing = self.nested(|lowerer| {
            let bind = |lowerer: &mut Self, var: Var| {
                let register = lowerer.register();
                lowerer.bind(var, Operand::Register(register));
                register
            };
            let key = key.map(|key| bind(lowerer, key));
            let value = Some(bind(lowerer, value));
            lowerer.step(Step::Scan { source, key, value });
            let holding = lowerer.nested(|lowerer| {
                lowerer.body(body);
                Emit::Exists
            });
            lowerer.step(Step::Not(Box::new(holding)));
            Emit::Exists
        });
        self.step(Step::Not(Box::new(failing)));
    }

    pub(super) fn callee(&mut self, function: super::super::resolved::Function) -> Callee {
        use super::super::resolved::Function;
        match function {
            Function::Builtin(builtin) => Callee::Builtin(self.pool.builtin(builtin)),
            Function::Rule { rule, .. } => Callee::Rule(rule),
        }
    }
}
