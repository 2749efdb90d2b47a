//! Functions over text, as Go's `strings` package has them.

use palisade_model::Value;

use super::{Answer, Arguments};

pub(super) fn starts_with(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.text(0)?.starts_with(arguments.text(1)?).into())
}

pub(super) fn ends_with(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.text(0)?.ends_with(arguments.text(1)?).into())
}

pub(super) fn join(arguments: &Arguments<'_>) -> Answer {
    let separator = arguments.text(0)?;
    let parts: Vec<&str> = arguments.array(1)?.iter().filter_map(Value::as_str).collect();
    arguments.charge(parts.len())?;
    arguments.charge_text(parts.iter().map(|part| part.len() + separator.len()).sum())?;
    Ok(parts.join(separator).into())
}

pub(super) fn compare(arguments: &Arguments<'_>) -> Answer {
    Ok((arguments.text(0)?.cmp(arguments.text(1)?) as i64).into())
}

pub(super) fn equal_fold(arguments: &Arguments<'_>) -> Answer {
    let fold =
        |text: &str| text.chars().map(|c| one(one(c, char::to_uppercase), char::to_lowercase)).collect::<String>();
    let (left, right) = (arguments.text(0)?, arguments.text(1)?);
    arguments.charge_text(left.len() + right.len())?;
    Ok((fold(left) == fold(right)).into())
}

/// Maps a character where the result is one character, as Go does; others stay.
fn one<I: Iterator<Item = char> + ExactSizeIterator>(c: char, map: fn(char) -> I) -> char {
    let mut mapped = map(c);
    if mapped.len() == 1 { mapped.next().unwrap_or(c) } else { c }
}

pub(super) fn to_upper(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    Ok(text.chars().map(|c| one(c, char::to_uppercase)).collect::<String>().into())
}

pub(super) fn to_lower(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    Ok(text.chars().map(|c| one(c, char::to_lowercase)).collect::<String>().into())
}

pub(super) fn trim(arguments: &Arguments<'_>) -> Answer {
    let set = arguments.text(1)?;
    let text = arguments.text(0)?;
    arguments.charge((text.len() / 16).saturating_mul(set.len() + 1))?;
    Ok(text.trim_matches(|c| set.contains(c)).into())
}

pub(super) fn trim_prefix(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    Ok(text.strip_prefix(arguments.text(1)?).unwrap_or(text).into())
}

pub(super) fn replace_all(arguments: &Arguments<'_>) -> Answer {
    replace_first(arguments, usize::MAX)
}

/// Replaces so many occurrences; all where the number is negative.
pub(super) fn replace(arguments: &Arguments<'_>) -> Answer {
    let count = arguments.number(3)?;
    replace_first(arguments, if count < 0.0 { usize::MAX } else { count as usize })
}

fn replace_first(arguments: &Arguments<'_>, count: usize) -> Answer {
    let (text, old, new) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    arguments.charge_text(text.len() + found.min(count).saturating_mul(new.len() + 16))?;
    Ok(text.replacen(old, new, count).into())
}

/// Cuts at every separator; an empty separator cuts into characters.
pub(super) fn split(arguments: &Arguments<'_>) -> Answer {
    let (text, separator) = (arguments.text(0)?, arguments.text(1)?);
    let parts: Vec<Value> = if separator.is_empty() {
        text.chars().map(|c| Value::from(c.encode_utf8(&mut [0; 4]) as &str)).collect()
    } else {
        text.split(separator).map(Value::from).collect()
    };
    arguments.charge(parts.len())?;
    Ok(parts.into())
}

pub(super) fn to_boolean(arguments: &Arguments<'_>) -> Answer {
    match arguments.text(0)? {
        text if text.eq_ignore_ascii_case("true") => Ok(true.into()),
        text if text.eq_ignore_ascii_case("false") => Ok(false.into()),
        text => Err(arguments.error(format_args!("takes `true` or `false`, not `{text}`"))),
    }
}

pub(super) fn truncate(arguments: &Arguments<'_>) -> Answer {
    let length = arguments.number(1)?.max(0.0) as usize;
    Ok(arguments.text(0)?.chars().take(length).collect::<String>().into())
}

/// The shortest path that means the same, by its text alone; the empty path stays empty.
pub(super) fn path_canonicalize(arguments: &Arguments<'_>) -> Answer {
    let path = arguments.text(0)?;
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    Ok(match (rooted, joined.as_str()) {
        (true, _) => format!("/{joined}").into(),
        (false, "") if !path.is_empty() => ".".into(),
        _ => joined.into(),
    })
}
