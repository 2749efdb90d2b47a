//! `x509.decode(pem)`: most of a certificate, all of a certificate request.

use palisade_crypto::x509::kyverno::{Decoded, parse};
use palisade_model::{Str, Value};

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

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
