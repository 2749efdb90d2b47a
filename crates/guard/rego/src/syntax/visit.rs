//! Every term of a syntax tree, outer ones before those inside. The parser bounds how deeply terms are nested.

use super::ast::{Body, Expression, ExpressionKind, HeadKind, Module, Rule, TemplatePart, Term, TermKind};

/// Calls `see` for every term of a module; where it answers `false` for a reference, what the reference begins with is passed
/// over. Neither names of rules nor what `with` replaces are among them.
pub fn terms(module: &Module, see: &mut dyn FnMut(&Term) -> bool) {
    module.rules.iter().for_each(|written| rule(written, see));
}

fn rule(rule: &Rule, see: &mut dyn FnMut(&Term) -> bool) {
    rule.head.reference.iter().skip(1).for_each(|inner| term(inner, see));
    match &rule.head.kind {
        HeadKind::Value(value) => value.iter().for_each(|inner| term(inner, see)),
        HeadKind::Contains(inner) => term(inner, see),
        HeadKind::Function(parameters, value) => parameters.iter().chain(value).for_each(|inner| term(inner, see)),
    }
    body(&rule.body, see);
    for branch in &rule.otherwise {
        branch.value.iter().for_each(|inner| term(inner, see));
        body(&branch.body, see);
    }
}

fn body(body: &Body, see: &mut dyn FnMut(&Term) -> bool) {
    for condition in body {
        expression(condition, see);
    }
}

fn expression(expression: &Expression, see: &mut dyn FnMut(&Term) -> bool) {
    match &expression.kind {
        ExpressionKind::Term(inner) => term(inner, see),
        ExpressionKind::Assign(left, right) | ExpressionKind::Unify(left, right) => {
            term(left, see);
            term(right, see);
        }
        ExpressionKind::Some(_) => {}
        ExpressionKind::SomeIn { key, value, collection } => {
            key.iter().chain([value, collection]).for_each(|inner| term(inner, see));
        }
        ExpressionKind::Every { collection, body: each, .. } => {
            term(collection, see);
            body(each, see);
        }
        ExpressionKind::Not(inner) => body(&inner.body, see),
        ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) => {
            body(&left.body, see);
            body(&right.body, see);
        }
    }
    expression.with.iter().for_each(|with| term(&with.value, see));
}

fn term(outer: &Term, see: &mut dyn FnMut(&Term) -> bool) {
    let whole = see(outer);
    match &outer.kind {
        TermKind::Scalar(_) | TermKind::Number(_) | TermKind::Variable(_) => {}
        TermKind::Reference(head, parts) => {
            if whole {
                term(head, see);
            }
            for inner in parts {
                term(inner, see);
            }
        }
        TermKind::Call(callee, arguments) => {
            term(callee, see);
            for inner in arguments {
                term(inner, see);
            }
        }
        TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|inner| term(inner, see)),
        TermKind::Object(members) => {
            for (key, value) in members {
                term(key, see);
                term(value, see);
            }
        }
        TermKind::ArrayComprehension(head, inner) | TermKind::SetComprehension(head, inner) => {
            term(head, see);
            body(inner, see);
        }
        TermKind::ObjectComprehension(key, value, inner) => {
            term(key, see);
            term(value, see);
            body(inner, see);
        }
        TermKind::Template(parts) => {
            for part in parts {
                if let TemplatePart::Expression(inner) = part {
                    expression(inner, see);
                }
            }
        }
    }
}
