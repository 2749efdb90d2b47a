//! Names: locals first, then the longest dotted name that is declared, in the container and around it.

use std::ops::Range;

use palisade_model::Str;

use super::{Compiler, Typed, constant};
use crate::check::nearest;
use crate::program::fold_constant;
use crate::program::node::Node;
use crate::syntax::{Expr, ExprKind};
use crate::{CompileError, EvalError, Type};

impl Compiler<'_> {
    /// A plain name.
    pub(super) fn name(&mut self, expr: &Expr) -> Typed {
        let ExprKind::Ident(name) = &expr.kind else {
            return (Node::Fail(EvalError::invalid("not a name")), Type::Dyn);
        };
        if let Some(local) = self.locals.iter().rev().find(|local| local.name == *name) {
            return (Node::Local(local.register), local.of.clone());
        }
        let unknown = Node::Fail(EvalError::Undeclared(name.trim_start_matches('.').into()));
        if !self.check {
            return (self.candidates(name, unknown), Type::Dyn);
        }
        if let Some(found) = self.declared(name) {
            return found;
        }
        let known = self.env.variables().keys().map(|name| &**name);
        let help = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        let error = CompileError::new(expr.span.clone(), format!("undeclared reference to `{name}`"));
        self.error(CompileError { help, ..error })
    }

    /// What a dotted name denotes as a whole.
    fn declared(&mut self, name: &str) -> Option<Typed> {
        for candidate in candidate_names(self.env.container(), name) {
            if let Some(of) = self.env.variables().get(&*candidate) {
                let of = of.clone();
                return Some((Node::Variable(self.slot(&candidate)), of));
            }
            if let Some(found) = self.env.registry().constants.get(&*candidate) {
                return Some(constant(found));
            }
        }
        None
    }

    /// Without declarations: whichever of the possible variables the scope has, else `otherwise`.
    fn candidates(&mut self, name: &str, otherwise: Node) -> Node {
        let names = candidate_names(self.env.container(), name);
        let constants = &self.env.registry().constants;
        let constant = names.iter().find_map(|name| constants.get(&**name));
        let otherwise = constant.map_or(otherwise, |(_, value)| Node::Constant(value.clone()));
        let slots = names.iter().map(|name| self.slot(name)).collect();
        Node::Candidates(slots, Box::new(otherwise))
    }

    /// The dotted name that the expression spells, unless it starts at a local variable.
    pub(super) fn free_name(&self, expr: &Expr) -> Option<String> {
        let name = expr.qualified_name()?;
        let first = name.split('.').next().unwrap_or_default();
        let local = self.locals.iter().any(|local| *local.name == *first);
        (!local).then_some(name)
    }

    /// `operand.field`, or the variable of that dotted name.
    pub(super) fn select(&mut self, expr: &Expr, operand: &Expr, field: &Str) -> Typed {
        let name = self.free_name(expr);
        if self.check
            && let Some(found) = name.as_ref().and_then(|name| self.declared(name))
        {
            return found;
        }
        let (operand, of) = self.expr(operand);
        let node = fold_constant(Node::Select(Box::new(operand), field.clone()));
        match name {
            Some(name) if !self.check => (self.candidates(&name, node), Type::Dyn),
            _ => {
                let of = self.field_type(&of, field, &expr.span);
                (node, of)
            }
        }
    }

    /// `operand.?field`.
    pub(super) fn select_optional(&mut self, operand: &Expr, field: &Str, span: &Range<usize>) -> Typed {
        let whole = self.free_name(operand).map(|name| format!("{name}.{field}"));
        if self.check
            && let Some((node, of)) = whole.and_then(|name| self.declared(&name))
        {
            return (Node::Some(Box::new(node)), Type::optional(of));
        }
        let (operand, of) = self.expr(operand);
        let of = match self.field_type(&of, field, span) {
            already @ Type::Optional(_) => already,
            of => self.known(Type::optional(of)),
        };
        (fold_constant(Node::SelectOptional(Box::new(operand), field.clone())), of)
    }

    /// `has(operand.field)`; a declared dotted name is present.
    pub(super) fn has(&mut self, operand: &Expr, field: &Str, span: &Range<usize>) -> Typed {
        let whole = self.free_name(operand).map(|name| format!("{name}.{field}"));
        if self.check && whole.is_some_and(|name| self.declared(&name).is_some()) {
            return (Node::Constant(true.into()), Type::Bool);
        }
        let (operand, of) = self.expr(operand);
        self.field_type(&of, field, span);
        (fold_constant(Node::Has(Box::new(operand), field.clone())), self.known(Type::Bool))
    }

    /// The type of a field of a value of type `of`; optional for optional values.
    fn field_type(&mut self, of: &Type, field: &Str, span: &Range<usize>) -> Type {
        let of = self.inference.resolve(of, false);
        match &of {
            // Values of a library's own type answer for their fields when evaluated.
            Type::Dyn | Type::Opaque(..) => Type::Dyn,
            Type::Var(_) => {
                self.inference.assignable(&of, &Type::Dyn);
                Type::Dyn
            }
            Type::Map(parts) => parts.1.clone(),
            Type::Optional(of) => match self.field_type(of, field, span) {
                already @ Type::Optional(_) => already,
                of => Type::optional(of),
            },
            Type::Object(name) => self.object_field(name, field, span),
            other => {
                let message = format!("type `{other}` does not support field selection");
                self.error(CompileError::new(span.clone(), message)).1
            }
        }
    }

    fn object_field(&mut self, name: &Str, field: &Str, span: &Range<usize>) -> Type {
        if let Some(object) = self.env.object(name) {
            if let Some(of) = object.fields.get(field) {
                return of.clone();
            }
            let help =
                nearest(field, object.fields.keys().map(|name| &**name)).map(|near| format!("did you mean `{near}`?"));
            let error = CompileError::new(span.clone(), format!("undefined field `{field}` of `{name}`"));
            return self.error(CompileError { help, ..error }).1;
        }
        let of = self.env.registry().structs.iter().find(|family| family.matches(name));
        match of.map(|family| (family.field)(name, field)) {
            None => Type::Dyn,
            Some(Some(of)) => of,
            Some(None) => {
                self.error(CompileError::new(span.clone(), format!("undefined field `{field}` of `{name}`"))).1
            }
        }
    }
}

/// The names that `name` may mean inside `container`, innermost first; a leading dot means the outermost only.
pub(super) fn candidate_names(container: &str, name: &str) -> Vec<Str> {
    if let Some(rooted) = name.strip_prefix('.') {
        return vec![rooted.into()];
    }
    let mut names = Vec::new();
    let mut around = container;
    while !around.is_empty() {
        names.push(format!("{around}.{name}").into());
        around = around.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
    names.push(name.into());
    names
}
