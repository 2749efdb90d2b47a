//! CEL's standard macros, and those of cel-go's optional, two-variable, bindings and lists extensions.

use palisade_model::Str;

use super::{Comprehension, Expander, Expansion, Expr, ExprKind, Fold, MacroCall};
use crate::{CompileError, Macro, Style, Val};

type Expanded = Result<Expansion, CompileError>;
type Expand = fn(&mut Expander, MacroCall) -> Expanded;

const fn member(name: &'static str, arity: usize, expand: Expand) -> Macro {
    Macro { name, style: Style::Member, arity: Some(arity), expand }
}

/// Macros that every environment has.
pub(crate) const STANDARD: [Macro; 8] = [
    Macro { name: "has", style: Style::Global, arity: Some(1), expand: has },
    member("all", 2, |expander, call| fold(expander, call, Fold::All)),
    member("exists", 2, |expander, call| fold(expander, call, Fold::Exists)),
    member("exists_one", 2, |expander, call| fold(expander, call, Fold::ExistsOne)),
    member("existsOne", 2, |expander, call| fold(expander, call, Fold::ExistsOne)),
    member("map", 2, |expander, call| fold(expander, call, Fold::List)),
    member("map", 3, |expander, call| fold(expander, call, Fold::List)),
    member("filter", 2, filter),
];

/// Macros over positions or keys and values together.
pub(crate) const TWO_VARIABLES: [Macro; 10] = [
    member("all", 3, |expander, call| fold_pairs(expander, call, Fold::All)),
    member("exists", 3, |expander, call| fold_pairs(expander, call, Fold::Exists)),
    member("existsOne", 3, |expander, call| fold_pairs(expander, call, Fold::ExistsOne)),
    member("exists_one", 3, |expander, call| fold_pairs(expander, call, Fold::ExistsOne)),
    member("transformList", 3, |expander, call| fold_pairs(expander, call, Fold::List)),
    member("transformList", 4, |expander, call| fold_pairs(expander, call, Fold::List)),
    member("transformMap", 3, |expander, call| fold_pairs(expander, call, Fold::Map)),
    member("transformMap", 4, |expander, call| fold_pairs(expander, call, Fold::Map)),
    member("transformMapEntry", 3, |expander, call| fold_pairs(expander, call, Fold::MapEntries)),
    member("transformMapEntry", 4, |expander, call| fold_pairs(expander, call, Fold::MapEntries)),
];

/// Macros over optional values.
pub(crate) const OPTIONAL: [Macro; 2] = [
    member("optMap", 2, |expander, call| opt_map(expander, call, true)),
    member("optFlatMap", 2, |expander, call| opt_map(expander, call, false)),
];

/// `cel.bind`.
pub(crate) const BINDINGS: [Macro; 1] = [member("bind", 3, bind)];

/// `list.sortBy(element, key)`.
pub(crate) const LISTS: [Macro; 1] = [member("sortBy", 2, sort_by)];

/// `cel.block` and its companions, which stand in for what optimizers write.
pub(crate) const BLOCK: [Macro; 4] = [
    member("block", 2, block),
    member("index", 1, |_, call| numbered(call, "@index")),
    member("iterVar", 2, |_, call| numbered(call, "@it")),
    member("accuVar", 2, |_, call| numbered(call, "@ac")),
];

/// The name of the function that `sortBy` calls.
pub(crate) const SORT_BY_KEYS: &str = "@sortByAssociatedKeys";

fn has(_: &mut Expander, mut call: MacroCall) -> Expanded {
    let span = call.span.clone();
    match call.args.pop().map(|argument| argument.kind) {
        Some(ExprKind::Select { operand, field, optional: false }) => {
            Ok(Expansion::Expr(Expr::new(ExprKind::Has { operand, field }, span)))
        }
        _ => Err(call.error("`has` takes the selection of a field, such as `has(object.spec)`")),
    }
}

/// The receiver and arguments of a loop: `range.name(first, [second,] [filter,] body)`.
fn comprehension(expander: &Expander, call: MacroCall, fold: Fold, pairs: bool) -> Expanded {
    let span = call.span.clone();
    let mut args = call.args.into_iter();
    let mut variable = || args.next().map(|argument| expander.variable_name(argument)).transpose();
    let (first, second) = (variable()?, if pairs { variable()? } else { None });
    let body = args.next_back();
    let (Some(range), Some(first), Some(body)) = (call.target, first, body) else {
        return Err(CompileError::new(span, "a loop needs a receiver, a variable and a body"));
    };
    if second.as_ref() == Some(&first) {
        return Err(CompileError::new(span, format!("the variable `{first}` is named twice")));
    }
    let filter = args.next();
    let comprehension = Comprehension { fold, range, first, second, filter, body };
    Ok(Expansion::Expr(Expr::new(ExprKind::Comprehension(Box::new(comprehension)), span)))
}

fn fold(expander: &mut Expander, call: MacroCall, fold: Fold) -> Expanded {
    comprehension(expander, call, fold, false)
}

fn fold_pairs(expander: &mut Expander, call: MacroCall, fold: Fold) -> Expanded {
    comprehension(expander, call, fold, true)
}

/// `range.filter(x, condition)` is `range.map(x, condition, x)`.
fn filter(expander: &mut Expander, mut call: MacroCall) -> Expanded {
    if let Some(variable) = call.args.first().cloned() {
        call.args.push(variable);
    }
    comprehension(expander, call, Fold::List, false)
}

fn bind_expr(name: Str, value: Expr, body: Expr) -> Expr {
    let span = value.span.start.min(body.span.start)..value.span.end.max(body.span.end);
    Expr::new(ExprKind::Bind { name, value: Box::new(value), body: Box::new(body) }, span)
}

fn bind(expander: &mut Expander, call: MacroCall) -> Expanded {
    if !call.is_in("cel") {
        return Ok(Expansion::Unchanged(call));
    }
    let span = call.span.clone();
    let Ok([name, value, body]) = <[Expr; 3]>::try_from(call.args) else {
        return Err(CompileError::new(span, "`cel.bind` takes a name, a value and an expression"));
    };
    Ok(Expansion::Expr(Expr { span, ..bind_expr(expander.variable_name(name)?, value, body) }))
}

/// `x.optMap(v, body)` is `x.hasValue() ? optional.of(cel.bind(v, x.value(), body)) : optional.none()`.
fn opt_map(expander: &mut Expander, call: MacroCall, wrap: bool) -> Expanded {
    let span = call.span.clone();
    let (Some(target), Ok([variable, body])) = (call.target, <[Expr; 2]>::try_from(call.args)) else {
        return Err(CompileError::new(span, "`optMap` takes a name and an expression"));
    };
    let variable = expander.variable_name(variable)?;
    let name = expander.fresh_name();
    let input = || Expr::ident(name.clone(), target.span.clone());
    let value = Expr::call(Some(input()), "value", Vec::new(), span.clone());
    let mapped = bind_expr(variable, value, body);
    let optional =
        |function, args| Expr::call(Some(Expr::ident("optional", span.clone())), function, args, span.clone());
    let then = if wrap { optional("of", vec![mapped]) } else { mapped };
    let condition = Expr::call(Some(input()), "hasValue", Vec::new(), span.clone());
    let parts = Box::new([condition, then, optional("none", Vec::new())]);
    let body = Expr::new(ExprKind::Conditional(parts), span.clone());
    Ok(Expansion::Expr(Expr { span, ..bind_expr(name, target, body) }))
}

/// `list.sortBy(e, key)` is `cel.bind(input, list, input.@sortByAssociatedKeys(input.map(e, key)))`.
fn sort_by(expander: &mut Expander, mut call: MacroCall) -> Expanded {
    let span = call.span.clone();
    let Some(target) = call.target.take() else { return Ok(Expansion::Unchanged(call)) };
    let name = expander.fresh_name();
    call.target = Some(Expr::ident(name.clone(), target.span.clone()));
    let Expansion::Expr(keys) = comprehension(expander, call, Fold::List, false)? else {
        return Err(CompileError::new(span, "`sortBy` takes a name and an expression"));
    };
    let input = Expr::ident(name.clone(), target.span.clone());
    let sorted = Expr::call(Some(input), SORT_BY_KEYS, vec![keys], span.clone());
    Ok(Expansion::Expr(Expr { span, ..bind_expr(name, target, sorted) }))
}

/// `cel.block([a, b], body)` binds `@index0` to `a`, then `@index1` to `b`, and so on.
fn block(_: &mut Expander, call: MacroCall) -> Expanded {
    if !call.is_in("cel") {
        return Ok(Expansion::Unchanged(call));
    }
    let span = call.span.clone();
    let Ok([Expr { kind: ExprKind::List(elements), .. }, body]) = <[Expr; 2]>::try_from(call.args) else {
        return Err(CompileError::new(span, "`cel.block` takes a list literal and an expression"));
    };
    let values = elements.into_iter().map(|element| element.value).enumerate().rev();
    let expr = values.fold(body, |body, (index, value)| bind_expr(format!("@index{index}").into(), value, body));
    Ok(Expansion::Expr(Expr { span, ..expr }))
}

/// `cel.index(2)` is the name `@index2`; `cel.iterVar(0, 1)` is `@it:0:1`.
fn numbered(call: MacroCall, prefix: &str) -> Expanded {
    if !call.is_in("cel") {
        return Ok(Expansion::Unchanged(call));
    }
    let mut name = prefix.to_owned();
    for argument in &call.args {
        let ExprKind::Literal(Val::Int(number)) = &argument.kind else {
            return Err(CompileError::new(argument.span.clone(), "expected an integer literal"));
        };
        if prefix != "@index" {
            name.push(':');
        }
        name.push_str(&number.to_string());
    }
    Ok(Expansion::Expr(Expr::ident(name, call.span)))
}
