//! Optional values, evaluated without building them where the next step takes them apart again.

use super::machine::{Evaluated, Machine};
use super::node::Node;
use super::term::{Term, View};
use crate::{EvalError, Val};

type Part<'a> = Result<Option<Term<'a>>, EvalError>;

impl<'a> Machine<'a, '_> {
    /// The value of `operand.?field` or `operand[?index]`, not wrapped.
    pub(super) fn optional_part(&mut self, node: &'a Node) -> Part<'a> {
        match node {
            Node::SelectOptional(operand, field) => match self.base(operand)? {
                Some(base) => base.optional_field(field),
                None => Ok(None),
            },
            Node::IndexOptional(parts) => {
                let [operand, index] = &**parts;
                let base = self.base(operand)?;
                let index = self.eval(index)?;
                base.map_or(Ok(None), |base| base.optional_element(&index))
            }
            _ => self.optional_content(node),
        }
    }

    /// What an optional selection starts from: a value, or the content of an optional.
    fn base(&mut self, operand: &'a Node) -> Part<'a> {
        if matches!(operand, Node::SelectOptional(..) | Node::IndexOptional(_)) {
            self.budget.spend(1)?;
            return self.optional_part(operand);
        }
        let term = self.eval(operand)?;
        Ok(match content(&term) {
            Content::Of(content) => content,
            Content::NotOptional => Some(term),
        })
    }

    /// The content of a node that must be an optional.
    pub(super) fn optional_content(&mut self, node: &'a Node) -> Part<'a> {
        match node {
            Node::SelectOptional(..) | Node::IndexOptional(_) => {
                self.budget.spend(1)?;
                self.optional_part(node)
            }
            // Plain selections after an optional one stay optional, so they need no wrapping either.
            Node::Select(operand, field) if starts_optional(operand) => {
                self.budget.spend(1)?;
                let base = self.optional_content(operand)?;
                self.field_of_content(base, field)
            }
            _ => {
                let term = self.eval(node)?;
                match content(&term) {
                    Content::Of(content) => Ok(content),
                    Content::NotOptional => {
                        Err(EvalError::NoOverload(format!("`{}` is not optional", term.type_name()).into()))
                    }
                }
            }
        }
    }

    /// The field of what an optional holds.
    pub(super) fn field_of_content(&self, content: Option<Term<'a>>, field: &str) -> Part<'a> {
        let Some(content) = content else { return Ok(None) };
        let part = content.optional_field(field)?;
        if part.is_none() && self.strict && !content.is_map() && !matches!(content.view(), View::Opaque(_)) {
            return Err(EvalError::NoSuchKey(field.into()));
        }
        Ok(part)
    }

    pub(super) fn has_value(&mut self, operand: &'a Node) -> Evaluated<'a> {
        let present = self.optional_content(operand)?.is_some();
        Ok(Term::Own(Val::Bool(present)))
    }

    /// The content of a node, or as `Err` the value itself where it turns out to be no optional: what is there needs no
    /// other value (as in cel-go, which learns the type of a dynamic operand here).
    fn content_or_self(&mut self, node: &'a Node) -> Result<Result<Option<Term<'a>>, Term<'a>>, EvalError> {
        let optional = match node {
            Node::SelectOptional(..) | Node::IndexOptional(_) => true,
            Node::Select(operand, _) => starts_optional(operand),
            _ => false,
        };
        if optional {
            return self.optional_content(node).map(Ok);
        }
        let term = self.eval(node)?;
        Ok(match content(&term) {
            Content::Of(content) => Ok(content),
            Content::NotOptional => Err(term),
        })
    }

    pub(super) fn or_value(&mut self, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [optional, otherwise] = parts;
        match self.content_or_self(optional)? {
            Ok(Some(content)) | Err(content) => Ok(content),
            Ok(None) => self.eval(otherwise),
        }
    }

    pub(super) fn optional_or(&mut self, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [optional, otherwise] = parts;
        match self.content_or_self(optional)? {
            Ok(Some(content)) => Ok(Term::optional(Some(content))),
            Err(plain) => Ok(plain),
            Ok(None) => Ok(self.content_or_self(otherwise)?.map_or_else(|plain| plain, Term::optional)),
        }
    }

    /// A value that is not optional is the result itself. Unlike `orValue`, both sides are always evaluated.
    pub(super) fn or_value_lenient(&mut self, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [operand, otherwise] = parts;
        let value = self.base(operand)?;
        let otherwise = self.eval(otherwise)?;
        Ok(value.unwrap_or(otherwise))
    }
}

/// What a value holds if it is an optional.
enum Content<'a> {
    Of(Option<Term<'a>>),
    NotOptional,
}

fn content<'a>(term: &Term<'a>) -> Content<'a> {
    match term {
        Term::Val(Val::Optional(content)) => Content::Of(content.as_deref().map(Term::Val)),
        _ => match term.view() {
            View::Optional(content) => Content::Of(content.map(|content| Term::Own(content.clone()))),
            _ => Content::NotOptional,
        },
    }
}

/// Whether a chain of plain selections starts at an optional one.
fn starts_optional(node: &Node) -> bool {
    match node {
        Node::SelectOptional(..) | Node::IndexOptional(_) => true,
        Node::Select(operand, _) => starts_optional(operand),
        _ => false,
    }
}
