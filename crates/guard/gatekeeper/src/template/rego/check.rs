//! What Gatekeeper asks of a template's Rego beyond the language: the rule `violation`, libraries below `lib`, and no
//! reference to other data than libraries and the inventory.

use palisade_cel::admission::Reader;
use palisade_model::{Span, Str};
use palisade_rego::Value;
use palisade_rego::syntax::ast::{
    Body, Expression, ExpressionKind, HeadKind, Module, Rule, TemplatePart, Term, TermKind,
};

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
        let mut references = References::default();
        module.rules.iter().for_each(|rule| references.rule(rule));
        for (root, span) in references.found {
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

/// References below `data`: the first part, where it is a constant, and the place. The parser bounds how deeply terms
/// are nested.
#[derive(Default)]
struct References {
    found: Vec<(Option<String>, Span)>,
}

impl References {
    fn rule(&mut self, rule: &Rule) {
        rule.head.reference.iter().skip(1).for_each(|term| self.term(term));
        match &rule.head.kind {
            HeadKind::Value(value) => value.iter().for_each(|term| self.term(term)),
            HeadKind::Contains(term) => self.term(term),
            HeadKind::Function(parameters, value) => parameters.iter().chain(value).for_each(|term| self.term(term)),
        }
        self.body(&rule.body);
        for branch in &rule.otherwise {
            branch.value.iter().for_each(|term| self.term(term));
            self.body(&branch.body);
        }
    }

    fn body(&mut self, body: &Body) {
        for expression in body {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Term(term) => self.term(term),
            ExpressionKind::Assign(left, right) | ExpressionKind::Unify(left, right) => self.terms([left, right]),
            ExpressionKind::Some(_) => {}
            ExpressionKind::SomeIn { key, value, collection } => {
                self.terms(key.iter().chain([value, collection]));
            }
            ExpressionKind::Every { collection, body, .. } => {
                self.term(collection);
                self.body(body);
            }
        }
        // What `with` replaces is not read.
        expression.with.iter().for_each(|with| self.term(&with.value));
    }

    fn terms<'t>(&mut self, terms: impl IntoIterator<Item = &'t Term>) {
        terms.into_iter().for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Variable(name) if &**name == "data" => self.found.push((None, term.span)),
            TermKind::Scalar(_) | TermKind::Number(_) | TermKind::Variable(_) => {}
            TermKind::Reference(head, parts) => {
                match (&head.kind, parts.first().map(|part| &part.kind)) {
                    (TermKind::Variable(name), Some(TermKind::Scalar(Value::String(root)))) if &**name == "data" => {
                        self.found.push((Some(root.to_string()), term.span));
                    }
                    _ => self.term(head),
                }
                self.terms(parts);
            }
            TermKind::Call(callee, arguments) => {
                self.term(callee);
                self.terms(arguments);
            }
            TermKind::Array(items) | TermKind::Set(items) => self.terms(items),
            TermKind::Object(members) => members.iter().for_each(|(key, value)| self.terms([key, value])),
            TermKind::ArrayComprehension(head, body) | TermKind::SetComprehension(head, body) => {
                self.term(head);
                self.body(body);
            }
            TermKind::ObjectComprehension(key, value, body) => {
                self.terms([&**key, &**value]);
                self.body(body);
            }
            TermKind::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Expression(expression) = part {
                        self.expression(expression);
                    }
                }
            }
        }
    }
}
