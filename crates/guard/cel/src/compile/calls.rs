//! Calls: operators, functions in namespaces, members; which overloads may answer.

use std::collections::HashSet;
use std::ops::Range;

use palisade_model::Str;

use super::names::candidate_names;
use super::{Compiler, Overloads, Typed};
use crate::check::{Signature, nearest};
use crate::library::kyverno::compat;
use crate::library::re2::Pattern;
use crate::program::node::{BinaryOperator, Invocation, Node, Shortcut};
use crate::program::{constant_error, fold_constant};
use crate::syntax::Expr;
use crate::{CompileError, EvalError, Key, Style, Type, Val};

/// How many constant patterns of one expression are compiled beforehand.
const MAX_PATTERNS: usize = 64;

/// Functions whose failure on a constant is an error of the expression.
const CONVERSIONS: [&str; 8] = ["bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"];

impl Compiler<'_> {
    pub(super) fn call(&mut self, target: Option<&Expr>, function: &Str, args: &[Expr], span: &Range<usize>) -> Typed {
        let Some(target) = target else {
            return match self.operator(function, args, span) {
                Some(typed) => typed,
                None => self.global_call(function, args, span),
            };
        };
        if let Some(namespace) = self.free_name(target) {
            let name = format!("{namespace}.{function}");
            if !self.functions(Style::Global, &name).1.is_empty() {
                return self.global_call(&name, args, span);
            }
        }
        let exempt = usize::from(**function == *"format");
        self.exempt += exempt;
        let (target, of) = self.expr(target);
        let (mut nodes, mut types) = (vec![target], vec![of]);
        self.arguments(args, &mut nodes, &mut types);
        self.exempt -= exempt;
        self.invoke(Style::Member, function, nodes, &types, span)
    }

    fn global_call(&mut self, function: &str, args: &[Expr], span: &Range<usize>) -> Typed {
        let (mut nodes, mut types) = (Vec::new(), Vec::new());
        self.arguments(args, &mut nodes, &mut types);
        if function == "dyn" && nodes.len() == 1 {
            return (nodes.pop().unwrap_or(Node::Constant(Val::Null)), Type::Dyn);
        }
        self.invoke(Style::Global, function, nodes, &types, span)
    }

    fn arguments(&mut self, args: &[Expr], nodes: &mut Vec<Node>, types: &mut Vec<Type>) {
        for argument in args {
            let (node, of) = self.expr(argument);
            nodes.push(node);
            types.push(of);
        }
    }

    /// The overloads of a function and the name under which the container knows it.
    fn functions(&self, style: Style, name: &str) -> (Str, Overloads) {
        let registry = self.env.registry();
        let names = match style {
            Style::Global => candidate_names(self.env.container(), name),
            Style::Member => vec![name.into()],
        };
        let found = names.into_iter().find_map(|name| {
            let overloads = registry.functions_of(style, &name);
            (!overloads.is_empty()).then(|| (name, overloads.to_vec()))
        });
        found.unwrap_or_else(|| (name.into(), Vec::new()))
    }

    fn invoke(&mut self, style: Style, function: &str, args: Vec<Node>, types: &[Type], span: &Range<usize>) -> Typed {
        let (name, overloads) = self.functions(style, function);
        if overloads.is_empty() {
            let error = self.unknown_function(style, function, span);
            return self.error(error);
        }
        let (matching, of) = if self.check {
            let Some(resolved) = self.resolve_overloads(&overloads, types) else {
                let error = self.no_overload(style, function, &overloads, types, span);
                return self.error(error);
            };
            resolved
        } else {
            let fitting: Overloads =
                overloads.into_iter().filter(|f| Signature::from(&**f).takes(args.len())).collect();
            if fitting.is_empty() {
                return (Node::Fail(EvalError::NoOverload(function.into())), Type::Dyn);
            }
            (fitting, Type::Dyn)
        };
        self.contextual |= matching.iter().any(|overload| !overload.constant);
        let pattern = self.constant_pattern(&matching, &args);
        let node = fold_constant(call_node(style, name, matching, args, pattern));
        if let Some(error) = self.failing_constant(&node) {
            return self.error(CompileError::new(span.clone(), error.to_string()));
        }
        (node, of)
    }

    /// Why a conversion of a constant, or a constant pattern, can never succeed. cel-go refuses such expressions.
    fn failing_constant(&self, node: &Node) -> Option<EvalError> {
        let Node::Call(call) = node else { return None };
        if !self.check || self.env.strict() {
            return None;
        }
        match (&*call.name, &*call.args) {
            ("matches", [_, Node::Constant(Val::String(pattern))])
                if call.pattern.is_none() && self.patterns <= MAX_PATTERNS =>
            {
                Pattern::new(pattern).err()
            }
            (name, [Node::Constant(_)]) if CONVERSIONS.contains(&name) => constant_error(node),
            _ => None,
        }
    }

    /// The compiled form of a pattern that is constant, or a variable with a constant text. An expression has only so many compiled beforehand, because
    /// compiling is dear and nothing is paid for it here.
    fn constant_pattern(&mut self, overloads: &Overloads, args: &[Node]) -> Option<Pattern> {
        let position = overloads.iter().find_map(|overload| overload.pattern)?;
        let pattern = match args.get(position)? {
            Node::Constant(Val::String(pattern)) => pattern,
            Node::Variable(slot) => self.env.text(self.variables.get(*slot)?)?,
            _ => return None,
        };
        self.patterns += 1;
        (self.patterns <= MAX_PATTERNS).then(|| Pattern::new(pattern).ok()).flatten()
    }

    /// The overloads that may answer, and the type of the result.
    fn resolve_overloads(&mut self, overloads: &Overloads, types: &[Type]) -> Option<(Overloads, Type)> {
        let mut matching = Vec::new();
        let mut result: Option<Type> = None;
        for overload in overloads {
            if let Some(of) = self.inference.apply(&Signature::from(&**overload), types) {
                matching.push(overload.clone());
                result = Some(match result {
                    Some(previous) if previous != of => Type::Dyn,
                    _ => of,
                });
            }
        }
        result.map(|of| (matching, of))
    }

    /// The type of an operator's result; an error where no signature fits.
    pub(super) fn operator_type(&mut self, name: &str, types: &[Type], span: &Range<usize>) -> Type {
        if !self.check {
            return Type::Dyn;
        }
        let mut result: Option<Type> = None;
        for signature in self.env.registry().operators.of(name) {
            if let Some(of) = self.inference.apply(&signature, types) {
                result = Some(match result {
                    Some(previous) if previous != of => Type::Dyn,
                    _ => of,
                });
            }
        }
        result.unwrap_or_else(|| {
            let shown: Vec<_> = types.iter().map(|of| format!("`{}`", self.inference.resolve(of, true))).collect();
            let operator = name.replace('@', "").replace('_', " ");
            let message = format!("no matching overload for `{}` between {}", operator.trim(), shown.join(" and "));
            self.error(CompileError::new(span.clone(), message).help("convert one side, or wrap it in `dyn()`")).1
        })
    }

    fn operator(&mut self, name: &Str, args: &[Expr], span: &Range<usize>) -> Option<Typed> {
        let node: fn([Node; 2]) -> Node = match (&**name, args) {
            ("!_" | "-_", [operand]) => {
                let (node, of) = self.expr(operand);
                let of = self.operator_type(name, &[of], span);
                let node = if **name == *"!_" { Node::Not(Box::new(node)) } else { Node::Negate(Box::new(node)) };
                return Some((fold_constant(node), of));
            }
            ("@in", [_, _]) => in_node,
            (_, [_, _]) => {
                let operator = BinaryOperator::named(name)?;
                let (operands, of) = self.operands(name, args, span)?;
                return Some((fold_constant(Node::Binary(operator, Box::new(operands))), of));
            }
            _ => return None,
        };
        let (operands, of) = self.operands(name, args, span)?;
        Some((fold_constant(node(operands)), of))
    }

    fn operands(&mut self, name: &str, args: &[Expr], span: &Range<usize>) -> Option<([Node; 2], Type)> {
        let [left, right] = args else { return None };
        let (left, l) = self.expr(left);
        let (right, r) = self.expr(right);
        let of = self.operator_type(name, &[l, r], span);
        Some(([left, right], of))
    }

    pub(super) fn index(&mut self, operand: &Expr, index: &Expr, optional: bool, span: &Range<usize>) -> Typed {
        let name = if optional { "_[?_]" } else { "_[_]" };
        let (operand, o) = self.expr(operand);
        let (index, i) = self.expr(index);
        let of = self.operator_type(name, &[o, i], span);
        let parts = Box::new([operand, index]);
        let node = if optional { Node::IndexOptional(parts) } else { Node::Index(parts) };
        (fold_constant(node), of)
    }

    fn unknown_function(&self, style: Style, function: &str, span: &Range<usize>) -> CompileError {
        let registry = self.env.registry();
        let error = CompileError::new(span.clone(), format!("unknown function `{function}`"));
        if let Some(candidate) = registry.macros_of(style, function).first() {
            let arity = candidate.arity.unwrap_or_default();
            return error.help(format!("the macro `{function}` takes {arity} arguments"));
        }
        let functions = registry.functions.get(&style).into_iter().flat_map(|table| table.keys().map(|name| &**name));
        let macros = registry.macros.get(&style).into_iter().flat_map(|table| table.keys().copied());
        let near = nearest(function, functions.chain(macros));
        CompileError { help: near.map(|near| format!("did you mean `{near}`?")), ..error }
    }

    fn no_overload(
        &self,
        style: Style,
        function: &str,
        overloads: &Overloads,
        types: &[Type],
        span: &Range<usize>,
    ) -> CompileError {
        let types: Vec<Type> = types.iter().map(|of| self.inference.resolve(of, true)).collect();
        let message = format!("no matching overload for `{}`", signature_text(style, function, &types));
        let known: Vec<_> = overloads
            .iter()
            .map(|overload| format!("`{}`", signature_text(style, function, &overload.params)))
            .collect();
        CompileError::new(span.clone(), message).help(format!("it takes {}", known.join(" or ")))
    }
}

/// `string.split(string)`, `size(list(dyn))`.
fn signature_text(style: Style, function: &str, types: &[Type]) -> String {
    let shown: Vec<_> = types.iter().map(ToString::to_string).collect();
    match (style, shown.split_first()) {
        (Style::Member, Some((receiver, rest))) => format!("{receiver}.{function}({})", rest.join(", ")),
        _ => format!("{function}({})", shown.join(", ")),
    }
}

/// `a in b`; constant lists of keys are looked up in a set.
fn in_node(operands: [Node; 2]) -> Node {
    let [needle, haystack] = operands;
    if let Node::Constant(Val::List(list)) = &haystack
        && let Some(keys) = list.iter().map(|item| Key::new(&item)).collect::<Option<HashSet<_>>>()
    {
        let list = Val::List(list.clone());
        return Node::InConstants(Box::new(needle), Box::new((keys, list)));
    }
    Node::In(Box::new([needle, haystack]))
}

fn call_node(style: Style, name: Str, overloads: Overloads, args: Vec<Node>, pattern: Option<Pattern>) -> Node {
    let args = match (style, &*name, <[Node; 2]>::try_from(args)) {
        (Style::Member, "or", Ok(args)) => return Node::OptionalOr(Box::new(args)),
        (Style::Member, "orValue", Ok(args)) => return Node::OptionalOrValue(Box::new(args)),
        (Style::Global, compat::FUNCTION, Ok(args)) => return Node::OrValueLenient(Box::new(args)),
        (_, _, Ok(args)) => Vec::from(args),
        (_, _, Err(args)) => args,
    };
    let mut args = args;
    if style == Style::Member && *name == *"hasValue" && args.len() == 1 {
        return args.pop().map_or(Node::Constant(Val::Null), |operand| Node::HasValue(Box::new(operand)));
    }
    let shortcut = match (&*name, args.len()) {
        ("size", 1) => Some(Shortcut::Size),
        ("startsWith", 2) => Some(Shortcut::StartsWith),
        ("endsWith", 2) => Some(Shortcut::EndsWith),
        ("contains", 2) => Some(Shortcut::Contains),
        ("matches", 2) => Some(Shortcut::Matches),
        _ => None,
    };
    Node::Call(Box::new(Invocation { name, overloads, shortcut, args: args.into(), pattern }))
}
