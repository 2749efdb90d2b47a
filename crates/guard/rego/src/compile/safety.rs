//! The order of conditions: every variable has its value before it is needed, and otherwise nothing moves.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::Span;

use super::codes::UNSAFE;
use super::outputs::{condition_variables, outputs, variables};
use super::report::Report;
use super::resolve::{Branch, Gives};
use super::resolved::{Body, Comprehension, Expression, Head, Kind, Replaced, Term, TermKind, Var, Vars};

/// Orders the conditions of a branch and of all closures in it; reports variables without a value.
pub(super) fn order(branch: &mut Branch, source: usize, report: &mut Report) {
    let mut unsafe_ones = BTreeMap::new();
    let given: Vars = branch.parameters.iter().copied().collect();
    reorder(&mut branch.body, &given, &mut unsafe_ones);
    let mut safe = given;
    for expression in &branch.body {
        safe.extend(outputs(expression, &safe));
    }
    for term in branch.gives.terms() {
        mark_missing(term, &safe, &mut unsafe_ones);
    }
    if let Gives::Bindings(bindings) = &mut branch.gives {
        bindings.retain(|(_, var)| safe.contains(var));
    }
    let name = |var: &Var| branch.variables.get(*var as usize).filter(|variable| variable.name.is_some());
    let mut generated = None;
    let before = report.found.len();
    for (var, span) in &unsafe_ones {
        let Some(variable) = name(var) else {
            generated = generated.or(Some(*span));
            continue;
        };
        let shown = if variable.is_named() { variable.name.as_deref().unwrap_or("_") } else { "_" };
        let help = if shown == "_" {
            "iterate in a condition that is not negated, or in a rule or comprehension of its own".to_owned()
        } else if matches!(shown, "if" | "in" | "every" | "contains") {
            format!("`import rego.v1` to use the keyword `{shown}`")
        } else {
            format!("give `{shown}` a value in a condition that is not negated, or import it if it is a package")
        };
        report.error(UNSAFE, (source, *span), format!("var {shown} is unsafe"), help);
    }
    if let (Some(span), true) = (generated, report.found.len() == before) {
        report.error(UNSAFE, (source, span), "expression is unsafe", "give its variables a value in another condition");
    }
}

/// Notes the variables of a term that have no value, with their place.
fn mark_missing(term: &Term, safe: &Vars, missing: &mut BTreeMap<Var, Span>) {
    let mut needed = Vars::new();
    variables(term, &mut needed);
    for var in needed.difference(safe) {
        missing.entry(*var).or_insert_with(|| place_of(term, *var).unwrap_or(term.span));
    }
}

fn place_of(term: &Term, var: Var) -> Option<Span> {
    let mut found = None;
    term.walk(&mut |term| {
        let here = match &term.kind {
            TermKind::Var(other) | TermKind::Reference(Head::Var(other), _) => *other == var,
            _ => false,
        };
        if here && found.is_none() {
            found = Some(term.span);
        }
        found.is_none()
    });
    found
}

fn place_in(expression: &Expression, var: Var) -> Span {
    let mut terms = expression.terms().into_iter().chain(expression.with_terms());
    terms.find_map(|term| place_of(term, var)).unwrap_or(expression.span)
}

/// Orders a body, given the variables that have values before it.
fn reorder(body: &mut Body, globals: &Vars, missing: &mut BTreeMap<Var, Span>) {
    let needs: Vec<Needs> = body.iter().map(Needs::of).collect();
    let all: Vars = needs.iter().flat_map(|needs| &needs.own).copied().collect();
    let mut waiting: Vec<Option<Expression>> = std::mem::take(body).into_iter().map(Some).collect();
    let mut safe = globals.clone();
    // In rounds from the first to the last; those for which nothing has changed are not tried again.
    let mut users: BTreeMap<Var, Vec<usize>> = BTreeMap::new();
    for (at, needs) in needs.iter().enumerate() {
        needs.own.union(&needs.closed).for_each(|var| users.entry(*var).or_default().push(at));
    }
    let mut open: BTreeSet<usize> = (0..waiting.len()).collect();
    let mut next = 0;
    while let Some(at) = open.range(next..).next().or_else(|| open.first()).copied() {
        open.remove(&at);
        next = at + 1;
        let (Some(slot), Some(needs)) = (waiting.get_mut(at), needs.get(at)) else { continue };
        let Some(expression) = slot else { continue };
        let given = outputs(expression, &safe);
        if needs.are_met(&given, &safe, &all) {
            body.extend(slot.take());
            let new = given.into_iter().filter(|var| safe.insert(*var));
            open.extend(new.filter_map(|var| users.get(&var)).flatten());
        }
    }
    for (expression, needs) in waiting.iter().zip(&needs) {
        let Some(expression) = expression else { continue };
        let given = outputs(expression, &safe);
        let own = needs.own.iter().filter(|var| !given.contains(var));
        let closed = needs.closed.intersection(&all);
        for var in own.chain(closed).filter(|var| !safe.contains(var)) {
            missing.entry(*var).or_insert_with(|| place_in(expression, *var));
        }
    }
    // Closures see what comes before them.
    let mut known = globals.clone();
    for expression in body.iter_mut() {
        reorder_closures(expression, &known, missing);
        known.extend(condition_variables(expression));
    }
    body.extend(waiting.into_iter().flatten());
}

/// The variables that a condition has itself, and those of its closures.
struct Needs {
    own: Vars,
    closed: Vars,
}

impl Needs {
    fn of(expression: &Expression) -> Self {
        let mut closed = Vars::new();
        if let Kind::Every { body, .. } | Kind::Not { body, .. } = &expression.kind {
            for inner in body {
                all_variables(inner, &mut closed);
            }
        }
        for term in expression.terms().into_iter().chain(expression.with_terms()) {
            closed_variables(term, &mut closed);
        }
        Self { own: condition_variables(expression), closed }
    }

    /// Whether all variables have values; closures need those that the surrounding body has, too.
    fn are_met(&self, given: &Vars, safe: &Vars, all: &Vars) -> bool {
        let open: Vars = self.closed.intersection(all).filter(|var| !safe.contains(var)).copied().collect();
        if !open.is_empty() && open == *given {
            return false;
        }
        self.own.iter().chain(&open).all(|var| given.contains(var) || safe.contains(var))
    }
}

/// Variables of the closures within a term.
fn closed_variables(term: &Term, found: &mut Vars) {
    term.walk(&mut |term| {
        if let TermKind::Comprehension(comprehension) = &term.kind {
            for part in comprehension.key.iter().chain([&comprehension.value]) {
                variables(part, found);
                closed_variables(part, found);
            }
            comprehension.body.iter().for_each(|inner| all_variables(inner, found));
        }
        true
    });
}

fn all_variables(expression: &Expression, found: &mut Vars) {
    found.extend(condition_variables(expression));
    found.extend(Needs::of(expression).closed);
}

fn reorder_closures(expression: &mut Expression, known: &Vars, missing: &mut BTreeMap<Var, Span>) {
    match &mut expression.kind {
        Kind::Term(term) => reorder_in_term(term, known, missing),
        Kind::Unify(left, right) => {
            reorder_in_term(left, known, missing);
            reorder_in_term(right, known, missing);
        }
        Kind::Call(_, terms) | Kind::Print(terms) => {
            for term in terms {
                reorder_in_term(term, known, missing);
            }
        }
        Kind::Every { key, value, body, .. } => {
            let known = known.iter().chain(&*key).chain([&*value]).copied().collect();
            reorder(body, &known, missing);
        }
        Kind::Not { body, .. } => reorder(body, known, missing),
    }
    // Values of `with` are settled: they hold no closures.
    debug_assert!(expression.with.iter().flat_map(|with| with.iter()).all(|with| match &with.value {
        Replaced::Term(term) => !term.requires_evaluation(),
        Replaced::Function(_) => true,
    }));
}

fn reorder_in_term(term: &mut Term, known: &Vars, missing: &mut BTreeMap<Var, Span>) {
    match &mut term.kind {
        TermKind::Constant(_) | TermKind::Var(_) => {}
        TermKind::Reference(_, terms) | TermKind::Array(terms) | TermKind::Set(terms) => {
            for term in terms {
                reorder_in_term(term, known, missing);
            }
        }
        TermKind::Object(members) => {
            for (key, value) in members {
                reorder_in_term(key, known, missing);
                reorder_in_term(value, known, missing);
            }
        }
        TermKind::Comprehension(comprehension) => reorder_comprehension(comprehension, known, missing),
    }
}

fn reorder_comprehension(comprehension: &mut Comprehension, known: &Vars, missing: &mut BTreeMap<Var, Span>) {
    reorder(&mut comprehension.body, known, missing);
    let mut safe = known.clone();
    for expression in &comprehension.body {
        safe.extend(condition_variables(expression));
    }
    for term in comprehension.key.iter().chain([&comprehension.value]) {
        mark_missing(term, &safe, missing);
    }
}
