//! Globs with delimiters, and whether two simple patterns have a text in common.

use std::iter::Peekable;
use std::str::Chars;

use palisade_gotext::go_glob::{self, GlobError};
use palisade_model::Str;
use palisade_rego_value::Value;
use regex::Regex;

use super::declare::builtin;
use super::memory::Language;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const DELIMITERS: Type = Type::OneOf(&[Type::Array(&Type::String), Type::Null]);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("glob.match", &[Type::String, DELIMITERS, Type::String], Type::Boolean, matches),
    builtin("glob.quote_meta", &[Type::String], Type::String, quote),
];

fn matches(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let pattern = operands::string(operands, 1)?;
    let delimiters = delimiters(operands::any(operands, 2)?)?;
    let text = operands::string(operands, 3)?;
    context.step(1 + (pattern.len() + text.len()) / 8)?;
    let language = Language::Glob(delimiters.clone());
    let glob = context.memory.pattern(language, pattern, || compile(pattern, &delimiters))?;
    answer(glob.is_match(text))
}

/// `null` has none, and an empty array means the dot.
fn delimiters(operand: &Value) -> Result<Vec<char>, BuiltinError> {
    let items = match operand {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) if items.is_empty() => return Ok(vec!['.']),
        Value::Array(items) => items,
        other => return Err(operands::wrong_type(2, other, &["array", "null"])),
    };
    let delimiter = |item: &Value| {
        let text = item.as_str().ok_or_else(|| operands::wrong_element(2, operand, item, &["string"]))?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(operands::wrong_element(2, operand, item, &["rune"])),
        }
    };
    items.iter().map(delimiter).collect()
}

fn quote(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let pattern = operands::string(operands, 1)?;
    context.grow(pattern.len() * 2)?;
    let mut quoted = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if matches!(c, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    answer(quoted)
}

fn compile(pattern: &str, delimiters: &[char]) -> Result<Regex, BuiltinError> {
    go_glob::compile(pattern, delimiters).map_err(|error| match error {
        GlobError::Syntax(message) => BuiltinError::failed(message),
        GlobError::TooLarge => BuiltinError::Halt(error.to_string()),
    })
}

/// A piece of a simple pattern: characters that it stands for, and how often.
struct Piece {
    /// Ranges of characters; `None` is any.
    ranges: Option<Vec<(char, char)>>,
    /// Whether there may be none of it.
    optional: bool,
    /// Whether there may be many of it.
    repeated: bool,
}

impl Piece {
    fn meets(&self, other: &Self) -> bool {
        match (&self.ranges, &other.ranges) {
            (Some(a), Some(b)) => a.iter().any(|a| b.iter().any(|b| a.0 <= b.1 && b.0 <= a.1)),
            (Some(ranges), None) | (None, Some(ranges)) => !ranges.is_empty(),
            (None, None) => true,
        }
    }
}

/// `regex.globs_match`: whether a text that is not empty matches both patterns (or both are empty), in which only `.`, `*`, `+`, `[`, `-`,
/// `]` and `\` are special.
pub(super) fn intersect(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (first, second) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    let (first, second) = (pieces(first)?, pieces(second)?);
    let width = second.len() + 1;
    context.collect((first.len() + 1).saturating_mul(width))?;
    // For each pair of positions: whether it is reached, and whether by any character.
    let mut reached = vec![[false; 2]; (first.len() + 1) * width];
    if let Some(start) = reached.first_mut() {
        *start = [true, false];
    }
    for (i, j) in (0..=first.len()).flat_map(|i| (0..width).map(move |j| (i, j))) {
        let (a, b) = (first.get(i), second.get(j));
        let Some(mut state) = reached.get(i * width + j).copied() else { continue };
        let both = a.zip(b).is_some_and(|(a, b)| a.meets(b));
        // Two repeated pieces share characters without moving on.
        state[1] |= state[0] && both && a.zip(b).is_some_and(|(a, b)| a.repeated && b.repeated);
        let moves = [
            // As in OPA, what is left of one pattern when the other has ended is not passed over.
            (1, 0, b.is_some() && a.is_some_and(|a| a.optional), state),
            (0, 1, a.is_some() && b.is_some_and(|b| b.optional), state),
            (1, 1, both, [state[0]; 2]),
            (0, 1, both && a.is_some_and(|a| a.repeated), [state[0]; 2]),
            (1, 0, both && b.is_some_and(|b| b.repeated), [state[0]; 2]),
        ];
        for (down, right, possible, reach) in moves {
            if possible && let Some(to) = reached.get_mut((i + down) * width + j + right) {
                *to = [to[0] | reach[0], to[1] | reach[1]];
            }
        }
    }
    answer(reached.last().is_some_and(|end| end[1]) || (first.is_empty() && second.is_empty()))
}

fn pieces(pattern: &Str) -> Result<Vec<Piece>, BuiltinError> {
    let invalid = |what: &str| BuiltinError::Failed(format!("the input provided is invalid: {what} in `{pattern}`"));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let ranges = match c {
            '.' => None,
            '[' => Some(set(&mut rest).map_err(invalid)?),
            ']' => return Err(invalid("`]` has no `[`")),
            '*' | '+' => return Err(invalid("a flag must be preceded by what is no flag")),
            '\\' => {
                let c = rest.next().ok_or_else(|| invalid("a backslash at the end"))?;
                Some(vec![(c, c)])
            }
            c => Some(vec![(c, c)]),
        };
        let flag = rest.next_if(|c| matches!(c, '*' | '+'));
        pieces.push(Piece { ranges, optional: flag == Some('*'), repeated: flag.is_some() });
    }
    Ok(pieces)
}

/// The characters of a set, of which the bracket is read.
fn set(rest: &mut Peekable<Chars<'_>>) -> Result<Vec<(char, char)>, &'static str> {
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut previous = None;
    loop {
        let c = rest.next().ok_or("`[` has no `]`")?;
        match c {
            ']' => return Ok(ranges),
            '-' => {
                let low = previous.take().ok_or("`-` follows no character")?;
                let high = match rest.next().ok_or("`-` is followed by no character")? {
                    ']' | '-' => return Err("`-` is followed by no character"),
                    '\\' => rest.next().ok_or("a backslash at the end")?,
                    c => c,
                };
                if high < low {
                    return Err("a range is out of order");
                }
                ranges.push((low, high));
            }
            c => {
                let c = if c == '\\' { rest.next().ok_or("a backslash at the end")? } else { c };
                ranges.push((c, c));
                previous = Some(c);
            }
        }
    }
}
