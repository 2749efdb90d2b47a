//! Universally unique identifiers: drawn from the seed, and taken apart.

use std::fmt::Write;

use palisade_gotext::random_text;
use palisade_rego_value::{Object, Value};

use super::declare::{builtin, nondeterministic};
use super::{Answer, Builtin, Context, answer, operands};
use crate::types::Type;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    nondeterministic("uuid.rfc4122", &[Type::String], Type::String, draw),
    builtin("uuid.parse", &[Type::String], Type::Object(&Type::String, &Type::Any), |_, operands| {
        Ok(read(operands::string(operands, 1)?).map(|bits| Value::from(describe(bits))))
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

/// The bits of an identifier: plain, with `urn:uuid:` in front, in braces, or without dashes.
fn read(text: &str) -> Option<u128> {
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
    u128::from_str_radix(&digits, 16).ok()
}

/// The fields; those of versions that are random or hashed have none but version and variant.
fn describe(bits: u128) -> Object {
    // So many bits above the lowest ones.
    let field = |above: u32, count: u32| (bits >> above & ((1 << count) - 1)) as i64;
    let version = field(76, 4);
    let variant = match field(61, 3) {
        0b100 | 0b101 => "RFC4122",
        0b110 => "Microsoft",
        0b111 => "Future",
        _ => "Reserved",
    };
    let mut fields = vec![("version", Value::from(version)), ("variant", Value::from(variant))];
    if matches!(version, 1 | 2) {
        let ticks = field(96, 32) | field(80, 16) << 32 | field(64, 12) << 48;
        // From the start of the Gregorian calendar in tenths of a microsecond.
        let time = (ticks - 122_192_928_000_000_000).wrapping_mul(100);
        let mut node = String::new();
        for above in [40, 32, 24, 16, 8, 0] {
            let dash = if node.is_empty() { "" } else { "-" };
            write!(node, "{dash}{:02x}", field(above, 8)).unwrap_or_default();
        }
        let scope = match field(40, 2) {
            0b11 => "local:multicast",
            0b01 => "global:multicast",
            0b10 => "local:unicast",
            _ => "global:unicast",
        };
        fields.extend([
            ("time", Value::from(time)),
            ("nodeid", Value::from(node)),
            ("macvariables", Value::from(scope)),
            ("clocksequence", Value::from(field(48, 14))),
        ]);
        if version == 2 {
            let domain = match field(48, 8) {
                0 => "Person".to_owned(),
                1 => "Group".to_owned(),
                2 => "Org".to_owned(),
                other => format!("Domain{other}"),
            };
            fields.extend([("id", Value::from(field(96, 32))), ("domain", Value::from(domain))]);
        }
    }
    fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect()
}
