//! What is checked of a module beside its definitions: imports, names of rules, defaults.

use std::collections::BTreeSet;

use super::codes::{BARE, COMPILE, STRICT};
use super::names::Names;
use super::report::Report;
use super::tree::constant_parts;
use crate::syntax::ast::{Head, HeadKind, Module, Rule, Term, TermKind, Version};

/// Checks a module that v1 or strict mode asks more of.
pub(super) fn check(module: &Module, source: usize, strict: bool, report: &mut Report) {
    if strict || module.version == Version::V1 {
        check_imports(module, source, report);
        check_roots(module, source, report);
    }
    for rule in &module.rules {
        check_bare_call(rule, source, report);
        if rule.default {
            check_default(rule, source, report);
        }
    }
}

/// A line such as `count(x)` outside of a rule defines nothing anybody wants.
fn check_bare_call(rule: &Rule, source: usize, report: &mut Report) {
    let HeadKind::Function(parameters, None) = &rule.head.kind else { return };
    if !rule.body.is_empty() || rule.default {
        return;
    }
    if super::names::builtin(&constant_parts(&rule.head).join(".")).is_some() {
        let message = "rule name conflicts with built-in function";
        report.error(BARE, (source, rule.head.span), message, "move the call into the body of a rule");
    } else if parameters.is_empty() {
        let message = "rule argument list must take at least one argument";
        report.error(BARE, (source, rule.head.span), message, "give it a value or conditions, or parameters");
    }
}

fn check_imports(module: &Module, source: usize, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for import in &module.imports {
        if import.path.first().is_some_and(|root| matches!(&**root, "future" | "rego")) {
            continue;
        }
        if !seen.insert(&import.name) {
            let message = format!("import must not shadow import {}", import.path.join("."));
            report.error(STRICT, (source, import.span), message, "remove it, or give it a name with `as`");
        }
    }
}

/// Imports and rules must not hide `input` and `data`.
fn check_roots(module: &Module, source: usize, report: &mut Report) {
    let is_root = |name: &str| matches!(name, "input" | "data");
    for import in module.imports.iter().filter(|import| is_root(&import.name) && import.path.len() > 1) {
        let message = format!("imports must not shadow {} (use a different alias)", import.name);
        report.error(STRICT, (source, import.span), message, "give it another name with `as`");
    }
    for rule in &module.rules {
        let Some(TermKind::Variable(name)) = rule.head.reference.first().map(|term| &term.kind) else { continue };
        if is_root(name) {
            let message = format!("rules must not shadow {name} (use a different rule name)");
            report.error(STRICT, (source, rule.head.span), message, "rename the rule");
        }
    }
}

/// Reports imports that nothing refers to.
pub(super) fn check_unused(module: &Module, names: &Names, source: usize, report: &mut Report) {
    let used = names.used.borrow();
    for import in &module.imports {
        let root = import.path.first().map(|root| &**root);
        if matches!(root, Some("data" | "input")) && !used.contains(&import.name) {
            let message = format!("import {} unused", import.path.join("."));
            report.error(STRICT, (source, import.span), message, "remove the import");
        }
    }
}

fn check_default(rule: &Rule, source: usize, report: &mut Report) {
    let Head { kind: HeadKind::Value(value) | HeadKind::Function(_, value), .. } = &rule.head else {
        let message = "default rules must define a value";
        return report.error(COMPILE, (source, rule.head.span), message, "sets have no default: they are empty");
    };
    if let Some(term) = value.as_ref().and_then(changing) {
        let message = "default value must be constant: it cannot contain variables, references or calls";
        report.error(COMPILE, (source, term.span), message, "compute the value in a rule without `default`");
    }
}

/// A part of a term that is not constant; closures are.
fn changing(term: &Term) -> Option<&Term> {
    match &term.kind {
        TermKind::Variable(_) | TermKind::Reference(..) | TermKind::Call(..) => Some(term),
        TermKind::Array(items) | TermKind::Set(items) => items.iter().find_map(changing),
        TermKind::Object(members) => members.iter().find_map(|(key, value)| changing(key).or_else(|| changing(value))),
        _ => None,
    }
}
