//! `x509.decode(pem)`: certificates and certificate requests as JSON, in the shape of Go's `crypto/x509` structures.
//!
//! Kyverno's JMESPath function `x509_decode` gives the whole structure, its CEL function most of it. Numbers are
//! doubles, signatures are not verified, and only RSA keys are taken, as upstream.

#[cfg(test)]
mod tests;

use palisade_crypto::x509::{Certificate, Request};
use palisade_crypto::{PublicKey, decimal, pem};
use palisade_model::{Map, Str, Value};

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

/// A certificate or certificate request in PEM as the JSON of Go's `x509.Certificate` or `x509.CertificateRequest`.
pub fn decode(pem: &str) -> Result<Value, String> {
    Ok(match parse(pem)? {
        Decoded::Certificate { fields, .. } | Decoded::Request(fields) => Value::object(fields),
    })
}

enum Decoded {
    /// Fields, and the low 64 bits of the serial number.
    Certificate {
        fields: Map,
        serial: i64,
    },
    Request(Map),
}

fn parse(text: &str) -> Result<Decoded, String> {
    let (block, _) = pem::decode(text).ok_or("failed to decode PEM block")?;
    match block.kind {
        "CERTIFICATE" => {
            let certificate = Certificate::read(&block.bytes)?;
            let number = certificate.serial_decimal();
            let serial = &certificate.serial;
            let low = serial.get(serial.len().saturating_sub(8)..).unwrap_or(serial);
            let low = low.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            let mut fields = with_doubles(&certificate.fields);
            fields.insert("SerialNumber", Value::Float(number.parse().unwrap_or(f64::INFINITY)));
            fields.insert("PublicKey", public_key(&certificate.key)?);
            Ok(Decoded::Certificate { fields, serial: low.cast_signed() })
        }
        "CERTIFICATE REQUEST" => {
            let request = Request::read(&block.bytes)?;
            let mut fields = with_doubles(&request.fields);
            fields.insert("PublicKey", public_key(&request.key)?);
            Ok(Decoded::Request(fields))
        }
        _ => Err("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST".into()),
    }
}

/// Modulus and exponent of an RSA key; Kyverno takes no other.
fn public_key(key: &PublicKey) -> Result<Value, String> {
    let PublicKey::Rsa { modulus, exponent } = key else { return Err("certificate should use rsa algorithm".into()) };
    let mut fields = Map::new();
    fields.insert("N", decimal(modulus));
    fields.insert("E", Value::Float((*exponent).into()));
    Ok(Value::object(fields))
}

fn with_doubles(fields: &Map) -> Map {
    fields.iter().map(|(name, value)| (name.clone(), doubles(value))).collect()
}

fn doubles(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(*number as f64),
        Value::Array(items) => Value::array(items.iter().map(doubles).collect::<Vec<_>>()),
        Value::Object(fields) => Value::object(with_doubles(fields)),
        other => other.clone(),
    }
}
/// What the CEL function leaves out of a certificate.
const LEFT_OUT: [&str; 15] = [
    "SignatureAlgorithm",
    "Version",
    "Subject",
    "UnhandledCriticalExtensions",
    "UnknownExtKeyUsage",
    "SubjectKeyId",
    "URIs",
    "Policies",
    "InhibitAnyPolicy",
    "InhibitAnyPolicyZero",
    "InhibitPolicyMapping",
    "InhibitPolicyMappingZero",
    "RequireExplicitPolicy",
    "RequireExplicitPolicyZero",
    "PolicyMappings",
];

pub(super) fn library() -> Library {
    let decode = Function::global("x509.decode", [Type::String], Type::Dyn, decode_function).cost(Cost::Sizes);
    Library::of("kyverno.x509", [decode])
}

fn decode_function(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("x509.decode", args)) };
    call.spend_size(text.len())?;
    let fields = match parse(text).map_err(EvalError::invalid)? {
        Decoded::Request(fields) => fields,
        Decoded::Certificate { mut fields, serial } => {
            fields.retain(|name: &Str, _| !LEFT_OUT.contains(&&**name));
            fields.insert("SerialNumber", serial as f64);
            fields
        }
    };
    Ok(Val::from(Value::object(fields)))
}
