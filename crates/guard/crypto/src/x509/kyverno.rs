//! Certificates and certificate requests as Kyverno's functions show them: JMESPath's `x509_decode` the whole structure,
//! CEL's `x509.decode` most of it.
//!
//! Numbers are doubles, signatures are not verified, and only RSA keys are taken, as upstream.

#[cfg(test)]
mod tests;

use palisade_gotext::go_json::with_doubles;
use palisade_model::{Map, Value};

use super::{Certificate, Request};
use crate::{PublicKey, decimal, pem};

/// What a PEM block holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// A certificate.
    Certificate {
        /// The fields of Go's `x509.Certificate`.
        fields: Map,
        /// The low 64 bits of the serial number.
        serial: i64,
    },
    /// The fields of Go's `x509.CertificateRequest`.
    Request(Map),
}

/// A certificate or certificate request in PEM as the JSON of Go's `x509.Certificate` or `x509.CertificateRequest`.
pub fn decode(pem: &str) -> Result<Value, String> {
    Ok(match parse(pem)? {
        Decoded::Certificate { fields, .. } | Decoded::Request(fields) => Value::object(fields),
    })
}

/// The first certificate or certificate request of a PEM text.
pub fn parse(text: &str) -> Result<Decoded, String> {
    let (block, _) = pem::decode(text).ok_or("failed to decode PEM block")?;
    match block.kind {
        "CERTIFICATE" => {
            let certificate = Certificate::read(&block.bytes)?;
            let number = certificate.serial_decimal();
            let serial = &certificate.serial;
            let low = serial.get(serial.len().saturating_sub(8)..).unwrap_or(serial);
            let low = low.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            let mut fields = doubled(&certificate.fields);
            fields.insert("SerialNumber", Value::Float(number.parse().unwrap_or(f64::INFINITY)));
            fields.insert("PublicKey", public_key(&certificate.key)?);
            Ok(Decoded::Certificate { fields, serial: low.cast_signed() })
        }
        "CERTIFICATE REQUEST" => {
            let request = Request::read(&block.bytes)?;
            let mut fields = doubled(&request.fields);
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

fn doubled(fields: &Map) -> Map {
    fields.iter().map(|(name, value)| (name.clone(), with_doubles(value))).collect()
}
