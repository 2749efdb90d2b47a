//! `string.format(list)`: the clauses `%s %d %f %e %b %x %X %o %%`, in cel-go's two dialects.

use super::strings::quote;
use super::text_forms::{format_double, format_duration, format_timestamp};
use crate::{Call, Dict, EvalError, Key, List, Val};

/// Which rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Before version 4 of the extension: elements of collections are written as CEL literals, `%f` and `%e` take
    /// doubles only and write them as in American English.
    Legacy,
    /// Since version 4.
    Current,
}

/// The widest precision that is accepted.
const MAX_PRECISION: usize = 1000;

type Written = Result<String, EvalError>;

pub(super) fn format(call: &mut Call<'_>, template: &str, values: &List, dialect: Dialect) -> Written {
    let mut out = String::with_capacity(template.len());
    let mut values = values.iter().enumerate();
    let mut rest = template;
    while let Some((plain, clause)) = rest.split_once('%') {
        out.push_str(plain);
        if let Some(tail) = clause.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let (precision, verb, tail) = parse_clause(clause)?;
        let Some((_, value)) = values.next() else {
            return Err(EvalError::invalid("`format` has fewer values than clauses"));
        };
        let text = write(verb, precision, &value, dialect)?;
        call.spend_size(text.len())?;
        out.push_str(&text);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// The precision, the verb and what follows the clause.
fn parse_clause(clause: &str) -> Result<(Option<usize>, char, &str), EvalError> {
    let (precision, rest) = match clause.strip_prefix('.') {
        None => (None, clause),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, rest) = rest.split_at_checked(end).unwrap_or(("", rest));
            let precision = digits.parse().ok().filter(|precision| *precision <= MAX_PRECISION);
            (Some(precision.ok_or_else(|| EvalError::invalid("invalid precision in a formatting clause"))?), rest)
        }
    };
    let mut chars = rest.chars();
    let verb = chars.next().ok_or_else(|| EvalError::invalid("unexpected end of the format string"))?;
    if "sdfebxXo".contains(verb) {
        Ok((precision, verb, chars.as_str()))
    } else {
        let message = format!("could not parse formatting clause: unrecognized formatting clause \"{verb}\"");
        Err(EvalError::invalid(message))
    }
}

fn write(verb: char, precision: Option<usize>, value: &Val, dialect: Dialect) -> Written {
    let wrong = |what: &str| {
        let of = value.type_name();
        Err(EvalError::invalid(format_args!("error during formatting: %{verb} takes {what}, was given {of}")))
    };
    match verb {
        's' => text(value, dialect),
        'd' => match value {
            Val::Int(value) => Ok(value.to_string()),
            Val::UInt(value) => Ok(value.to_string()),
            Val::Double(value) if dialect == Dialect::Current => Ok(plain_double(*value)),
            _ => wrong("integers"),
        },
        'f' | 'e' => match (number(value, dialect), verb) {
            (Some(number), 'f') => Ok(fixed(number, precision.unwrap_or(6), dialect)),
            (Some(number), _) => Ok(scientific(number, precision.unwrap_or(6), dialect)),
            (None, _) => wrong("numbers"),
        },
        'b' => match value {
            Val::Int(value) => Ok(signed(*value, |n| format!("{n:b}"))),
            Val::UInt(value) => Ok(format!("{value:b}")),
            Val::Bool(value) => Ok(u8::from(*value).to_string()),
            _ => wrong("integers and bools"),
        },
        'o' => match value {
            Val::Int(value) => Ok(signed(*value, |n| format!("{n:o}"))),
            Val::UInt(value) => Ok(format!("{value:o}")),
            _ => wrong("integers"),
        },
        _ => match hexadecimal(value) {
            Some(text) => Ok(if verb == 'X' { text.to_uppercase() } else { text }),
            None => wrong("integers, strings and bytes"),
        },
    }
}

fn signed(value: i64, digits: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", digits(value.unsigned_abs()))
}

fn hexadecimal(value: &Val) -> Option<String> {
    let bytes = |bytes: &[u8]| {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
    };
    match value {
        Val::Int(value) => Some(signed(*value, |n| format!("{n:x}"))),
        Val::UInt(value) => Some(format!("{value:x}")),
        Val::String(text) => Some(bytes(text.as_bytes())),
        Val::Bytes(content) => Some(bytes(content)),
        _ => None,
    }
}

fn number(value: &Val, dialect: Dialect) -> Option<f64> {
    match value {
        Val::Double(value) => Some(*value),
        Val::Int(value) if dialect == Dialect::Current => Some(*value as f64),
        Val::UInt(value) if dialect == Dialect::Current => Some(*value as f64),
        Val::String(text) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => text.parse().ok(),
        _ => None,
    }
}

fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

fn plain_double(value: f64) -> String {
    not_finite(value).map_or_else(|| value.to_string(), str::to_owned)
}

fn fixed(value: f64, precision: usize, dialect: Dialect) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let text = format!("{value:.precision$}");
    if dialect == Dialect::Current { text } else { grouped(&text) }
}

/// With a comma between groups of three digits.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn scientific(value: f64, precision: usize, dialect: Dialect) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if dialect == Dialect::Current {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let digits = format!("{}{:02}", if exponent < 0 { "-" } else { "" }, exponent.abs());
    let raised: String = digits.chars().map(superscript).collect();
    format!("{mantissa}\u{d7}10{raised}")
}

fn superscript(c: char) -> char {
    match c {
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        '-' => '\u{207b}',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    }
}

/// `%s`.
fn text(value: &Val, dialect: Dialect) -> Written {
    match value {
        Val::List(list) => {
            let items = list.iter().map(|item| nested(&item, dialect)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        Val::Map(map) => map_text(map, dialect),
        Val::Double(value) if dialect == Dialect::Current => Ok(plain_double(*value)),
        Val::Double(value) => Ok(format_double(*value)),
        Val::Optional(_) | Val::Opaque(_) => {
            let of = value.type_name();
            Err(EvalError::invalid(format_args!("error during formatting: %s cannot write {of}")))
        }
        other => Ok(other.to_text()),
    }
}

fn map_text(map: &Dict, dialect: Dialect) -> Written {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        let key = match &key {
            Key::String(text) if dialect == Dialect::Legacy => quote(text),
            key => key.to_json_key().to_string(),
        };
        entries.push((key, nested(&value, dialect)?));
    }
    entries.sort();
    let colon = if dialect == Dialect::Legacy { ":" } else { ": " };
    let entries: Vec<_> = entries.into_iter().map(|(key, value)| format!("{key}{colon}{value}")).collect();
    Ok(format!("{{{}}}", entries.join(", ")))
}

/// An element of a collection; a CEL literal in the legacy dialect.
fn nested(value: &Val, dialect: Dialect) -> Written {
    if dialect == Dialect::Current {
        return text(value, dialect);
    }
    match value {
        Val::String(text) => Ok(quote(text)),
        Val::Bytes(bytes) => Ok(format!("b{}", quote(&String::from_utf8_lossy(bytes)))),
        Val::Double(value) => Ok(not_finite(*value).map_or_else(|| format!("{value:.6}"), quote)),
        Val::Timestamp(moment) => Ok(format!("timestamp({})", quote(&format_timestamp(*moment)))),
        Val::Duration(span) => Ok(format!("duration({})", quote(&format_duration(*span)))),
        other => text(other, dialect),
    }
}
