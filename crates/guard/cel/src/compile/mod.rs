//! From text to a [`Program`]: a syntax tree becomes a [`Node`] tree in one walk, which resolves names, checks types,
//! computes constants.
//!
//! The walk yields a node and a type for every expression. Without checking, every type is dynamic and what cannot be
//! resolved becomes a node that fails when it is reached.

mod aggregates;
mod calls;
mod loops;
mod names;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use palisade_model::Str;

use crate::check::Inference;
use crate::program::node::Node;
use crate::program::{Parts, fold_constant};
use crate::syntax::{Expr, ExprKind, parse};
use crate::{CompileError, Env, EvalError, Program, Type, Val};

/// Parses and compiles an expression.
pub(crate) fn compile(env: &Env, source: &str, check: bool) -> Result<Program, Vec<CompileError>> {
    let expr = parse(source, env.registry()).map_err(|error| vec![error])?;
    let mut compiler = Compiler {
        env,
        check,
        locals: Vec::new(),
        registers: 0,
        variables: Vec::new(),
        inference: Inference::default(),
        aggregates: Vec::new(),
        exempt: 0,
        patterns: 0,
        contextual: false,
        errors: Vec::new(),
    };
    let (root, result) = compiler.expr(&expr);
    compiler.check_aggregates();
    if !compiler.errors.is_empty() {
        return Err(compiler.errors);
    }
    let result = compiler.inference.resolve(&result, true);
    let (variables, registers, contextual) = (compiler.variables, compiler.registers, compiler.contextual);
    let (source, strict, shared) = (source.into(), env.strict(), AtomicBool::new(false));
    Ok(Program::new(Parts { source, root, variables, registers, strict, contextual, result, shared }))
}

type Typed = (Node, Type);

/// A variable of a loop or of `cel.bind`.
struct Local {
    name: Str,
    register: usize,
    of: Type,
}

struct Compiler<'a> {
    env: &'a Env,
    check: bool,
    locals: Vec<Local>,
    registers: usize,
    variables: Vec<Str>,
    inference: Inference,
    /// The types of the elements of each literal, for the check that they agree.
    aggregates: Vec<Vec<(Type, Range<usize>)>>,
    /// How many calls around this place let elements differ.
    exempt: usize,
    /// How many constant patterns there are so far.
    patterns: usize,
    /// Whether anything is called whose result depends on more than its arguments.
    contextual: bool,
    errors: Vec<CompileError>,
}

impl Compiler<'_> {
    fn expr(&mut self, expr: &Expr) -> Typed {
        let span = &expr.span;
        match &expr.kind {
            ExprKind::Literal(value) => (Node::Constant(value.clone()), self.known(value.type_of())),
            ExprKind::Ident(_) => self.name(expr),
            ExprKind::Select { operand, field, optional: false } => self.select(expr, operand, field),
            ExprKind::Select { operand, field, optional: true } => self.select_optional(operand, field, span),
            ExprKind::Has { operand, field } => self.has(operand, field, span),
            ExprKind::Index { operand, index, optional } => self.index(operand, index, *optional, span),
            ExprKind::Call { target, function, args } => self.call(target.as_deref(), function, args, span),
            ExprKind::And(operands) => self.logical(operands, false),
            ExprKind::Or(operands) => self.logical(operands, true),
            ExprKind::Conditional(parts) => self.conditional(parts, span),
            ExprKind::List(elements) => self.list(elements),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Struct { name, fields } => self.structure(name, fields, span),
            ExprKind::Comprehension(parts) => self.comprehension(parts),
            ExprKind::Bind { name, value, body } => self.bind(name, value, body),
        }
    }

    /// The type, where types are checked.
    fn known(&self, of: Type) -> Type {
        if self.check { of } else { Type::Dyn }
    }

    fn error(&mut self, error: CompileError) -> Typed {
        let message = error.message.clone();
        if self.check {
            self.errors.push(error);
        }
        (Node::Fail(EvalError::Invalid(message.into())), Type::Dyn)
    }

    /// Reports an expression whose type does not fit.
    fn expect(&mut self, expected: &Type, actual: &Type, span: &Range<usize>, what: &str) {
        if self.check && !self.inference.assignable(expected, actual) {
            let actual = self.inference.resolve(actual, true);
            self.errors.push(CompileError::new(span.clone(), format!("{what} must be `{expected}`, not `{actual}`")));
        }
    }

    fn logical(&mut self, operands: &[Expr], or: bool) -> Typed {
        let what = if or { "an operand of `||`" } else { "an operand of `&&`" };
        let nodes = operands
            .iter()
            .map(|operand| {
                let (node, of) = self.expr(operand);
                self.expect(&Type::Bool, &of, &operand.span, what);
                node
            })
            .collect();
        let node = if or { Node::Or(nodes) } else { Node::And(nodes) };
        (fold_constant(node), self.known(Type::Bool))
    }

    fn conditional(&mut self, parts: &[Expr; 3], span: &Range<usize>) -> Typed {
        let [(condition, c), (then, t), (otherwise, o)] = parts.each_ref().map(|part| self.expr(part));
        let of = self.operator_type("_?_:_", &[c, t, o], span);
        (fold_constant(Node::Conditional(Box::new([condition, then, otherwise]))), of)
    }

    fn bind(&mut self, name: &Str, value: &Expr, body: &Expr) -> Typed {
        let (value, of) = self.expr(value);
        let register = self.declare(name, of);
        let (body, of) = self.expr(body);
        self.locals.pop();
        (Node::Bind(register, Box::new([value, body])), of)
    }

    /// Makes a local variable known until it is popped.
    fn declare(&mut self, name: &Str, of: Type) -> usize {
        let register = self.registers;
        self.registers += 1;
        self.locals.push(Local { name: name.clone(), register, of });
        register
    }

    fn slot(&mut self, name: &str) -> usize {
        self.variables.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.variables.push(name.into());
            self.variables.len() - 1
        })
    }
}

/// A constant for a name that denotes a type or a library's constant.
fn constant((of, value): &(Type, Val)) -> Typed {
    (Node::Constant(value.clone()), of.clone())
}

type Overloads = Vec<Arc<crate::Function>>;
