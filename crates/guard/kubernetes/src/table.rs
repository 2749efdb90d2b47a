//! The kinds that an API server has, with the types that they are made of: the reader of `data/`.
//!
//! The format, in lines: `kind API_VERSION KIND TYPE` names the type of a kind; a line of one word begins a type; an
//! indented line is a field of it, `NAME SHAPE [MARKS] [=DEFAULT]`. A shape is `string`, `int`, `number`, `bool`,
//! `quantity`, `int-or-string`, `any`, the name of a type, a list `[SHAPE]` or a map `{SHAPE}`. Marks: `!` where the
//! field is required, `0` where an empty value counts as absent, `?` where the default depends on other fields
//! (`conditions`). The default is JSON. Types of one name that differ by where they stand are told apart by a number:
//! `PodSpec~2`.

use std::collections::HashMap;
use std::sync::LazyLock;

use palisade_model::{Str, Value};

use crate::conditions::{self, Condition};

/// The kinds of Kubernetes 1.35, the newest that was asked.
pub(crate) static NEWEST: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("../data/1.35.txt")));

/// Kinds and types of one version of Kubernetes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    kinds: HashMap<(&'static str, &'static str), usize>,
    types: Vec<Type>,
}

/// An object with known fields.
#[derive(Debug, Default)]
pub(crate) struct Type {
    /// In order of their names.
    fields: Vec<Field>,
    /// What is filled in where the field is absent, whatever the others say.
    pub(crate) defaults: Vec<(Str, Value)>,
    /// What else is filled in.
    pub(crate) condition: Option<Condition>,
}

/// A field of a type.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    /// What it holds.
    pub(crate) shape: Shape,
    /// Whether an empty value is dropped.
    pub(crate) empty_is_absent: bool,
}

/// What a field holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Shape {
    /// Something that stays as it is.
    Plain,
    /// An amount.
    Quantity,
    /// An object of this type.
    Of(usize),
    /// A list.
    List(Box<Shape>),
    /// Members by any name.
    Map(Box<Shape>),
}

impl Table {
    /// The type of a kind.
    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Option<&Type> {
        let kinds: &HashMap<(&str, &str), usize> = &self.kinds;
        self.types.get(*kinds.get(&(api_version, kind))?)
    }

    /// The type with a number.
    pub(crate) fn of(&self, number: usize) -> Option<&Type> {
        self.types.get(number)
    }

    /// A line that is not of the form is passed over; a test reads the table strictly.
    fn read(text: &'static str) -> Self {
        let is_type = |line: &&str| !line.starts_with([' ', '#']) && !line.contains(' ') && !line.is_empty();
        let numbers: HashMap<&str, usize> = text.lines().filter(is_type).zip(0..).collect();
        let mut table = Self::default();
        for line in text.lines() {
            if let Some(field) = line.strip_prefix(' ') {
                if let Some(of) = table.types.last_mut() {
                    of.take(field, &numbers);
                }
            } else if let Some((api_version, (kind, of))) = line
                .strip_prefix("kind ")
                .and_then(|rest| rest.split_once(' '))
                .and_then(|(api_version, rest)| Some((api_version, rest.split_once(' ')?)))
            {
                table.kinds.extend(numbers.get(of).map(|number| ((api_version, kind), *number)));
            } else if is_type(&line) {
                let name = line.split('~').next().unwrap_or(line);
                table.types.push(Type { condition: conditions::of(name), ..Type::default() });
            }
        }
        table
    }
}

impl Type {
    /// The field called `name`.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        self.fields.get(at)
    }

    fn take(&mut self, line: &'static str, numbers: &HashMap<&str, usize>) {
        let (line, default) = line.split_once('=').unwrap_or((line, ""));
        let mut words = line.split_whitespace();
        let (Some(name), Some(shape)) = (words.next(), words.next()) else { return };
        let marks = words.next().unwrap_or_default();
        if !default.is_empty()
            && !marks.contains('?')
            && let Ok(value) = Value::from_json(default)
        {
            self.defaults.push((name.into(), value));
        }
        let empty_is_absent = marks.contains('0');
        self.fields.push(Field { name, shape: Shape::read(shape, numbers), empty_is_absent });
    }
}

impl Shape {
    fn read(text: &str, numbers: &HashMap<&str, usize>) -> Self {
        let inside = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let around = |item: &str, make: fn(Box<Self>) -> Self| match Self::read(item, numbers) {
            Self::Plain => Self::Plain,
            shape => make(Box::new(shape)),
        };
        match (inside('[', ']'), inside('{', '}')) {
            (Some(item), _) => around(item, Self::List),
            // Members that are null are dropped from a map, whatever it holds.
            (_, Some(item)) => Self::Map(Box::new(Self::read(item, numbers))),
            _ if text == "quantity" => Self::Quantity,
            _ => numbers.get(text).map_or(Self::Plain, |number| Self::Of(*number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let text = include_str!("../data/1.35.txt");
        let types: Vec<&str> = text.lines().filter(|line| !line.contains([' ', '#'])).collect();
        let words = ["string", "int", "number", "bool", "quantity", "int-or-string", "any"];
        let mut of = "";
        let mut before = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(rest) = line.strip_prefix("kind ") {
                let parts: Vec<&str> = rest.split(' ').collect();
                assert!(parts.len() == 3 && NEWEST.kind(parts[0], parts[1]).is_some(), "{line}");
            } else if let Some(field) = line.strip_prefix(' ') {
                let (field, default) = field.split_once('=').unwrap_or((field, "null"));
                assert!(Value::from_json(default).is_ok(), "{of}:{line}");
                let parts: Vec<&str> = field.split_whitespace().collect();
                let shape = parts[1].trim_matches(['[', ']', '{', '}']);
                assert!(words.contains(&shape) || types.contains(&shape), "{of}:{line}");
                assert!(before < parts[0], "{of}:{line}: not in order");
                let marks = parts.get(2).copied().unwrap_or_default();
                assert!(marks.chars().all(|mark| "!0?".contains(mark)), "{of}:{line}");
                // A job's are filled in where the job is.
                let is_handled = of.starts_with("JobSpec") || conditions::of(of.split('~').next().unwrap()).is_some();
                assert!(!marks.contains('?') || is_handled, "{of}:{line}: nothing fills it in");
                before = parts[0];
            } else {
                (of, before) = (line, "");
            }
        }
        assert!(types.len() > 250 && NEWEST.kinds.len() > 45, "{} types", types.len());
    }
}
