//! Lists, maps and objects.

use std::ops::Range;

use palisade_model::Str;

use super::names::candidate_names;
use super::{Compiler, Typed};
use crate::program::fold_constant;
use crate::program::node::{Construction, Item, Node};
use crate::syntax::{Element, Entry, Expr};
use crate::{CompileError, Type};

impl Compiler<'_> {
    pub(super) fn list(&mut self, elements: &[Element]) -> Typed {
        let mut joined = None;
        let mut types = Vec::new();
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let (item, of) = self.item(&element.value, element.optional);
            types.push((of.clone(), element.value.span.clone()));
            joined = Some(self.inference.join(joined, of));
            items.push(item);
        }
        self.remember(types);
        let of = joined.unwrap_or_else(|| self.inference.fresh());
        (fold_constant(Node::List(items.into())), self.known(Type::list(of)))
    }

    pub(super) fn map(&mut self, entries: &[Entry]) -> Typed {
        let (mut keys, mut values) = (None, None);
        let (mut key_types, mut value_types) = (Vec::new(), Vec::new());
        let mut nodes = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, key_type) = self.expr(&entry.key);
            let key_type = self.scalar(&key_type);
            let (item, of) = self.item(&entry.value, entry.optional);
            key_types.push((key_type.clone(), entry.key.span.clone()));
            value_types.push((of.clone(), entry.value.span.clone()));
            keys = Some(self.inference.join(keys, key_type));
            values = Some(self.inference.join(values, of));
            nodes.push((key, item));
        }
        self.remember(key_types);
        self.remember(value_types);
        let keys = keys.unwrap_or_else(|| self.inference.fresh());
        let values = values.unwrap_or_else(|| self.inference.fresh());
        (fold_constant(Node::Map(nodes.into())), self.known(Type::map(keys, values)))
    }

    /// Types of keys stay small, so that types cannot double with every level: a collection is no key anyway.
    fn scalar(&self, of: &Type) -> Type {
        match self.inference.resolve(of, false) {
            Type::List(_) | Type::Map(_) | Type::Optional(_) | Type::Opaque(..) => Type::Dyn,
            other => other,
        }
    }

    /// A value that may be an optional to be left out.
    fn item(&mut self, value: &Expr, optional: bool) -> (Item, Type) {
        let (node, of) = self.expr(value);
        let of = if optional { self.optional_content(&of, &value.span) } else { of };
        (Item { optional, value: node }, of)
    }

    /// The type of what an optional holds.
    fn optional_content(&mut self, of: &Type, span: &Range<usize>) -> Type {
        match self.inference.resolve(of, false) {
            Type::Optional(of) => (*of).clone(),
            other => {
                let content = self.inference.fresh();
                self.expect(&Type::optional(content.clone()), &other, span, "a value after `?`");
                content
            }
        }
    }

    fn remember(&mut self, types: Vec<(Type, Range<usize>)>) {
        if self.check && self.env.homogeneous_aggregates() && self.exempt == 0 && types.len() > 1 {
            self.aggregates.push(types);
        }
    }

    /// Reports literals whose elements differ, once all types are known.
    pub(super) fn check_aggregates(&mut self) {
        for types in std::mem::take(&mut self.aggregates) {
            let mut types = types.into_iter().map(|(of, span)| (self.inference.resolve(&of, true), span));
            let Some((first, _)) = types.next() else { continue };
            if let Some((other, span)) = types.find(|(of, _)| *of != first) {
                let message = format!("expected type `{first}` but found `{other}`");
                let help = "the elements of a literal must have one type: wrap each in `dyn()`";
                self.errors.push(CompileError::new(span, message).help(help));
            }
        }
    }

    pub(super) fn structure(&mut self, name: &Str, fields: &[(Str, Element)], span: &Range<usize>) -> Typed {
        let names = candidate_names(self.env.container(), name);
        let structs = &self.env.registry().structs;
        let found = names
            .into_iter()
            .find_map(|name| structs.iter().find(|family| family.matches(&name)).map(|family| (name, *family)));
        let Some((name, family)) = found else {
            let error = CompileError::new(span.clone(), format!("unknown type `{name}`"));
            return self.error(error.help("for a map, leave the name out and quote the keys"));
        };
        let mut nodes = Vec::with_capacity(fields.len());
        for (field, element) in fields {
            let (item, of) = self.item(&element.value, element.optional);
            if let Some(expected) = (family.field)(&name, field) {
                self.expect(&expected, &of, &element.value.span, &format!("field `{field}`"));
            } else {
                let message = format!("undefined field `{field}` of `{name}`");
                self.error(CompileError::new(element.value.span.clone(), message));
            }
            nodes.push((field.clone(), item));
        }
        // What builds the object is a library's own, and may look at the surroundings.
        self.contextual = true;
        let of = self.known(Type::Object(name.clone()));
        (Node::Struct(Box::new(Construction { name, of: family, fields: nodes })), of)
    }
}
