//! cel-go's regex extension.

use std::borrow::Cow;

use regex::Captures;

use crate::library::mismatch;
use crate::library::re2::Pattern;
use crate::{Call, EvalError, Function, Library, Type, Val};

type Outcome = Result<Val, EvalError>;

/// `regex.replace`, `regex.extract`, `regex.extractAll`.
pub fn library() -> Library {
    use Type::{Int, String};
    Library::of(
        "regex",
        [
            Function::global("regex.replace", [String, String, String], String, replace).pattern(1),
            Function::global("regex.replace", [String, String, String, Int], String, replace).pattern(1),
            Function::global("regex.extract", [String, String], Type::optional(String), extract).pattern(1),
            Function::global("regex.extractAll", [String, String], Type::list(String), extract_all).pattern(1),
        ],
    )
}

fn replace(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let (text, pattern, replacement, limit) = match args {
        [Val::String(text), Val::String(pattern), Val::String(replacement)] => (text, pattern, replacement, -1),
        [Val::String(text), Val::String(pattern), Val::String(replacement), Val::Int(limit)] => {
            (text, pattern, replacement, *limit)
        }
        _ => return Err(mismatch("regex.replace", args)),
    };
    if limit == 0 {
        return Ok(Val::String(text.clone()));
    }
    call.spend_size(text.len())?;
    let compiled = call.pattern(pattern)?;
    let regex = compiled.regex();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(found) = captures.get(0) else { continue };
        out.push_str(text.get(end..found.start()).unwrap_or_default());
        let before = out.len();
        expand(replacement, &captures, &mut out)?;
        call.spend_size(out.len() - before)?;
        end = found.end();
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(Val::from(out))
}

/// Writes the replacement with `\1` to `\9` (and `\0`, the whole match) filled in; `\\` is a backslash.
fn expand(replacement: &str, captures: &Captures<'_>, out: &mut String) -> Result<(), EvalError> {
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('\\') => out.push('\\'),
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).unwrap_or_default() as usize;
                if group >= captures.len() {
                    return Err(EvalError::invalid(format_args!(
                        "the pattern has no group {group} for `{replacement}`"
                    )));
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            _ => {
                let message = "a backslash in a replacement must be followed by a digit or a backslash";
                return Err(EvalError::invalid(message));
            }
        }
    }
    Ok(())
}

fn groups<'a>(call: &mut Call<'a>, pattern: &str, function: &str) -> Result<Cow<'a, Pattern>, EvalError> {
    let compiled = call.pattern(pattern)?;
    if compiled.regex().captures_len() > 2 {
        return Err(EvalError::invalid(format_args!(
            "`{function}` takes a pattern with at most one group, not `{pattern}`"
        )));
    }
    Ok(compiled)
}

fn extract(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::String(text), Val::String(pattern)] = args else { return Err(mismatch("regex.extract", args)) };
    call.spend_size(text.len())?;
    let compiled = groups(call, pattern, "regex.extract")?;
    let regex = compiled.regex();
    let found = regex.captures(text).and_then(|captures| captures.get(regex.captures_len() - 1));
    Ok(found.map_or(Val::none(), |found| Val::some(Val::from(found.as_str()))))
}

fn extract_all(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::String(text), Val::String(pattern)] = args else { return Err(mismatch("regex.extractAll", args)) };
    call.spend_size(text.len())?;
    let compiled = groups(call, pattern, "regex.extractAll")?;
    let regex = compiled.regex();
    let group = regex.captures_len() - 1;
    let found =
        regex.captures_iter(text).filter_map(|captures| captures.get(group).map(|found| Val::from(found.as_str())));
    let found: Vec<Val> = found.collect();
    call.spend(found.len() as u64)?;
    Ok(Val::list(found))
}
