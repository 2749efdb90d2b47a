//! A token in its compact form: header, payload and signature.

use palisade_rego_value::Value;

use crate::builtins::{BuiltinError, go_base64, operands};

/// The parts of a token, still encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    /// Header and payload, which is what is signed.
    pub(super) signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, BuiltinError> {
        let mut parts = text.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(payload), Some(signature), None) => {
                let (signed, _) = text.rsplit_once('.').unwrap_or((text, ""));
                Ok(Self { signed, header, payload, signature })
            }
            (_, None, ..) => Err(BuiltinError::failed("encoded JWT had no period separators")),
            _ => {
                let found = text.split('.').count();
                Err(BuiltinError::Failed(format!("encoded JWT must have 3 sections, found {found}")))
            }
        }
    }

    pub(super) fn of(operands: &'a [Value]) -> Result<Self, BuiltinError> {
        Self::read(operands::string(operands, 1)?)
    }

    /// The header, an object.
    pub(super) fn header(&self) -> Result<Value, BuiltinError> {
        let text = decode(self.header, "header")?;
        let header = read_object(&text).map_err(|error| BuiltinError::Failed(format!("bad JWT header: {error}")))?;
        if header.get_str("enc").is_some() {
            return Err(BuiltinError::failed("JWT is a JWE object, which is not supported"));
        }
        Ok(header)
    }

    /// The text of the payload.
    pub(super) fn payload(&self) -> Result<String, BuiltinError> {
        decode(self.payload, "payload")
    }

    /// The bytes of the signature.
    pub(super) fn signature(&self) -> Result<Vec<u8>, String> {
        go_base64::decode_url(self.signature)
    }
}

fn decode(text: &str, part: &str) -> Result<String, BuiltinError> {
    let bytes = go_base64::decode_url(text);
    let bytes = bytes.map_err(|error| BuiltinError::Failed(format!("JWT {part} had invalid encoding: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// JSON text of an object.
pub(super) fn read_object(text: &str) -> Result<Value, String> {
    let value = Value::from_json(text).map_err(|error| format!("invalid JSON: {error}"))?;
    if value.as_object().is_some() { Ok(value) } else { Err("decoded JSON type was not an Object".into()) }
}
