//! Universally unique identifiers: drawn from the seed, and taken apart.

use std::fmt::Write;

use palisade_model::random_text;

use super::declare::{builtin, nondeterministic};
use super::{Answer, Builtin, Context, answer, operands};
use crate::types::Type;
use crate::value::{Object, Value};

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    nondeterministic("uuid.rfc4122", &[Type::String], Type::String, draw),
    builtin("uuid.parse", &[Type::String], Type::Object(&Type::String, &Type::Any), |_, operands| {
        Ok(read(operands::string(operands, 1)?).map(|bytes| Value::from(describe(bytes))))
    }),
];

/// A random identifier (version 4), the same for the same key.
fn draw(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let key = operands::string(operands, 1)?;
    context.step(key.len() / 8)?;
    let half = |name: &str| u128::from(random_text::seeded(context.seed, format!("{name} {key}").as_bytes()));
    let drawn = half("uuid.rfc4122 high") << 64 | half("uuid.rfc4122 low");
    let bits = drawn & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (position, digit) in digits.chars().enumerate() {
        text.push_str(if matches!(position, 8 | 12 | 16 | 20) { "-" } else { "" });
        text.push(digit);
    }
    answer(text)
}

/// The bytes of an identifier: plain, with `urn:uuid:` in front, in braces, or without dashes.
fn read(text: &str) -> Option<[u8; 16]> {
    let text = match text.len() {
        45 => {
            let (prefix, rest) = text.split_at_checked(9)?;
            Some(rest).filter(|_| prefix.eq_ignore_ascii_case("urn:uuid:"))?
        }
        38 => text.get(1..37)?,
        _ => text,
    };
    let digits = match text.len() {
        36 => {
            let dashes = [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
            Some(text.replace('-', "")).filter(|_| dashes)?
        }
        _ => text.to_owned(),
    };
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

/// The fields; those of versions that are random or hashed have none but version and variant.
fn describe(bytes: [u8; 16]) -> Object {
    let [a, b, c, d, e, f, g, h, i, j, node @ ..] = bytes;
    let version = g >> 4;
    let variant = match i {
        _ if i & 0xc0 == 0x80 => "RFC4122",
        _ if i & 0xe0 == 0xc0 => "Microsoft",
        _ if i & 0xe0 == 0xe0 => "Future",
        _ => "Reserved",
    };
    let mut fields = vec![("version", Value::from(i64::from(version))), ("variant", Value::from(variant))];
    if matches!(version, 1 | 2) {
        let low = u32::from_be_bytes([a, b, c, d]);
        let ticks = i64::from(low)
            | i64::from(u16::from_be_bytes([e, f])) << 32
            | i64::from(g & 0xf) << 56
            | i64::from(h) << 48;
        // From the start of the Gregorian calendar in tenths of a microsecond.
        let time = (ticks - 122_192_928_000_000_000).saturating_mul(100);
        let mut digits = String::new();
        for (position, byte) in node.iter().enumerate() {
            write!(digits, "{}{byte:02x}", if position == 0 { "" } else { "-" }).unwrap_or_default();
        }
        let scope = match node.first().map_or(0, |byte| byte & 3) {
            3 => "local:multicast",
            1 => "global:multicast",
            2 => "local:unicast",
            _ => "global:unicast",
        };
        fields.extend([
            ("time", Value::from(time)),
            ("nodeid", Value::from(digits)),
            ("macvariables", Value::from(scope)),
            ("clocksequence", Value::from(i64::from(u16::from_be_bytes([i & 0x3f, j])))),
        ]);
        if version == 2 {
            let domain = match j {
                0 => "Person".to_owned(),
                1 => "Group".to_owned(),
                2 => "Org".to_owned(),
                other => format!("Domain{other}"),
            };
            fields.extend([("id", Value::from(i64::from(low))), ("domain", Value::from(domain))]);
        }
    }
    fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect()
}
