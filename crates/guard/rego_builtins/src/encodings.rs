//! Text encodings: Base64, hexadecimal, URL queries.
//!
//! Go's strings may hold any bytes and ours hold text: of bytes that are not UTF-8, each becomes `U+FFFD`.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use palisade_gotext::go_base64::{self, Alphabet};
use palisade_gotext::go_url::{query_escape, query_unescape};
use palisade_gotext::go_utf8::text_of;
use palisade_model::hex;
use palisade_rego_value::Value;

use super::declare::{STRINGS, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const ONE: &[Type] = &[Type::String];
const QUERY: Type = Type::Object(&Type::String, &Type::OneOf(&[Type::String, STRINGS]));

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("base64.encode", ONE, Type::String, |context, operands| {
        encode(context, operands, |text| BASE64_STANDARD.encode(text))
    }),
    builtin("base64.decode", ONE, Type::String, |context, operands| {
        decode(context, operands, |text| go_base64::decode(text, Alphabet::Standard))
    }),
    builtin("base64.is_valid", ONE, Type::Boolean, |context, operands| {
        let Value::String(text) = operands::any(operands, 1)? else { return answer(false) };
        context.grow(text.len())?;
        answer(go_base64::decode(text, Alphabet::Standard).is_ok())
    }),
    builtin("base64url.encode", ONE, Type::String, |context, operands| {
        encode(context, operands, |text| BASE64_URL_SAFE.encode(text))
    }),
    builtin("base64url.encode_no_pad", ONE, Type::String, |context, operands| {
        encode(context, operands, |text| BASE64_URL_SAFE_NO_PAD.encode(text))
    }),
    builtin("base64url.decode", ONE, Type::String, |context, operands| {
        decode(context, operands, go_base64::decode_url)
    }),
    builtin("hex.encode", ONE, Type::String, |context, operands| {
        encode(context, operands, |text| hex(text.as_bytes()))
    }),
    builtin("hex.decode", ONE, Type::String, |context, operands| decode(context, operands, bytes_of_hex)),
    builtin("urlquery.encode", ONE, Type::String, |context, operands| encode(context, operands, query_escape)),
    builtin("urlquery.decode", ONE, Type::String, |context, operands| decode(context, operands, query_unescape)),
    builtin("urlquery.encode_object", &[QUERY], Type::String, encode_object),
    builtin("urlquery.decode_object", ONE, Type::Object(&Type::String, &Type::Array(&Type::String)), decode_object),
];

fn encode(context: &mut Context<'_>, operands: &[Value], encode: fn(&str) -> String) -> Answer {
    let text = operands::string(operands, 1)?;
    context.grow(text.len().saturating_mul(3))?;
    answer(encode(text))
}

fn decode(context: &mut Context<'_>, operands: &[Value], decode: fn(&str) -> Result<Vec<u8>, String>) -> Answer {
    let text = operands::string(operands, 1)?;
    context.grow(text.len().saturating_mul(3))?;
    answer(text_of(&decode(text).map_err(BuiltinError::Failed)?))
}

fn bytes_of_hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| {
        let shown =
            if byte.is_ascii_graphic() || byte > 0xa0 { format!(" '{}'", char::from(byte)) } else { String::new() };
        char::from(byte)
            .to_digit(16)
            .ok_or_else(|| format!("encoding/hex: invalid byte: U+{:04X}{shown}", u32::from(byte)))
    };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        match pair {
            [high, low] => bytes.push((digit(*high)? << 4 | digit(*low)?) as u8),
            [odd, ..] => {
                digit(*odd)?;
                return Err("encoding/hex: odd length hex string".to_owned());
            }
            [] => {}
        }
    }
    Ok(bytes)
}

fn encode_object(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let wrong = || operands::invalid(1, "values must be string, array[string], or set[string]");
    let mut query = String::new();
    let mut add = |context: &mut Context<'_>, key: &str, value: &Value| {
        let value = value.as_str().ok_or_else(wrong)?;
        context.grow((key.len() + value.len()).saturating_mul(3))?;
        if !query.is_empty() {
            query.push('&');
        }
        query.extend([&*query_escape(key), "=", &*query_escape(value)]);
        Ok::<_, BuiltinError>(())
    };
    for (key, value) in operands::object(operands, 1)?.iter() {
        let key = key.to_key();
        match value {
            Value::String(_) => add(context, &key, value)?,
            other => {
                for value in other.as_elements().ok_or_else(wrong)? {
                    add(context, &key, value)?;
                }
            }
        }
    }
    answer(query)
}

fn decode_object(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    context.grow(text.len().saturating_mul(4))?;
    let read = |text: &str| query_unescape(text).map(|bytes| text_of(&bytes)).map_err(BuiltinError::Failed);
    let mut members = std::collections::BTreeMap::<String, Vec<Value>>::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return Err(BuiltinError::failed("invalid semicolon separator in query"));
        }
        context.collect(2)?;
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        members.entry(read(key)?).or_default().push(Value::from(read(value)?));
    }
    answer(Value::object(members.into_iter().map(|(key, values)| (Value::from(key), Value::array(values))).collect()))
}
