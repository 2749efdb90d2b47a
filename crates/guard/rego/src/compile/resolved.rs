//! Conditions after names are resolved: what safety orders and lowering turns into steps.
//!
//! Calls are conditions of their own whose last argument may be the result; names are variables, rules, or paths below
//! `input` and `data`; constant composites are values. Deliberately absent: syntax, steps.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade_model::{Span, Str};
use palisade_rego_builtins::Builtin;
use palisade_rego_value::Value;

use crate::plan::{Collect, RuleId};

/// A variable of one branch of a definition.
pub(super) type Var = u32;
/// Variables in a stable order.
pub(super) type Vars = BTreeSet<Var>;
/// Conditions in order.
pub(super) type Body = Vec<Expression>;

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// As written; generated ones have none.
    pub(super) name: Option<Str>,
}

impl Variable {
    /// Whether a message may name it: neither generated nor a wildcard.
    pub(super) fn is_named(&self) -> bool {
        self.name.as_deref().is_some_and(|name| !name.starts_with('$'))
    }
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) negated: bool,
    pub(super) kind: Kind,
    /// Replacements; conditions taken out of one expression share them.
    pub(super) with: Option<Rc<Vec<With>>>,
    pub(super) span: Span,
    /// Whether it is written (and not taken out of a written one).
    pub(super) written: bool,
}

/// The forms of a condition.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Term(Term),
    Unify(Term, Term),
    /// The arguments, and the result where there is one more than the function takes.
    Call(Function, Vec<Term>),
    Every {
        key: Option<Var>,
        value: Var,
        collection: Term,
        body: Body,
    },
    /// Each argument is a set of the values that it has.
    Print(Vec<Term>),
    /// The body has no solution. `needed` are variables of it that only something before may give values to.
    Not {
        body: Body,
        needed: Vars,
    },
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Builtin(&'static Builtin),
    Rule { rule: RuleId, arity: u32 },
}

impl Function {
    pub(super) fn arity(self) -> usize {
        match self {
            Self::Builtin(builtin) => builtin.arguments.len(),
            Self::Rule { arity, .. } => arity as usize,
        }
    }

    pub(super) fn is_builtin(self, name: &str) -> bool {
        matches!(self, Self::Builtin(builtin) if builtin.name == name)
    }
}

/// A replacement.
#[derive(Clone, Debug)]
pub(super) struct With {
    pub(super) target: Target,
    pub(super) value: Replaced,
}

/// What is replaced.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Input(Vec<Str>),
    Data(Vec<Str>),
    Function(Function),
}

/// By what.
#[derive(Clone, Debug)]
pub(super) enum Replaced {
    Term(Term),
    Function(Function),
}

/// A term.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) kind: TermKind,
    pub(super) span: Span,
}

/// The forms of a term.
#[derive(Clone, Debug)]
pub(super) enum TermKind {
    Constant(Value),
    Var(Var),
    Reference(Head, Vec<Term>),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    Comprehension(Box<Comprehension>),
}

/// What a reference starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Var(Var),
    Input,
    Data,
}

/// A comprehension; the key is an object's.
#[derive(Clone, Debug)]
pub(super) struct Comprehension {
    pub(super) collect: Collect,
    pub(super) key: Option<Term>,
    pub(super) value: Term,
    pub(super) body: Body,
}

impl Term {
    pub(super) fn new(kind: TermKind, span: Span) -> Self {
        Self { kind, span }
    }

    pub(super) fn var(var: Var, span: Span) -> Self {
        Self { kind: TermKind::Var(var), span }
    }

    /// Whether it has to be looked up or computed: it contains a reference or a comprehension.
    pub(super) fn requires_evaluation(&self) -> bool {
        match &self.kind {
            TermKind::Constant(_) | TermKind::Var(_) => false,
            TermKind::Reference(..) | TermKind::Comprehension(_) => true,
            TermKind::Array(items) | TermKind::Set(items) => items.iter().any(Self::requires_evaluation),
            TermKind::Object(members) => {
                members.iter().any(|(key, value)| key.requires_evaluation() || value.requires_evaluation())
            }
        }
    }

    /// The string of a constant.
    pub(super) fn as_name(&self) -> Option<&Str> {
        match &self.kind {
            TermKind::Constant(value) => value.as_shared_str(),
            _ => None,
        }
    }

    /// Calls `visit` for this term and those within it, without entering closures; `false` keeps it from going deeper.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self) -> bool) {
        if !visit(self) {
            return;
        }
        match &self.kind {
            TermKind::Constant(_) | TermKind::Var(_) | TermKind::Comprehension(_) => {}
            TermKind::Reference(_, parts) => parts.iter().for_each(|part| part.walk(visit)),
            TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|item| item.walk(visit)),
            TermKind::Object(members) => {
                for (key, value) in members {
                    key.walk(visit);
                    value.walk(visit);
                }
            }
        }
    }
}

impl Expression {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        Self { negated: false, kind, with: None, span, written: false }
    }

    /// The terms of the condition itself: not those of closures, nor of `with`.
    pub(super) fn terms(&self) -> Vec<&Term> {
        match &self.kind {
            Kind::Term(term) => vec![term],
            Kind::Unify(left, right) => vec![left, right],
            Kind::Call(_, arguments) | Kind::Print(arguments) => arguments.iter().collect(),
            Kind::Every { collection, .. } => vec![collection],
            Kind::Not { .. } => Vec::new(),
        }
    }

    /// The values of `with` that are terms.
    pub(super) fn with_terms(&self) -> impl Iterator<Item = &Term> {
        self.with.iter().flat_map(|with| with.iter()).filter_map(|with| match &with.value {
            Replaced::Term(term) => Some(term),
            Replaced::Function(_) => None,
        })
    }
}

/// Calls `visit` for all conditions of a body, those of closures included.
pub(super) fn every_condition<'a>(body: &'a Body, visit: &mut dyn FnMut(&'a Expression)) {
    for expression in body {
        visit(expression);
        if let Kind::Every { body, .. } | Kind::Not { body, .. } = &expression.kind {
            every_condition(body, visit);
        }
        for term in expression.terms() {
            conditions_within(term, visit);
        }
    }
}

/// Calls `visit` for all conditions of closures within a term.
fn conditions_within<'a>(term: &'a Term, visit: &mut dyn FnMut(&'a Expression)) {
    let mut closures = Vec::new();
    term.walk(&mut |term| {
        if let TermKind::Comprehension(comprehension) = &term.kind {
            closures.push(&**comprehension);
        }
        true
    });
    for closure in closures {
        every_condition(&closure.body, visit);
        for part in closure.key.iter().chain([&closure.value]) {
            conditions_within(part, visit);
        }
    }
}
