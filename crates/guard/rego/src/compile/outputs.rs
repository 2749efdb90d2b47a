//! Which variables a condition gives values to, when those in `safe` have theirs.
//!
//! References give values to variables in their brackets, unification to variables on either side once the other side
//! has a value, calls to their result. It follows OPA's definition, so that the same modules are accepted.

use std::collections::BTreeMap;

use palisade_rego_value::Value;

use super::resolved::{Expression, Head, Kind, Term, TermKind, Var, Vars};

/// All variables of a term, closures left out.
pub(super) fn variables(term: &Term, found: &mut Vars) {
    term.walk(&mut |term| {
        match &term.kind {
            TermKind::Var(var) | TermKind::Reference(Head::Var(var), _) => _ = found.insert(*var),
            _ => {}
        }
        true
    });
}

/// The variables that a pattern can take values for: neither heads of references nor keys of objects.
fn pattern_variables(term: &Term, found: &mut Vars) {
    match &term.kind {
        TermKind::Var(var) => _ = found.insert(*var),
        TermKind::Reference(_, parts) => parts.iter().for_each(|part| pattern_variables(part, found)),
        TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|item| pattern_variables(item, found)),
        TermKind::Object(members) => members.iter().for_each(|(_, value)| pattern_variables(value, found)),
        TermKind::Constant(_) | TermKind::Comprehension(_) => {}
    }
}

/// All variables of a condition itself, closures left out; those of `with` included.
pub(super) fn condition_variables(expression: &Expression) -> Vars {
    let mut found = Vars::new();
    for term in expression.terms().into_iter().chain(expression.with_terms()) {
        variables(term, &mut found);
    }
    if let Kind::Not { needed, .. } = &expression.kind {
        found.extend(needed);
    }
    found
}

fn is_safe_head(head: Head, safe: &Vars) -> bool {
    match head {
        Head::Var(var) => safe.contains(&var),
        Head::Input | Head::Data => true,
    }
}

/// What references within a term give.
fn reference_outputs(term: &Term, safe: &Vars, found: &mut Vars) {
    term.walk(&mut |term| {
        let TermKind::Reference(head, parts) = &term.kind else { return true };
        if !is_safe_head(*head, safe) {
            return false;
        }
        for part in parts {
            pattern_variables(part, found);
        }
        true
    });
}

/// What a condition gives.
pub(super) fn outputs(expression: &Expression, safe: &Vars) -> Vars {
    let mut found = Vars::new();
    if expression.negated {
        return found;
    }
    let mut replaced = Vars::new();
    expression.with_terms().for_each(|term| variables(term, &mut replaced));
    if !replaced.is_subset(safe) {
        return found;
    }
    for term in expression.terms() {
        reference_outputs(term, safe, &mut found);
    }
    match &expression.kind {
        Kind::Unify(left, right) => {
            let unified = unified(safe, &found, left, right);
            found.extend(unified);
        }
        Kind::Call(function, arguments) => {
            let (inputs, results) = arguments.split_at(function.arity().min(arguments.len()));
            let mut needed = Vars::new();
            for input in inputs {
                input_variables(input, &mut needed);
            }
            if !needed.iter().all(|var| safe.contains(var) || found.contains(var)) {
                return Vars::new();
            }
            for result in results {
                pattern_variables(result, &mut found);
            }
        }
        Kind::Term(_) | Kind::Every { .. } | Kind::Print(_) | Kind::Not { .. } => {}
    }
    found
}

/// Variables that an argument needs before a call; those in sets are judged with the whole condition.
fn input_variables(term: &Term, found: &mut Vars) {
    match &term.kind {
        TermKind::Set(_) => {}
        TermKind::Array(items) => items.iter().for_each(|item| input_variables(item, found)),
        TermKind::Object(members) => members.iter().for_each(|(_, value)| input_variables(value, found)),
        _ => pattern_variables(term, found),
    }
}

/// What unification of two terms gives.
fn unified(safe: &Vars, given: &Vars, left: &Term, right: &Term) -> Vars {
    let mut unifier = Unifier { safe, given, unified: Vars::new(), waiting: BTreeMap::new() };
    unifier.unify(left, right);
    unifier.unified
}

struct Unifier<'a> {
    safe: &'a Vars,
    /// What references in the same condition give.
    given: &'a Vars,
    unified: Vars,
    /// Variables that get a value once all of these have one.
    waiting: BTreeMap<Var, Vars>,
}

impl Unifier<'_> {
    fn is_safe(&self, var: Var) -> bool {
        self.safe.contains(&var) || self.given.contains(&var) || self.unified.contains(&var)
    }

    fn unify(&mut self, left: &Term, right: &Term) {
        use TermKind::{Array, Object, Var};
        match (&left.kind, &right.kind) {
            (Var(a), Var(b)) => self.variables(*a, *b),
            (Var(var), Array(_) | Object(_)) => self.composite(*var, right),
            (Array(_) | Object(_), Var(var)) => self.composite(*var, left),
            (Var(var), other) | (other, Var(var)) if self.has_value(other) => self.mark(*var),
            (Array(a), Array(b)) if a.len() == b.len() => {
                for (left, right) in a.iter().zip(b) {
                    self.unify(left, right);
                }
            }
            (Object(a), Object(b)) if a.len() == b.len() => self.objects(a, b),
            (Array(_) | Object(_), other) if self.has_parts(other) => self.mark_all(left),
            (other, Array(_) | Object(_)) if self.has_parts(other) => self.mark_all(right),
            _ => {}
        }
    }

    fn has_value(&self, kind: &TermKind) -> bool {
        match kind {
            TermKind::Reference(head, _) => is_safe_head(*head, self.safe) || is_safe_head(*head, self.given),
            _ => true,
        }
    }

    /// Whether a term is a value that a pattern of arrays and objects may take apart.
    fn has_parts(&self, kind: &TermKind) -> bool {
        match kind {
            TermKind::Reference(head, _) => is_safe_head(*head, self.safe) || is_safe_head(*head, self.given),
            TermKind::Constant(value) => matches!(value, Value::Array(_) | Value::Object(_)),
            TermKind::Comprehension(_) => true,
            _ => false,
        }
    }

    fn variables(&mut self, a: Var, b: Var) {
        if self.is_safe(b) {
            self.mark(a);
        } else if self.is_safe(a) {
            self.mark(b);
        } else {
            self.waiting.entry(a).or_default().insert(b);
            self.waiting.entry(b).or_default().insert(a);
        }
    }

    fn objects(&mut self, a: &[(Term, Term)], b: &[(Term, Term)]) {
        for (key, value) in a {
            if let Some((_, other)) = b.iter().find(|(other, _)| same(key, other)) {
                self.unify(value, other);
            }
        }
    }

    fn composite(&mut self, var: Var, composite: &Term) {
        if self.is_safe(var) {
            return self.mark_all(composite);
        }
        let mut needed = Vars::new();
        pattern_variables(composite, &mut needed);
        needed.retain(|needed| !self.is_safe(*needed));
        if needed.is_empty() {
            self.mark(var);
        } else {
            self.waiting.entry(var).or_default().extend(needed);
        }
    }

    fn mark_all(&mut self, term: &Term) {
        let mut found = Vars::new();
        pattern_variables(term, &mut found);
        for var in found {
            self.mark(var);
        }
    }

    /// A variable has a value: so has what it waited for, and what waited for nothing else.
    fn mark(&mut self, var: Var) {
        let mut marked = vec![var];
        while let Some(var) = marked.pop() {
            self.unified.insert(var);
            marked.extend(self.waiting.remove(&var).unwrap_or_default());
            for (waiting, needed) in &mut self.waiting {
                if needed.remove(&var) && needed.is_empty() {
                    marked.push(*waiting);
                }
            }
            self.waiting.retain(|_, needed| !needed.is_empty());
        }
    }
}

/// Whether two terms are the same without evaluation.
pub(super) fn same(left: &Term, right: &Term) -> bool {
    match (&left.kind, &right.kind) {
        (TermKind::Constant(a), TermKind::Constant(b)) => a == b,
        (TermKind::Var(a), TermKind::Var(b)) => a == b,
        _ => false,
    }
}
