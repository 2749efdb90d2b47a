//! cel-go's strings extension. Positions count code points.

use super::format::{Dialect, format};
use crate::library::{Implementation, mismatch};
use crate::{Call, Cost, EvalError, Function, Library, Type, Val};

type Outcome = Result<Val, EvalError>;

/// The extension as of `version`: 3 brings `reverse`, 4 the specification's form of `format` and errors for positions
/// beyond the end of a text. Kubernetes and Kyverno have 2.
pub fn library(version: u32) -> Library {
    use Type::{Int, String};
    let member = |name, params: &[Type], result, call| Function::member(name, params, result, call).cost(Cost::Sizes);
    let texts = || Type::list(String);
    let mut functions = vec![
        member("charAt", &[String, Int], String, char_at),
        member("join", &[texts()], String, join),
        member("join", &[texts(), String], String, join),
        member("lowerAscii", &[String], String, |_, args| map_text(args, str::to_ascii_lowercase)),
        member("upperAscii", &[String], String, |_, args| map_text(args, str::to_ascii_uppercase)),
        member("trim", &[String], String, |_, args| map_text(args, |text| text.trim().to_owned())),
        member("replace", &[String, String, String], String, replace),
        member("replace", &[String, String, String, Int], String, replace),
        member("split", &[String, String], texts(), split),
        member("split", &[String, String, Int], texts(), split),
        member("substring", &[String, Int], String, substring),
        member("substring", &[String, Int, Int], String, substring),
        Function::global("strings.quote", [String], String, |_, args| map_text(args, quote)).cost(Cost::Sizes),
    ];
    if version >= 3 {
        functions
            .push(member("reverse", &[String], String, |_, args| map_text(args, |text| text.chars().rev().collect())));
    }
    let (format, index, last): (Implementation, Implementation, Implementation) = if version >= 4 {
        (
            |call, args| format_text(call, args, Dialect::Current),
            |_, args| index_of(args, true),
            |_, args| last_index_of(args, true),
        )
    } else {
        (
            |call, args| format_text(call, args, Dialect::Legacy),
            |_, args| index_of(args, false),
            |_, args| last_index_of(args, false),
        )
    };
    functions.extend([
        member("format", &[String, Type::list(Type::Dyn)], String, format),
        member("indexOf", &[String, String], Int, index),
        member("indexOf", &[String, String, Int], Int, index),
        member("lastIndexOf", &[String, String], Int, last),
        member("lastIndexOf", &[String, String, Int], Int, last),
    ]);
    Library::of("strings", functions)
}

fn format_text(call: &mut Call<'_>, args: &[Val], dialect: Dialect) -> Outcome {
    let [Val::String(template), Val::List(values)] = args else { return Err(mismatch("format", args)) };
    format(call, template, values, dialect).map(Val::from)
}

fn map_text(args: &[Val], map: impl Fn(&str) -> String) -> Outcome {
    match args {
        [Val::String(text)] => Ok(Val::from(map(text))),
        _ => Err(mismatch("text", args)),
    }
}

fn out_of_range(index: i64) -> EvalError {
    EvalError::invalid(format_args!("index out of range: {index}"))
}

/// The byte offset of a character; the length for the one after the last.
fn offset(text: &str, index: i64) -> Result<usize, EvalError> {
    let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
    let mut offsets = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    offsets.nth(wanted).ok_or_else(|| out_of_range(index))
}

fn char_at(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::String(text), Val::Int(index)] = args else { return Err(mismatch("charAt", args)) };
    let at = offset(text, *index)?;
    let found = text.get(at..).and_then(|rest| rest.chars().next());
    Ok(Val::from(found.map(String::from).unwrap_or_default()))
}

fn position(text: &str, at: usize) -> Val {
    Val::size(text.get(..at).unwrap_or_default().chars().count())
}

/// The byte offset of a character; unless ranges are checked, positions beyond the end are the end.
fn start(text: &str, index: i64, checked: bool) -> Result<usize, EvalError> {
    match offset(text, index) {
        Err(_) if !checked && index >= 0 => Ok(text.len()),
        found => found,
    }
}

fn index_of(args: &[Val], checked: bool) -> Outcome {
    let (text, part, from) = match args {
        [Val::String(text), Val::String(part)] => (text, part, 0),
        [Val::String(text), Val::String(part), Val::Int(from)] => (text, part, start(text, *from, checked)?),
        _ => return Err(mismatch("indexOf", args)),
    };
    let found = text.get(from..).unwrap_or_default().find(&**part);
    Ok(found.map_or(Val::Int(-1), |at| position(text, from + at)))
}

fn last_index_of(args: &[Val], checked: bool) -> Outcome {
    let (text, part, last) = match args {
        [Val::String(text), Val::String(part)] => (text, part, text.len()),
        [Val::String(text), Val::String(part), Val::Int(last)] => match offset(text, *last) {
            Err(_) if !checked && *last >= 0 && !part.is_empty() => return Ok(Val::Int(-1)),
            Err(_) if !checked && *last >= 0 => (text, part, text.len()),
            last => (text, part, last?),
        },
        _ => return Err(mismatch("lastIndexOf", args)),
    };
    // The match may begin at the last position at the latest.
    let end = last.saturating_add(part.len()).min(text.len());
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let found = text.get(..end).unwrap_or_default().rfind(&**part);
    Ok(found.map_or(Val::Int(-1), |at| position(text, at)))
}

fn join(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let (list, separator) = match args {
        [Val::List(list)] => (list, ""),
        [Val::List(list), Val::String(separator)] => (list, &**separator),
        _ => return Err(mismatch("join", args)),
    };
    let mut out = String::new();
    for (at, item) in list.iter().enumerate() {
        let Val::String(text) = &item else {
            return Err(EvalError::invalid(format_args!("`join` takes strings, not `{}`", item.type_name())));
        };
        call.spend_size(text.len() + separator.len())?;
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(Val::from(out))
}

fn replace(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let (text, old, new, limit) = match args {
        [Val::String(text), Val::String(old), Val::String(new)] => (text, old, new, -1),
        [Val::String(text), Val::String(old), Val::String(new), Val::Int(limit)] => (text, old, new, *limit),
        _ => return Err(mismatch("replace", args)),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = text.matches(&**old).take(limit).count();
    call.spend_size(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(Val::from(text.replacen(&**old, new, limit)))
}

fn split(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let (text, separator, limit) = match args {
        [Val::String(text), Val::String(separator)] => (text, separator, -1),
        [Val::String(text), Val::String(separator), Val::Int(limit)] => (text, separator, *limit),
        _ => return Err(mismatch("split", args)),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let parts: Vec<Val> = if separator.is_empty() {
        split_characters(text, limit)
    } else {
        text.splitn(limit, &**separator).map(Val::from).collect()
    };
    call.spend(parts.len() as u64)?;
    Ok(Val::list(parts))
}

/// One character each, the last one with the rest.
fn split_characters(text: &str, limit: usize) -> Vec<Val> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next().filter(|_| limit > 0) {
        let length = if parts.len() + 1 == limit { rest.len() } else { c.len_utf8() };
        let (part, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        parts.push(Val::from(part));
        rest = tail;
    }
    parts
}

fn substring(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    let (text, from, to) = match args {
        [Val::String(text), Val::Int(from)] => (text, offset(text, *from)?, text.len()),
        [Val::String(text), Val::Int(from), Val::Int(to)] => {
            if from > to {
                return Err(EvalError::invalid(format_args!("invalid substring range: start {from}, end {to}")));
            }
            (text, offset(text, *from)?, offset(text, *to)?)
        }
        _ => return Err(mismatch("substring", args)),
    };
    Ok(Val::from(text.get(from..to).unwrap_or_default()))
}

/// The text in double quotes, with escapes for what does not print.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
