//! Values while a template runs, as Go's reflection sees them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use palisade_model::{Budget, Spent, Str};

use crate::go_fmt::Argument;

/// A value of the data or of the template's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Nothing: a key that is not there, `null`, `nil`.
    Missing,
    /// A boolean.
    Bool(bool),
    /// Text.
    Text(Str),
    /// A `json.Number`, which is a kind of text.
    Number(Str),
    /// An `int`.
    Int(i64),
    /// A `float64`.
    Float(f64),
    /// A list.
    List(Arc<[Item]>),
    /// Members by name.
    Map(Arc<BTreeMap<Str, Item>>),
}

impl Item {
    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Bool(value) => *value,
            Self::Text(text) => !text.is_empty(),
            Self::Number(_) => true,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::List(items) => !items.is_empty(),
            Self::Map(members) => !members.is_empty(),
        }
    }

    /// The name of its type in Go.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "<nil>",
            Self::Bool(_) => "bool",
            Self::Text(_) => "string",
            Self::Number(_) => "json.Number",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// The text that strings and numbers of the data are.
    pub(super) fn text(&self) -> Option<&Str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// As `fmt` prints it with `%v`.
    pub(super) fn print(&self, text: &mut String) {
        match self {
            Self::Missing => text.push_str("<nil>"),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Text(value) | Self::Number(value) => text.push_str(value),
            Self::Int(value) => write!(text, "{value}").unwrap_or_default(),
            Self::Float(value) => text.push_str(&Argument::Float(*value).to_text()),
            Self::List(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position == 0 { "" } else { " " });
                    item.print(text);
                }
                text.push(']');
            }
            Self::Map(members) => {
                text.push_str("map[");
                for (position, (key, item)) in members.iter().enumerate() {
                    text.push_str(if position == 0 { "" } else { " " });
                    text.push_str(key);
                    text.push(':');
                    item.print(text);
                }
                text.push(']');
            }
        }
    }

    /// As an argument of `printf`.
    pub(super) fn argument(&self) -> Argument {
        match self {
            Self::Int(value) => Argument::Literal(*value),
            Self::Float(value) => Argument::Float(*value),
            Self::Bool(value) => Argument::Bool(*value),
            Self::Text(text) => Argument::Text(text.to_string()),
            other => {
                let mut text = String::new();
                other.print(&mut text);
                Argument::Other(other.type_name(), text)
            }
        }
    }

    /// The order of two items of one kind; `None` where they have none.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            _ => Some(self.text()?.cmp(other.text()?)),
        }
    }

    /// Draws what its text takes, of which parts may stand in many places.
    pub(super) fn weigh(&self, budget: &mut Budget) -> Result<(), Spent> {
        match self {
            Self::Text(text) | Self::Number(text) => budget.grow(text.len() + 2)?,
            Self::List(items) => items.iter().try_for_each(|item| item.weigh(budget))?,
            Self::Map(members) => {
                for (key, item) in members.iter() {
                    budget.grow(key.len() + 2)?;
                    item.weigh(budget)?;
                }
            }
            Self::Missing | Self::Bool(_) | Self::Int(_) | Self::Float(_) => budget.grow(8)?,
        }
        budget.step(1)
    }
}
