//! `x509.decode(pem)`: certificates and certificate requests as JSON, in the shape of Go's `crypto/x509` structures.
//!
//! Kyverno's JMESPath function `x509_decode` gives the whole structure, its CEL function most of it. Signatures are
//! not verified, and only RSA keys are taken, as upstream.

mod certificate;
mod der;
mod extensions;
mod name;
mod pem;
mod shape;
#[cfg(test)]
mod tests;

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
    let (kind, der) = pem::decode(text).ok_or("failed to decode PEM block")?;
    match kind {
        "CERTIFICATE" => {
            let (fields, serial) = certificate::certificate(&der)?;
            Ok(Decoded::Certificate { fields, serial })
        }
        "CERTIFICATE REQUEST" => certificate::request(&der).map(Decoded::Request),
        _ => Err("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST".into()),
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
