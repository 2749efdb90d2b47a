//! What Gatekeeper asks of a template's Rego beyond the language: the rule `violation`, libraries below `lib`, and no
//! reference to other data than libraries and the inventory.

use palisade_cel::admission::Reader;
use palisade_model::{Span, Str};
use palisade_rego::Value;
use palisade_rego::syntax::ast::{HeadKind, Module, Rule, TermKind};
use palisade_rego::syntax::visit;

use super::ENTRY;
use super::source::Sources;

/// Whether the modules look into the inventory; `None` where they may not be used, which has been reported.
pub(super) fn modules(reader: &mut Reader<'_>, sources: &Sources, modules: &[Module]) -> Option<bool> {
    let (own, libraries) = modules.split_first()?;
    let mut referential = false;
    let mut sound = true;
    let mut wrong = |index, span, message: String, help: &str| {
        reader.report(sources.error(index, span, message, help));
        sound = false;
    };
    if !own.rules.iter().any(is_entry) {
        let message = format!("the template defines no rule `{ENTRY}`");
        wrong(0, own.package_span, message, "add `violation[{\"msg\": msg}] { ... }`");
    }
    for (index, library) in libraries.iter().enumerate() {
        if library.package.len() < 2 || library.package.first().is_none_or(|part| &**part != "lib") {
            let message = format!("the library `{}` is not a package below `lib`", library.package.join("."));
            wrong(index + 1, library.package_span, message, "name it `package lib.NAME`");
        }
    }
    for (index, module) in modules.iter().enumerate() {
        for import in module.imports.iter().filter(|import| !may_be_imported(&import.path)) {
            let message = format!("a template may not import `{}`", import.path.join("."));
            wrong(index, import.span, message, "import packages below `data.lib` and `future.keywords` only");
        }
        for (root, span) in references(module) {
            match root.as_deref() {
                Some("inventory") => referential = true,
                Some("lib") => {}
                root => {
                    let message = format!("a template may not refer to `data.{}`", root.unwrap_or("*"));
                    wrong(index, span, message, "refer to `data.lib` and `data.inventory` only");
                }
            }
        }
    }
    sound.then_some(referential)
}

/// Whether the rule defines the entry point: a set or another collection, not a function.
fn is_entry(rule: &Rule) -> bool {
    let name = rule.head.reference.first().map(|term| &term.kind);
    matches!(name, Some(TermKind::Variable(name)) if &**name == ENTRY)
        && !matches!(rule.head.kind, HeadKind::Function(..))
}

fn may_be_imported(path: &[Str]) -> bool {
    match path {
        [data, lib, ..] if &**data == "data" => &**lib == "lib",
        [future, ..] => &**future == "future",
        [] => false,
    }
}

/// References below `data`: the first part, where it is a constant, and the place.
fn references(module: &Module) -> Vec<(Option<String>, Span)> {
    let mut found = Vec::new();
    visit::terms(module, &mut |term| {
        match &term.kind {
            TermKind::Variable(name) if &**name == "data" => found.push((None, term.span)),
            TermKind::Reference(head, parts) => {
                if let (TermKind::Variable(name), Some(TermKind::Scalar(Value::String(root)))) =
                    (&head.kind, parts.first().map(|part| &part.kind))
                    && &**name == "data"
                {
                    found.push((Some(root.to_string()), term.span));
                    return false;
                }
            }
            _ => {}
        }
        true
    });
    found
}
