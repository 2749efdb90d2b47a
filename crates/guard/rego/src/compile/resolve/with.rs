//! `with`: what is replaced, and by what.

use palisade_model::{Span, Str};

use super::super::codes::{COMPILE, TYPE};
use super::super::names;
use super::super::resolved::{Body, Function, Replaced, Target, With};
use super::Resolver;
use crate::syntax::ast;

/// Builtins that cannot be replaced.
const FIXED: [&str; 4] = ["eq", "print", "rego.metadata.chain", "rego.metadata.rule"];

impl Resolver<'_> {
    /// The replacements of an expression; values that need evaluation are bound before.
    pub(super) fn with(&mut self, with: &[ast::With], out: &mut Body) -> Option<Vec<With>> {
        let resolved: Vec<_> = with.iter().filter_map(|with| self.replacement(with, out)).collect();
        (!resolved.is_empty()).then_some(resolved)
    }

    fn replacement(&mut self, with: &ast::With, out: &mut Body) -> Option<With> {
        let target = self.target(&with.target)?;
        if let Target::Function(replaced) = &target
            && let Some(function) = self.function_value(&with.value, replaced.arity())
        {
            return Some(With { target, value: Replaced::Function(function) });
        }
        let value = self.term(&with.value, out);
        let value = self.settled(value, out);
        Some(With { target, value: Replaced::Term(value) })
    }

    /// The path that a target names, `input`, `data` or a builtin's name first.
    fn target_path(&mut self, target: &ast::Term) -> Option<Vec<Str>> {
        let (name, parts) = match &target.kind {
            ast::TermKind::Variable(name) => (name, &[] as &[ast::Term]),
            ast::TermKind::Reference(head, parts) => match &head.kind {
                ast::TermKind::Variable(name) => (name, parts.as_slice()),
                _ => return None,
            },
            _ => return None,
        };
        let rooted = matches!(&**name, "input" | "data");
        let global = if rooted { None } else { self.module.names.global(self.module.tree, name) };
        let mut path = global.unwrap_or_else(|| vec![name.clone()]);
        for part in parts {
            match &part.kind {
                ast::TermKind::Scalar(value) => path.push(value.as_shared_str()?.clone()),
                _ => return None,
            }
        }
        Some(path)
    }

    fn target(&mut self, target: &ast::Term) -> Option<Target> {
        let span = target.span;
        let Some(path) = self.target_path(target) else {
            let message = "with keyword target must reference existing input, data, or a function";
            self.error(TYPE, span, message, "name a constant path, such as `input.request` or `data.lib.rule`");
            return None;
        };
        let rest = path.get(1..).unwrap_or_default();
        match path.first().map(|root| &**root) {
            Some("input") => return Some(Target::Input(rest.to_vec())),
            Some("data") => return self.data_target(&path, span),
            _ => {}
        }
        let name = path.join(".");
        let message = match names::function(self.module.tree, &path) {
            Some(_) if FIXED.contains(&name.as_str()) => {
                format!("with keyword replacing built-in function: replacement of \"{name}\" invalid")
            }
            Some(_) if name.starts_with("internal.") => {
                format!("with keyword replacing built-in function: replacement of internal function \"{name}\" invalid")
            }
            Some(_) if name == "walk" => {
                "with keyword replacing built-in function: target must not be a relation".to_owned()
            }
            Some(function) => return Some(Target::Function(function)),
            None => {
                let message = "with keyword target must reference existing input, data, or a function";
                self.error(TYPE, span, message, "check the spelling; rules are named by path, such as `data.lib.rule`");
                return None;
            }
        };
        self.error(COMPILE, span, message, "replace what the function reads instead");
        None
    }

    fn data_target(&mut self, path: &[Str], span: Span) -> Option<Target> {
        if let Some(function) = names::function(self.module.tree, path) {
            return Some(Target::Function(function));
        }
        let rest = path.get(1..).unwrap_or_default();
        let inside = (0..rest.len())
            .any(|length| rest.get(..length).is_some_and(|above| self.module.tree.rule_at(above).is_some()));
        if inside {
            let message = "with keyword cannot partially replace virtual document(s)";
            self.error(COMPILE, span, message, "replace the whole rule");
            return None;
        }
        Some(Target::Data(rest.to_vec()))
    }

    /// The function that a value names, where it names one.
    fn function_value(&mut self, value: &ast::Term, arity: usize) -> Option<Function> {
        if let ast::TermKind::Variable(name) = &value.kind
            && self.is_declared(name)
        {
            return None;
        }
        let path = self.target_path(value)?;
        let function = names::function(self.module.tree, &path)?;
        if function.arity() != arity {
            let message = format!("{}: arity mismatch: takes {}, want {arity}", path.join("."), function.arity());
            self.error(TYPE, value.span, message, "a replacement takes as many arguments as what it replaces");
        }
        Some(function)
    }
}
