//! Scopes: which names are variables where.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Span, Str};

use super::super::codes::{COMPILE, STRICT};
use super::super::resolved::Var;
use super::Resolver;
use crate::syntax::ast::{Body, ExpressionKind, Term, TermKind};

/// The names of one body.
#[derive(Debug, Default)]
pub(super) struct Scope {
    known: BTreeMap<Str, Known>,
    /// Names that the body declares somewhere, which therefore mean no rule or import in it.
    ahead: BTreeSet<Str>,
}

/// A name that is a variable.
#[derive(Debug)]
struct Known {
    var: Var,
    how: How,
    used: bool,
    span: Span,
}

/// How a name came to be a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A parameter.
    Parameter,
    /// It occurred without a declaration.
    Seen,
    /// `:=`.
    Assigned,
    /// `some`, `every`.
    Declared,
}

/// What a name means in a place.
pub(super) enum Meaning {
    Variable(Var),
    /// A path that starts with `input` or `data`.
    Path(Vec<Str>),
}

impl Resolver<'_> {
    pub(super) fn push_scope(&mut self, body: &Body) {
        let mut scope = Scope::default();
        declared(body, &mut scope.ahead);
        self.scopes.push(scope);
    }

    /// Adds what a body declares to the innermost scope.
    pub(super) fn look_ahead(&mut self, body: &Body) {
        if let Some(scope) = self.scopes.last_mut() {
            declared(body, &mut scope.ahead);
        }
    }

    /// Leaves a scope and reports what it declares in vain.
    pub(super) fn pop_scope(&mut self) {
        let Some(scope) = self.scopes.pop() else { return };
        for (name, known) in scope.known {
            if known.used || name.starts_with('$') {
                continue;
            }
            match known.how {
                How::Declared => {
                    let message = format!("declared var {name} unused");
                    self.error(COMPILE, known.span, message, format!("remove `{name}`, or put `_` in its place"));
                }
                How::Assigned if self.module.strict => {
                    let message = format!("assigned var {name} unused");
                    self.error(STRICT, known.span, message, "remove the assignment");
                }
                How::Parameter if self.module.strict => {
                    let message = format!("unused argument {name}. (hint: use _ (wildcard variable) instead)");
                    self.error(STRICT, known.span, message, format!("put `_` in place of `{name}`"));
                }
                _ => {}
            }
        }
    }

    /// Names of the parameters that are used; they are not reported by this branch.
    pub(super) fn mark_parameters(&mut self, used: &mut BTreeSet<Str>, mark: bool) {
        for scope in &mut self.scopes {
            for (name, known) in scope.known.iter_mut().filter(|(_, known)| known.how == How::Parameter) {
                if known.used {
                    used.insert(name.clone());
                }
                known.used |= mark || used.contains(name);
            }
        }
    }

    /// Declares a variable in the innermost scope.
    pub(super) fn declare(&mut self, name: &Str, span: Span, how: How) -> Var {
        let what = if how == How::Parameter { "args" } else { "variables" };
        if matches!(&**name, "input" | "data") && (self.module.modern || how == How::Parameter) {
            let message = format!("{what} must not shadow {name} (use a different variable name)");
            self.error(COMPILE, span, message, "rename the variable");
        }
        let before = self.scopes.last().and_then(|scope| scope.known.get(name)).map(|known| (known.how, known.var));
        if let Some((before, var)) = before {
            let message = match before {
                How::Seen => format!("var {name} referenced above"),
                How::Assigned => format!("var {name} assigned above"),
                How::Declared => format!("var {name} declared above"),
                How::Parameter => format!("arg {name} redeclared"),
            };
            self.error(COMPILE, span, message, "give one of the two another name");
            return var;
        }
        let var = self.new_variable(Some(name.clone()));
        if let Some(scope) = self.scopes.last_mut() {
            scope.known.insert(name.clone(), Known { var, how, used: false, span });
        }
        var
    }

    /// Marks a name as used where it is declared.
    pub(super) fn mark_used(&mut self, name: &str) {
        if let Some(known) = self.scopes.iter_mut().rev().find_map(|scope| scope.known.get_mut(name)) {
            known.used = true;
        }
    }

    /// Whether a name is a variable that was declared (and not just seen).
    pub(super) fn is_declared(&self, name: &str) -> bool {
        let known = self.scopes.iter().rev().find_map(|scope| scope.known.get(name));
        known.is_some_and(|known| known.how != How::Seen)
    }

    /// What a name means here. A name that means nothing becomes a variable of the branch.
    pub(super) fn meaning(&mut self, name: &Str, span: Span) -> Meaning {
        if let Some(known) = self.scopes.iter_mut().rev().find_map(|scope| scope.known.get_mut(name)) {
            known.used = true;
            return Meaning::Variable(known.var);
        }
        let ahead = self.scopes.iter().any(|scope| scope.ahead.contains(name));
        if !ahead && let Some(path) = self.module.names.global(self.module.tree, name) {
            return Meaning::Path(path);
        }
        if matches!(&**name, "input" | "data") {
            return Meaning::Path(vec![name.clone()]);
        }
        let known = self.loose.get(name).copied();
        let var = known.unwrap_or_else(|| self.new_variable(Some(name.clone())));
        self.loose.insert(name.clone(), var);
        if let Some(scope) = self.scopes.last_mut() {
            scope.known.insert(name.clone(), Known { var, how: How::Seen, used: true, span });
        }
        Meaning::Variable(var)
    }

    /// Variables of the outermost body that may be shown: those named, by name.
    pub(super) fn shown(&self) -> Vec<(Str, Var)> {
        let known = self.scopes.first().into_iter().flat_map(|scope| &scope.known);
        known.filter(|(name, _)| !name.starts_with('$')).map(|(name, known)| (name.clone(), known.var)).collect()
    }
}

/// Names that a body declares, those of nested `every` included, those of comprehensions not.
fn declared(body: &Body, names: &mut BTreeSet<Str>) {
    for expression in body {
        match &expression.kind {
            ExpressionKind::Assign(left, _) => pattern_names(left, &mut |name, _| _ = names.insert(name.clone())),
            ExpressionKind::Some(declared) => names.extend(declared.iter().map(|(name, _)| name.clone())),
            ExpressionKind::SomeIn { key, value, .. } => {
                for term in key.iter().chain([value]) {
                    pattern_names(term, &mut |name, _| _ = names.insert(name.clone()));
                }
            }
            ExpressionKind::Every { body, .. } => declared(body, names),
            // Operands have names of their own.
            ExpressionKind::Term(_)
            | ExpressionKind::Unify(..)
            | ExpressionKind::Not(_)
            | ExpressionKind::And(..)
            | ExpressionKind::Or(..) => {}
        }
    }
}

/// Calls `found` for the variables of a pattern: a name, or arrays and objects of patterns.
pub(super) fn pattern_names(term: &Term, found: &mut dyn FnMut(&Str, Span)) {
    match &term.kind {
        TermKind::Variable(name) => found(name, term.span),
        TermKind::Array(items) => items.iter().for_each(|item| pattern_names(item, found)),
        TermKind::Object(members) => members.iter().for_each(|(_, value)| pattern_names(value, found)),
        _ => {}
    }
}

impl Resolver<'_> {
    /// Names of parameters that nothing has used so far.
    pub(super) fn unused_parameters(&self) -> Vec<Str> {
        let known = self.scopes.last().into_iter().flat_map(|scope| &scope.known);
        known.filter(|(_, known)| !known.used).map(|(name, _)| name.clone()).collect()
    }

    /// Makes these names unused again: a pattern that declares names does not use them.
    pub(super) fn restore_unused(&mut self, names: &[Str]) {
        let Some(scope) = self.scopes.last_mut() else { return };
        for name in names {
            if let Some(known) = scope.known.get_mut(name) {
                known.used = false;
            }
        }
    }
}
