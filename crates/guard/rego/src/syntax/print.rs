//! Terms and conditions as text in one canonical form, for traces and messages.
//!
//! Operators are written between their operands, with parentheses around nested ones; strings are quoted; wildcards
//! are `_`. Deliberately absent: formatting of files, which would have to keep comments and line breaks.

use std::fmt::{self, Display, Formatter, Write};

use palisade_rego_value::Value;

use super::ast::{Body, Else, Expression, ExpressionKind, Head, HeadKind, Operand, TemplatePart, Term, TermKind};

/// The sign of an operator's function.
pub(super) fn sign(function: &Term) -> Option<&'static str> {
    let TermKind::Variable(name) = &function.kind else { return None };
    Some(match &**name {
        "equal" => "==",
        "neq" => "!=",
        "lt" => "<",
        "lte" => "<=",
        "gt" => ">",
        "gte" => ">=",
        "plus" => "+",
        "minus" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        "and" => "&",
        "or" => "|",
        "internal.member_2" | "internal.member_3" => "in",
        _ => return None,
    })
}

fn separated<T>(
    f: &mut Formatter<'_>,
    separator: &str,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        f.write_str(if position == 0 { "" } else { separator })?;
        write(f, item)?;
    }
    Ok(())
}

/// A name as it is written: wildcards have numbers in the tree.
fn shown(name: &str) -> &str {
    if name.starts_with('$') { "_" } else { name }
}

fn terms(f: &mut Formatter<'_>, items: &[Term]) -> fmt::Result {
    separated(f, ", ", items, element)
}

/// A term in a list, where `|` could begin the conditions of a comprehension and a comma ends the term.
fn element(f: &mut Formatter<'_>, term: &Term) -> fmt::Result {
    match &term.kind {
        TermKind::Call(function, arguments) if sign(function) == Some("|") || arguments.len() == 3 => operand(f, term),
        _ => term.fmt(f),
    }
}

fn body(f: &mut Formatter<'_>, body: &Body) -> fmt::Result {
    separated(f, "; ", body, |f, expression| expression.fmt(f))
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Scalar(value) => value.fmt(f),
            TermKind::Number(number) => number.fmt(f),
            TermKind::Variable(name) => f.write_str(shown(name)),
            TermKind::Reference(head, parts) => {
                operand(f, head)?;
                parts.iter().try_for_each(|part| write_part(f, part))
            }
            TermKind::Call(function, arguments) => call(f, function, arguments),
            TermKind::Array(items) => {
                f.write_char('[')?;
                terms(f, items)?;
                f.write_char(']')
            }
            TermKind::Set(items) if items.is_empty() => f.write_str("set()"),
            TermKind::Set(items) => {
                f.write_char('{')?;
                terms(f, items)?;
                f.write_char('}')
            }
            TermKind::Object(members) => {
                f.write_char('{')?;
                separated(f, ", ", members, |f, (key, value)| {
                    element(f, key)?;
                    f.write_str(": ")?;
                    element(f, value)
                })?;
                f.write_char('}')
            }
            TermKind::ArrayComprehension(head, conditions) => {
                f.write_char('[')?;
                operand(f, head)?;
                conditions_after(f, conditions)?;
                f.write_char(']')
            }
            TermKind::SetComprehension(head, conditions) => {
                f.write_char('{')?;
                operand(f, head)?;
                conditions_after(f, conditions)?;
                f.write_char('}')
            }
            TermKind::ObjectComprehension(key, value, conditions) => {
                f.write_char('{')?;
                element(f, key)?;
                f.write_str(": ")?;
                operand(f, value)?;
                conditions_after(f, conditions)?;
                f.write_char('}')
            }
            TermKind::Template(parts) => template(f, parts),
        }
    }
}

fn conditions_after(f: &mut Formatter<'_>, conditions: &Body) -> fmt::Result {
    f.write_str(" | ")?;
    body(f, conditions)
}

/// `.name` where the part is a text that can be a name, `[..]` otherwise.
fn write_part(f: &mut Formatter<'_>, part: &Term) -> fmt::Result {
    if let TermKind::Scalar(Value::String(text)) = &part.kind
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
    {
        return write!(f, ".{text}");
    }
    write!(f, "[{part}]")
}

fn call(f: &mut Formatter<'_>, function: &Term, arguments: &[Term]) -> fmt::Result {
    match (sign(function), arguments) {
        (Some(sign), [left, right]) => {
            operand(f, left)?;
            write!(f, " {sign} ")?;
            operand(f, right)
        }
        (Some(sign), [key, value, collection]) => {
            operand(f, key)?;
            f.write_str(", ")?;
            operand(f, value)?;
            write!(f, " {sign} ")?;
            operand(f, collection)
        }
        _ => {
            write!(f, "{function}(")?;
            terms(f, arguments)?;
            f.write_char(')')
        }
    }
}

fn operand(f: &mut Formatter<'_>, term: &Term) -> fmt::Result {
    match &term.kind {
        TermKind::Call(function, arguments) if sign(function).is_some() && arguments.len() > 1 => write!(f, "({term})"),
        _ => term.fmt(f),
    }
}

fn template(f: &mut Formatter<'_>, parts: &[TemplatePart]) -> fmt::Result {
    f.write_str("$\"")?;
    for part in parts {
        match part {
            TemplatePart::Text(text) => {
                let quoted = Value::String(text.clone()).to_string().replace('{', "\\{");
                let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                f.write_str(inside.unwrap_or(&quoted))?;
            }
            TemplatePart::Expression(expression) => write!(f, "{{{expression}}}")?,
        }
    }
    f.write_char('"')
}

/// What `not`, `and` and `or` are about.
fn side(f: &mut Formatter<'_>, inner: &Operand) -> fmt::Result {
    match inner.body.as_slice() {
        [only] if !inner.explicit && only.with.is_empty() && !is_logical(&only.kind) => only.fmt(f),
        [only] if !inner.explicit => write!(f, "({only})"),
        conditions => {
            f.write_str("{ ")?;
            separated(f, "; ", conditions, |f, expression| expression.fmt(f))?;
            f.write_str(" }")
        }
    }
}

fn is_logical(kind: &ExpressionKind) -> bool {
    matches!(kind, ExpressionKind::And(..) | ExpressionKind::Or(..))
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negated { "not " } else { "" })?;
        match &self.kind {
            ExpressionKind::Term(term) => term.fmt(f)?,
            ExpressionKind::Assign(left, right) => write!(f, "{left} := {right}")?,
            ExpressionKind::Unify(left, right) => write!(f, "{left} = {right}")?,
            ExpressionKind::Some(names) => {
                f.write_str("some ")?;
                separated(f, ", ", names, |f, (name, _)| f.write_str(shown(name)))?;
            }
            ExpressionKind::SomeIn { key, value, collection } => {
                f.write_str("some ")?;
                key.iter().try_for_each(|key| write!(f, "{key}, "))?;
                write!(f, "{value} in {collection}")?;
            }
            ExpressionKind::Every { key, value, collection, body: conditions } => {
                f.write_str("every ")?;
                key.iter().try_for_each(|(key, _)| write!(f, "{}, ", shown(key)))?;
                write!(f, "{} in {collection} {{ ", shown(&value.0))?;
                body(f, conditions)?;
                f.write_str(" }")?;
            }
            ExpressionKind::Not(inner) => {
                f.write_str("not ")?;
                side(f, inner)?;
            }
            ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) => {
                side(f, left)?;
                f.write_str(if matches!(self.kind, ExpressionKind::And(..)) { " and " } else { " or " })?;
                side(f, right)?;
            }
        }
        self.with.iter().try_for_each(|with| write!(f, " with {} as {}", with.target, with.value))
    }
}

impl Display for Head {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts = self.reference.iter();
        parts.next().iter().try_for_each(|name| name.fmt(f))?;
        parts.try_for_each(|part| write_part(f, part))?;
        let operator = if self.assign { ":=" } else { "=" };
        let value = match &self.kind {
            HeadKind::Contains(element) => return write!(f, " contains {element}"),
            HeadKind::Value(value) => value,
            HeadKind::Function(parameters, value) => {
                f.write_char('(')?;
                terms(f, parameters)?;
                f.write_char(')')?;
                value
            }
        };
        value.iter().try_for_each(|value| write!(f, " {operator} {value}"))
    }
}

impl Display for Else {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("else")?;
        let operator = if self.assign { ":=" } else { "=" };
        self.value.iter().try_for_each(|value| write!(f, " {operator} {value}"))?;
        if self.body.is_empty() {
            return Ok(());
        }
        f.write_str(" if { ")?;
        body(f, &self.body)?;
        f.write_str(" }")
    }
}
