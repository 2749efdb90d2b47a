//! What an expression reads beside the desired state of the object, from its syntax tree.
//!
//! A field is followed from the object that it belongs to by names that are written out. An object that is taken as a whole
//! may be looked at anywhere, and so may other objects where a look-up does not name their kind.

use palisade_model::Str;
use palisade_policy::Reads;

use super::evaluation::{PREFIX, Variables};
use crate::Val;
use crate::syntax::{Comprehension, Element, Expr, ExprKind};

/// Adds what `expr` reads, which may use `variables`.
pub(super) fn note(expr: &Expr, variables: &Variables, reads: &mut Reads) {
    Walk { variables, reads, locals: Vec::new() }.expr(expr);
}

struct Walk<'a> {
    variables: &'a Variables,
    reads: &'a mut Reads,
    /// Variables of loops and of `cel.bind` around this place, with the texts that they go through where these are
    /// written out.
    locals: Vec<(Str, Option<Vec<String>>)>,
}

/// A name and the constant names behind it: `object.metadata.labels`.
struct Chain<'e> {
    root: &'e str,
    names: Vec<&'e str>,
}

impl<'e> Chain<'e> {
    fn of(expr: &'e Expr) -> Option<Self> {
        let behind = |operand: &'e Expr, name: &'e str| {
            let mut chain = Self::of(operand)?;
            chain.names.push(name);
            Some(chain)
        };
        match &expr.kind {
            ExprKind::Ident(name) => Some(Self { root: name.trim_start_matches('.'), names: Vec::new() }),
            ExprKind::Select { operand, field, .. } => behind(operand, field),
            ExprKind::Index { operand, index, .. } => behind(operand, text(index)?),
            ExprKind::Call { target: None, function, args } if &**function == "dyn" => Self::of(args.first()?),
            _ => None,
        }
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Literal(Val::String(text)) => Some(text),
        _ => None,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Literal(Val::Null))
}

impl Walk<'_> {
    fn expr(&mut self, expr: &Expr) {
        if let Some(chain) = Chain::of(expr) {
            return self.chain(&chain, false);
        }
        match &expr.kind {
            ExprKind::Literal(Val::String(text)) => self.reads.name(text.trim_start_matches('/')),
            ExprKind::Literal(_) | ExprKind::Ident(_) => {}
            ExprKind::Select { operand, field, .. } => {
                self.reads.name(field);
                self.expr(operand);
            }
            ExprKind::Has { operand, field } => {
                if let Some(mut chain) = Chain::of(operand) {
                    chain.names.push(field);
                    self.chain(&chain, true);
                } else {
                    self.reads.name(field);
                    self.expr(operand);
                }
            }
            ExprKind::Index { operand, index, .. } => {
                self.expr(operand);
                self.expr(index);
            }
            ExprKind::Call { target, function, args } => self.call(target.as_deref(), function, args),
            ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().for_each(|operand| self.expr(operand)),
            ExprKind::Conditional(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::List(elements) => elements.iter().for_each(|Element { value, .. }| self.expr(value)),
            ExprKind::Map(entries) => {
                for entry in entries {
                    self.expr(&entry.key);
                    self.expr(&entry.value);
                }
            }
            ExprKind::Struct { fields, .. } => fields.iter().for_each(|(_, field)| self.expr(&field.value)),
            ExprKind::Comprehension(parts) => self.comprehension(parts),
            ExprKind::Bind { name, value, body } => {
                self.expr(value);
                self.locals.push((name.clone(), self.texts(value)));
                self.expr(body);
                self.locals.pop();
            }
        }
    }

    /// `exists` tells that no more is asked than whether the last name is there.
    fn chain(&mut self, chain: &Chain<'_>, exists: bool) {
        let names = &*chain.names;
        let local = self.locals.iter().any(|(local, _)| **local == *chain.root);
        let object = match (chain.root, names) {
            _ if local => None,
            ("object" | "oldObject", names)
            | ("request", ["object" | "oldObject", names @ ..])
            | ("variables", ["anyObject", names @ ..]) => Some(names),
            ("request", []) => Some(names),
            ("http" | "image" | "resource" | "globalContext" | "authorizer", _) => {
                self.reads.look_up_anything();
                return;
            }
            ("namespaceObject", _) => {
                self.reads.namespace = true;
                return;
            }
            _ => None,
        };
        match object {
            Some(["metadata"]) if exists => {}
            Some(names) => self.reads.field(names.iter().copied()),
            None => names.iter().for_each(|name| self.reads.name(name)),
        }
    }

    fn call(&mut self, target: Option<&Expr>, function: &str, args: &[Expr]) {
        // That there is no object, or no metadata, says nothing of what is in it.
        if matches!(function, "_==_" | "_!=_")
            && args.iter().any(is_null)
            && args.iter().any(|arg| Chain::of(arg).is_some())
        {
            let present = args.iter().filter_map(Chain::of).filter(|chain| !chain.names.is_empty());
            return present.for_each(|chain| self.chain(&chain, true));
        }
        if function.starts_with("verify") || function.starts_with("Verify") {
            self.reads.look_up_anything();
        }
        let service = target.and_then(Chain::of).filter(|chain| chain.names.is_empty()).map_or("", |chain| chain.root);
        let local = self.locals.iter().any(|(local, _)| &**local == service);
        match (service, function, args) {
            ("resource", "Get" | "get" | "List" | "list", [_, resource, ..]) if !local => self.resource(resource),
            ("globalContext", "Get" | "get", [entry, projection]) if !local => self.entry(entry, projection),
            _ => {
                if let Some(target) = target {
                    self.expr(target);
                }
            }
        }
        for arg in args {
            self.expr(arg);
        }
    }

    fn resource(&mut self, resource: &Expr) {
        match self.texts(resource) {
            Some(resources) => resources.iter().for_each(|resource| self.reads.look_up(resource)),
            None => self.reads.look_up_anything(),
        }
    }

    /// The entry `manifests` names the resource in its projection, `PLURAL/NAMESPACE`; others may hold anything.
    fn entry(&mut self, entry: &Expr, projection: &Expr) {
        let plurals = self.beginnings(projection).map(|texts| {
            texts
                .iter()
                .map(|text| text.split_once('/').map(|(plural, _)| plural.to_owned()))
                .collect::<Option<Vec<_>>>()
        });
        match plurals.flatten() {
            Some(plurals) if text(entry) == Some("manifests") => {
                // Whether all is known is no kind.
                for plural in plurals.iter().filter(|plural| *plural != "whole") {
                    self.reads.look_up(plural);
                }
            }
            _ => self.reads.look_up_anything(),
        }
    }

    fn comprehension(&mut self, parts: &Comprehension) {
        self.expr(&parts.range);
        let through = self.texts(&parts.range);
        let before = self.locals.len();
        self.locals.extend(
            [Some(&parts.first), parts.second.as_ref()]
                .into_iter()
                .flatten()
                .map(|name| (name.clone(), through.clone())),
        );
        parts.filter.iter().for_each(|filter| self.expr(filter));
        self.expr(&parts.body);
        self.locals.truncate(before);
    }

    /// The texts that an expression may be, or go through, where they are written out.
    fn texts(&self, expr: &Expr) -> Option<Vec<String>> {
        match &expr.kind {
            ExprKind::Literal(Val::String(text)) => Some(vec![text.to_string()]),
            ExprKind::List(elements) => {
                elements.iter().map(|element| text(&element.value).map(str::to_owned)).collect()
            }
            ExprKind::Ident(name) => self.locals.iter().rev().find(|(local, _)| local == name)?.1.clone(),
            _ => {
                let name = expr.qualified_name().filter(|name| name.starts_with(PREFIX))?;
                self.texts(&self.variables.find(&name)?.1.expression.tree()?)
            }
        }
    }

    /// How the texts that an expression may be begin, where that is written out.
    fn beginnings(&self, expr: &Expr) -> Option<Vec<String>> {
        let ExprKind::Call { function, args, .. } = &expr.kind else { return self.texts(expr) };
        let [left, right] = &args[..] else { return None };
        let left = (&**function == "_+_").then(|| self.beginnings(left)).flatten()?;
        // What comes behind a `/` does not matter.
        if left.iter().all(|text| text.contains('/')) {
            return Some(left);
        }
        let right = self.beginnings(right)?;
        Some(left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect())
    }
}
