//! The verbs of Go's `fmt`.

use std::fmt::Write;

use num_bigint::{BigInt, Sign};

use crate::go_float::with_exponent;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the format language")]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Flags {
    /// Writes a piece, filled up to the width.
    pub(super) fn pad(self, text: &mut String, piece: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(piece.chars().count());
        if !self.minus {
            text.extend(std::iter::repeat_n(if self.zero { '0' } else { ' ' }, missing));
        }
        text.push_str(piece);
        if self.minus {
            text.extend(std::iter::repeat_n(' ', missing));
        }
    }

    fn sign(self, negative: bool) -> &'static str {
        match self {
            _ if negative => "-",
            Self { plus: true, .. } => "+",
            Self { space: true, .. } => " ",
            _ => "",
        }
    }
}

/// `%t` and `%v` of a boolean; whether the verb fits.
pub(super) fn boolean(text: &mut String, value: bool, verb: char, flags: Flags) -> bool {
    if !matches!(verb, 't' | 'v') {
        return false;
    }
    flags.pad(text, if value { "true" } else { "false" });
    true
}

/// The verbs of an `int`; whether the verb fits.
pub(super) fn integer(text: &mut String, value: &BigInt, verb: char, flags: Flags) -> bool {
    match verb {
        'v' => digits(text, value, 'd', Flags { sharp: false, ..flags }),
        'd' | 'b' | 'o' | 'O' | 'x' | 'X' => digits(text, value, verb, flags),
        'c' => flags.pad(text, &character(value).to_string()),
        'q' => flags.pad(text, &quoted(&character(value).to_string(), '\'', flags.plus)),
        'U' => {
            let c = character(value);
            let digits = format!("{value:X}");
            let mut piece =
                format!("U+{}{digits}", "0".repeat(flags.precision.unwrap_or(4).max(4).saturating_sub(digits.len())));
            if flags.sharp && !quoted(&c.to_string(), '\'', false).contains('\\') {
                write!(piece, " '{c}'").unwrap_or_default();
            }
            Flags { zero: false, ..flags }.pad(text, &piece);
        }
        _ => return false,
    }
    true
}

/// The verbs of a `*big.Int`; whether the verb fits.
pub(super) fn big_integer(text: &mut String, value: &BigInt, verb: char, flags: Flags) -> bool {
    match verb {
        'v' | 's' | 'd' => digits(text, value, 'd', flags),
        'b' | 'o' | 'O' | 'x' | 'X' => digits(text, value, verb, flags),
        _ => return false,
    }
    true
}

fn character(value: &BigInt) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn digits(text: &mut String, value: &BigInt, verb: char, flags: Flags) {
    let negative = value.sign() == Sign::Minus;
    let base = match verb {
        'b' => 2,
        'o' | 'O' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let mut piece = value.magnitude().to_str_radix(base);
    let sign = flags.sign(negative);
    let least = match flags.precision {
        Some(0) if value == &BigInt::ZERO => {
            Flags { zero: false, ..flags }.pad(text, "");
            return;
        }
        Some(precision) => precision,
        None if flags.zero => flags.width.unwrap_or(0).saturating_sub(sign.len()),
        None => 0,
    };
    piece.insert_str(0, &"0".repeat(least.saturating_sub(piece.len())));
    let prefix = match verb {
        'O' => "0o",
        'b' if flags.sharp => "0b",
        'o' if flags.sharp && !piece.starts_with('0') => "0",
        'x' | 'X' if flags.sharp => "0x",
        _ => "",
    };
    piece.insert_str(0, prefix);
    if verb == 'X' {
        piece.make_ascii_uppercase();
    }
    piece.insert_str(0, sign);
    Flags { zero: false, ..flags }.pad(text, &piece);
}

/// The verbs of a `float64`; whether the verb fits.
pub(super) fn float(text: &mut String, value: f64, verb: char, flags: Flags) -> bool {
    let piece = match verb {
        'v' | 'g' | 'G' => general(value.abs(), flags.precision),
        'f' | 'F' => format!("{:.*}", flags.precision.unwrap_or(6), value.abs()),
        'e' | 'E' => with_exponent(&format!("{:.*e}", flags.precision.unwrap_or(6), value.abs())),
        'b' => {
            let bits = value.abs().to_bits();
            let (mantissa, exponent) = (bits & ((1 << 52) - 1), (bits >> 52).cast_signed());
            let mantissa = if exponent == 0 { mantissa } else { mantissa | 1 << 52 };
            format!("{mantissa}p{:+}", exponent.max(1) - 1075)
        }
        'x' | 'X' => hexadecimal(value.abs(), flags.precision),
        _ => return false,
    };
    let piece = if verb.is_ascii_uppercase() { piece.to_uppercase() } else { piece };
    let sign = flags.sign(value.is_sign_negative());
    if flags.zero {
        text.push_str(sign);
        let width = flags.width.map(|width| width.saturating_sub(sign.len()));
        Flags { width, ..flags }.pad(text, &piece);
    } else {
        flags.pad(text, &format!("{sign}{piece}"));
    }
    true
}

/// `%g`: an exponent where it is below -4 or not below the precision, for which the shortest form has 6.
fn general(value: f64, precision: Option<usize>) -> String {
    let significant = precision.map(|precision| precision.clamp(1, 1_000_000));
    let scientific = match significant {
        Some(precision) => format!("{value:.*e}", precision - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let limit = match significant.map(|precision| i64::try_from(precision).unwrap_or(i64::MAX)) {
        None => 6,
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
    };
    if exponent < -4 || exponent >= limit {
        return with_exponent(&format!("{value:.*e}", digits.len() - 1));
    }
    format!("{value:.*}", usize::try_from(count - 1 - exponent).unwrap_or(0))
}

/// `0x1.8p+01`
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52).cast_signed());
    let (mut mantissa, mut exponent) = match (fraction, exponent) {
        (0, 0) => (0, 0),
        (fraction, 0) => {
            let shift = fraction.leading_zeros() - 11;
            (fraction << shift, -1022 - i64::from(shift))
        }
        (fraction, exponent) => (fraction | 1 << 52, exponent - 1023),
    };
    if let Some(digits) = precision.filter(|digits| *digits < 13) {
        let cut = 52 - 4 * digits as u32;
        let half = 1_u64 << (cut - 1);
        let rest = mantissa & ((1 << cut) - 1);
        mantissa >>= cut;
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
        mantissa <<= cut;
        if mantissa >> 53 == 1 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(precision) => digits.chars().chain(std::iter::repeat('0')).take(precision).collect(),
    };
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{}{point}{digits}p{sign}{:02}", mantissa >> 52, exponent.abs())
}

/// The verbs of a `string`; whether the verb fits.
pub(super) fn string(text: &mut String, value: &str, verb: char, flags: Flags) -> bool {
    let cut = |value: &str| -> String { value.chars().take(flags.precision.unwrap_or(usize::MAX)).collect() };
    match verb {
        'v' if flags.sharp => flags.pad(text, &quoted(&cut(value), '"', false)),
        's' | 'v' => flags.pad(text, &cut(value)),
        'q' => {
            let value = cut(value);
            let raw = flags.sharp
                && !value.contains(|c: char| matches!(c, '`' | '\u{feff}' | '\u{7f}') || (c < ' ' && c != '\t'));
            flags.pad(text, &if raw { format!("`{value}`") } else { quoted(&value, '"', flags.plus) });
        }
        'x' | 'X' => {
            let bytes = value.as_bytes();
            let bytes = bytes.get(..flags.precision.unwrap_or(bytes.len())).unwrap_or(bytes);
            let mut piece = String::new();
            for (position, byte) in bytes.iter().enumerate() {
                piece.push_str(if flags.space && position > 0 { " " } else { "" });
                piece.push_str(if flags.sharp && (flags.space || position == 0) { "0x" } else { "" });
                write!(piece, "{byte:02x}").unwrap_or_default();
            }
            if verb == 'X' {
                piece.make_ascii_uppercase();
            }
            flags.pad(text, &piece);
        }
        _ => return false,
    }
    true
}

/// A text in quotes as Go's `strconv.Quote` writes it, or with ASCII only.
pub fn quoted(value: &str, quote: char, ascii: bool) -> String {
    let mut text = String::from(quote);
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            c if c == quote => text.extend(['\\', quote]),
            '\0'..=' ' | '\u{7f}' if c != ' ' => write!(text, "\\x{:02x}", u32::from(c)).unwrap_or_default(),
            c if c.is_ascii() || (!ascii && is_printable(c)) => text.push(c),
            c if u32::from(c) > 0xffff => write!(text, "\\U{:08x}", u32::from(c)).unwrap_or_default(),
            c => write!(text, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
        }
    }
    text.push(quote);
    text
}

/// Whether a character prints as itself. Behind another one, Rust escapes exactly what does not.
fn is_printable(c: char) -> bool {
    let behind: String = ['a', c].iter().collect();
    !behind.escape_debug().any(|c| c == '\\')
}
