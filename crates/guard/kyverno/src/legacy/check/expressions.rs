//! Expressions: whether they parse, and call functions that exist with as many arguments as those take.
//!
//! Variables within variables have no value before the rule runs, so something stands in for them that fits where they
//! are. Deliberately absent: whether the names that an expression starts from have a value (`variables`).

use palisade_jmespath::Query;
use palisade_model::{Path, Segment, Value};

use crate::legacy::codes;
use crate::legacy::spec::Reader;
use crate::legacy::variables::variables_of;

/// What a variable within an expression may turn out to be: a value, an index, a name.
pub(super) const STAND_INS: [&str; 3] = ["null", "0", "a"];

/// How many variables of one text are looked at.
const MAX_ROUNDS: usize = 1_000;
const MAX_DEPTH: usize = 256;

/// What is wrong with an expression itself.
pub(super) fn problem(expression: &str) -> Option<String> {
    match Query::parse(expression) {
        Err(error) => Some(format!("`{expression}` is no JMESPath expression: {error}")),
        Ok(query) => query.wrong_call().map(|wrong| format!("`{expression}` can never have a value: {wrong}")),
    }
}

/// The first problem that `find` sees in the expressions of a text, innermost first, whatever stands in for those inside.
pub(super) fn first_problem<P>(text: &str, find: impl Fn(&str) -> Option<P>) -> Option<P> {
    let mut first = None;
    for stand_in in STAND_INS {
        match problem_with(text, stand_in, &find) {
            None => return None,
            found => first = first.or(found),
        }
    }
    first
}

fn problem_with<P>(text: &str, stand_in: &str, find: impl Fn(&str) -> Option<P>) -> Option<P> {
    let mut current = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let variables = variables_of(&current);
        let variable = variables.first()?;
        let expression = variable.expression();
        if expression != "@"
            && let Some(problem) = find(&expression)
        {
            return Some(problem);
        }
        let to = format!("{}{stand_in}", variable.prefix());
        current = current.replacen(variable.with_prefix(), &to, 1);
    }
    None
}

/// Reports the expressions of a document that can never have a value, for kinds that check nothing else of them.
pub(in crate::legacy) fn document(reader: &mut Reader<'_>, value: &Value, path: &Path) {
    each_text(value, path, 0, &mut |text, path| {
        if let Some(message) = first_problem(text, problem) {
            reader.error(codes::INVALID_VARIABLE, path, message, "correct the expression");
        }
    });
}

/// Calls `visit` with every text of a document, keys included, and its place.
pub(super) fn each_text(value: &Value, path: &Path, depth: usize, visit: &mut dyn FnMut(&str, &Path)) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::String(text) => visit(text, path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_text(item, &path.child(Segment::Index(index)), depth + 1, visit);
            }
        }
        Value::Object(map) => {
            for (key, item) in map.iter() {
                let path = path.child(&**key);
                visit(key, &path);
                each_text(item, &path, depth + 1, visit);
            }
        }
        _ => {}
    }
}
