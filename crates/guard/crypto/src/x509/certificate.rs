//! Certificates and certificate requests in the JSON shape of Go's `x509.Certificate` and `x509.CertificateRequest`.

use jiff::civil::DateTime;
use palisade_model::{Map, Value};

use super::extensions::{self, Extension};
use super::go_json::{bytes, list, object, oid_value};
use super::name;
use crate::der::{Element, Reader, decimal, tag, to_i64};
use crate::key::PublicKey;

/// Members of a certificate that only extensions set, with the values they have without any.
const UNSET: [(&str, Value); 34] = [
    ("KeyUsage", Value::Int(0)),
    ("Extensions", Value::Null),
    ("ExtraExtensions", Value::Null),
    ("UnhandledCriticalExtensions", Value::Null),
    ("ExtKeyUsage", Value::Null),
    ("UnknownExtKeyUsage", Value::Null),
    ("BasicConstraintsValid", Value::Bool(false)),
    ("IsCA", Value::Bool(false)),
    ("MaxPathLen", Value::Int(0)),
    ("MaxPathLenZero", Value::Bool(false)),
    ("SubjectKeyId", Value::Null),
    ("AuthorityKeyId", Value::Null),
    ("OCSPServer", Value::Null),
    ("IssuingCertificateURL", Value::Null),
    ("DNSNames", Value::Null),
    ("EmailAddresses", Value::Null),
    ("IPAddresses", Value::Null),
    ("URIs", Value::Null),
    ("PermittedDNSDomainsCritical", Value::Bool(false)),
    ("PermittedDNSDomains", Value::Null),
    ("ExcludedDNSDomains", Value::Null),
    ("PermittedIPRanges", Value::Null),
    ("ExcludedIPRanges", Value::Null),
    ("PermittedEmailAddresses", Value::Null),
    ("ExcludedEmailAddresses", Value::Null),
    ("PermittedURIDomains", Value::Null),
    ("ExcludedURIDomains", Value::Null),
    ("CRLDistributionPoints", Value::Null),
    ("PolicyIdentifiers", Value::Null),
    ("Policies", Value::Null),
    ("InhibitAnyPolicy", Value::Int(0)),
    ("InhibitPolicyMapping", Value::Int(0)),
    ("RequireExplicitPolicy", Value::Int(0)),
    ("PolicyMappings", Value::Null),
];

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The members of Go's `x509.Certificate`, but for `SerialNumber` and `PublicKey`, whose numbers have any size.
    pub fields: Map,
    /// The serial number, big endian.
    pub serial: Vec<u8>,
    /// The subject's key.
    pub key: PublicKey,
    /// The whole encoding.
    pub raw: Vec<u8>,
    /// What is signed.
    pub signed: Vec<u8>,
    /// The signature over [`Certificate::signed`].
    pub signature: Vec<u8>,
    /// Go's number of the signature's algorithm; 0 for one that Go does not know.
    pub algorithm: i64,
    /// The subject's name, encoded.
    pub subject: Vec<u8>,
    /// The issuer's name, encoded.
    pub issuer: Vec<u8>,
    /// The first and the last second of its validity.
    pub validity: [DateTime; 2],
    /// The URIs among the alternative names.
    pub uris: Vec<String>,
}

impl Certificate {
    /// Reads one certificate and nothing else.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        match Self::read_all(der)?.as_mut_slice() {
            [certificate] => Ok(certificate.clone()),
            [] => Err("x509: malformed certificate".into()),
            _ => Err("x509: trailing data".into()),
        }
    }

    /// Reads certificates that follow one another.
    pub fn read_all(der: &[u8]) -> Result<Vec<Self>, String> {
        let mut input = Reader::new(der);
        let mut certificates = Vec::new();
        while !input.is_empty() {
            let whole = input.expect(tag::SEQUENCE).ok_or("x509: malformed certificate")?;
            certificates.push(read(&whole)?);
        }
        Ok(certificates)
    }

    /// The serial number in decimal.
    pub fn serial_decimal(&self) -> String {
        decimal(&self.serial)
    }
}

fn read(whole: &Element<'_>) -> Result<Certificate, String> {
    let mut input = whole.reader();
    let signed = input.expect(tag::SEQUENCE).ok_or("x509: malformed tbs certificate")?;
    let outer = input.expect(tag::SEQUENCE).ok_or("x509: malformed algorithm identifier")?;
    let mut body = signed.reader();
    let version = read_version(&mut body)?;
    let serial = body.integer().ok_or("x509: malformed serial number")?;
    if serial.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err("x509: negative serial number".into());
    }
    let inner = body.expect(tag::SEQUENCE).ok_or("x509: malformed signature algorithm identifier")?;
    if inner.body != outer.body {
        return Err("x509: inner and outer signature algorithm identifiers don't match".into());
    }
    let issuer = body.expect(tag::SEQUENCE).ok_or("x509: malformed issuer")?;
    let validity = body.enter(tag::SEQUENCE).ok_or("x509: malformed validity")?;
    let subject = body.expect(tag::SEQUENCE).ok_or("x509: malformed issuer")?;
    let key = body.expect(tag::SEQUENCE).ok_or("x509: malformed spki")?;

    let algorithm = signature_algorithm(inner.reader())?;
    let public_key = PublicKey::read(key.reader())?;
    let mut map = Map::with_capacity(56);
    map.insert("Raw", bytes(whole.raw));
    map.insert("RawTBSCertificate", bytes(signed.raw));
    map.insert("RawSubjectPublicKeyInfo", bytes(key.raw));
    map.insert("RawSubject", bytes(subject.raw));
    map.insert("RawIssuer", bytes(issuer.raw));
    map.insert("Issuer", name::decode(issuer.reader())?);
    map.insert("Subject", name::decode(subject.reader())?);
    map.insert("SignatureAlgorithm", Value::Int(algorithm));
    map.insert("PublicKeyAlgorithm", Value::Int(public_key.algorithm()));
    map.insert("Version", Value::Int(version));
    let validity = read_validity(validity, &mut map)?;
    let uris = read_extensions(body, version, &mut map)?;
    let signature = input.bit_string().ok_or("x509: malformed signature")?;
    map.insert("Signature", bytes(&signature));
    Ok(Certificate {
        fields: map,
        serial: serial.to_vec(),
        key: public_key,
        raw: whole.raw.to_vec(),
        signed: signed.raw.to_vec(),
        signature,
        algorithm,
        subject: subject.raw.to_vec(),
        issuer: issuer.raw.to_vec(),
        validity,
        uris,
    })
}

fn read_version(body: &mut Reader<'_>) -> Result<i64, String> {
    if !body.next_is(tag::constructed(0)) {
        return Ok(1);
    }
    let version = body.enter(tag::constructed(0)).and_then(|mut version| version.small_integer());
    match version.ok_or("x509: malformed version")? {
        version @ 0..=2 => Ok(version + 1),
        _ => Err("x509: invalid version".into()),
    }
}

fn read_validity(mut validity: Reader<'_>, map: &mut Map) -> Result<[DateTime; 2], String> {
    let mut read = |name: &str| {
        let time = validity.any().and_then(|time| read_time(&time)).ok_or("x509: malformed time")?;
        map.insert(name, format!("{}Z", time.strftime("%Y-%m-%dT%H:%M:%S")));
        Ok::<_, String>(time)
    };
    Ok([read("NotBefore")?, read("NotAfter")?])
}

/// Two-digit years are those of 1950 to 2049.
fn read_time(element: &Element<'_>) -> Option<DateTime> {
    let text = std::str::from_utf8(element.body).ok()?.strip_suffix('Z')?;
    let text = match element.tag {
        tag::UTC_TIME if text.len() == 12 => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        tag::GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i8>().ok());
    let year = text.get(..4)?.parse().ok()?;
    DateTime::new(year, part(4..6)?, part(6..8)?, part(8..10)?, part(10..12)?, part(12..14)?, 0).ok()
}

fn read_extensions(mut body: Reader<'_>, version: i64, map: &mut Map) -> Result<Vec<String>, String> {
    for (name, value) in UNSET {
        map.insert(name, value);
    }
    for name in ["InhibitAnyPolicyZero", "InhibitPolicyMappingZero", "RequireExplicitPolicyZero"] {
        map.insert(name, false);
    }
    for unique in [tag::context(1), tag::context(2)] {
        if version > 1 && body.next_is(unique) {
            body.any().ok_or("x509: malformed unique identifier")?;
        }
    }
    if version < 3 || !body.next_is(tag::constructed(3)) {
        return Ok(Vec::new());
    }
    let sequence = body.enter(tag::constructed(3)).and_then(|mut extensions| extensions.enter(tag::SEQUENCE));
    let extensions = extensions::read_all(sequence.ok_or("x509: malformed extensions")?)?;
    let mut unhandled = Vec::new();
    for extension in &extensions {
        if !extensions::apply(extension, map)? && extension.critical {
            unhandled.push(oid_value(&extension.id));
        }
    }
    map.insert("Extensions", list(extensions.iter().map(Extension::to_value).collect()));
    map.insert("UnhandledCriticalExtensions", list(unhandled));
    Ok(extensions::uris(&extensions))
}

/// Go's number of a signature algorithm; 0 for what it does not know.
fn signature_algorithm(mut identifier: Reader<'_>) -> Result<i64, String> {
    let kind = identifier.oid().ok_or("x509: malformed OID")?;
    Ok(match *kind.as_slice() {
        [1, 2, 840, 113_549, 1, 1, 4] => 2,
        [1, 2, 840, 113_549, 1, 1, 5] | [1, 3, 14, 3, 2, 29] => 3,
        [1, 2, 840, 113_549, 1, 1, 11] => 4,
        [1, 2, 840, 113_549, 1, 1, 12] => 5,
        [1, 2, 840, 113_549, 1, 1, 13] => 6,
        [1, 2, 840, 113_549, 1, 1, 10] => pss_algorithm(identifier).unwrap_or(0),
        [1, 2, 840, 10040, 4, 3] => 7,
        [2, 16, 840, 1, 101, 3, 4, 3, 2] => 8,
        [1, 2, 840, 10045, 4, 1] => 9,
        [1, 2, 840, 10045, 4, 3, 2] => 10,
        [1, 2, 840, 10045, 4, 3, 3] => 11,
        [1, 2, 840, 10045, 4, 3, 4] => 12,
        [1, 3, 101, 112] if identifier.is_empty() => 16,
        _ => 0,
    })
}

/// RSA-PSS names its hash in parameters; the salt must be as long as the hash.
fn pss_algorithm(mut identifier: Reader<'_>) -> Option<i64> {
    let mut parameters = identifier.enter(tag::SEQUENCE)?;
    let hash = parameters.enter(tag::constructed(0))?.enter(tag::SEQUENCE)?.oid()?;
    let mut generator = parameters.enter(tag::constructed(1))?.enter(tag::SEQUENCE)?;
    let generator_kind = generator.oid()?;
    let generator_hash = generator.enter(tag::SEQUENCE)?.oid()?;
    let salt = to_i64(parameters.enter(tag::constructed(2))?.integer()?)?;
    if generator_kind != [1, 2, 840, 113_549, 1, 1, 8] || generator_hash != hash {
        return None;
    }
    match (hash.as_slice(), salt) {
        ([2, 16, 840, 1, 101, 3, 4, 2, 1], 32) => Some(13),
        ([2, 16, 840, 1, 101, 3, 4, 2, 2], 48) => Some(14),
        ([2, 16, 840, 1, 101, 3, 4, 2, 3], 64) => Some(15),
        _ => None,
    }
}

const EXTENSION_REQUEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 14];

/// A certificate request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The members of Go's `x509.CertificateRequest`, but for `PublicKey`, whose numbers have any size.
    pub fields: Map,
    /// The subject's key.
    pub key: PublicKey,
}

impl Request {
    /// Reads one request and nothing else.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        const WRONG: &str = "asn1: structure error: malformed certificate request";
        let mut input = Reader::new(der);
        let whole = input.expect(tag::SEQUENCE).ok_or(WRONG)?;
        if !input.is_empty() {
            return Err("asn1: syntax error: trailing data".into());
        }
        let mut input = whole.reader();
        let signed = input.expect(tag::SEQUENCE).ok_or(WRONG)?;
        let algorithm = input.enter(tag::SEQUENCE).ok_or(WRONG)?;
        let mut body = signed.reader();
        let version = body.small_integer().ok_or(WRONG)?;
        let subject = body.expect(tag::SEQUENCE).ok_or(WRONG)?;
        let spki = body.expect(tag::SEQUENCE).ok_or(WRONG)?;
        let attributes = body.enter(tag::constructed(0)).ok_or(WRONG)?;
        let key = PublicKey::read(spki.reader())?;

        let mut map = Map::with_capacity(18);
        map.insert("Raw", bytes(whole.raw));
        map.insert("RawTBSCertificateRequest", bytes(signed.raw));
        map.insert("RawSubjectPublicKeyInfo", bytes(spki.raw));
        map.insert("RawSubject", bytes(subject.raw));
        map.insert("Version", Value::Int(version));
        map.insert("Signature", bytes(&input.bit_string().ok_or(WRONG)?));
        map.insert("SignatureAlgorithm", Value::Int(signature_algorithm(algorithm)?));
        map.insert("PublicKeyAlgorithm", Value::Int(key.algorithm()));
        map.insert("Subject", name::decode(subject.reader())?);
        for name in ["Attributes", "Extensions", "ExtraExtensions", "DNSNames", "EmailAddresses", "IPAddresses", "URIs"]
        {
            map.insert(name, Value::Null);
        }
        read_attributes(attributes, &mut map)?;
        Ok(Self { fields: map, key })
    }
}

fn read_attributes(attributes: Reader<'_>, map: &mut Map) -> Result<(), String> {
    let mut shown = Vec::new();
    let mut requested = Vec::new();
    for attribute in attributes.each().flatten() {
        let mut attribute = attribute.reader();
        let Some((kind, values)) = attribute.oid().zip(attribute.enter(tag::SET)) else { continue };
        if let Some(sets) = attribute_values(values) {
            shown.push(object([("Type", oid_value(&kind)), ("Value", Value::array(sets))]));
        }
        if kind == EXTENSION_REQUEST {
            let mut values = values;
            let sequence = values.enter(tag::SEQUENCE).ok_or("x509: malformed extension request")?;
            requested.extend(extensions::read_all(sequence)?);
        }
    }
    for extension in &requested {
        if extension.id == [2, 5, 29, 17] {
            extensions::subject_alternative_names(Reader::new(extension.value), map)?;
        }
    }
    map.insert("Attributes", list(shown));
    map.insert("Extensions", list(requested.iter().map(Extension::to_value).collect()));
    Ok(())
}

/// Sets of typed values; `None` for attributes of another form, which Go leaves out.
fn attribute_values(sets: Reader<'_>) -> Option<Vec<Value>> {
    sets.each()
        .map(|set| {
            let set = set.filter(|set| set.tag == tag::SEQUENCE)?;
            let items = set.reader().each().map(|item| {
                let mut item = item.filter(|item| item.tag == tag::SEQUENCE)?.reader();
                Some(object([("Type", oid_value(&item.oid()?)), ("Value", any_value(&item.any()?))]))
            });
            items.collect::<Option<Vec<_>>>().map(Value::array)
        })
        .collect()
}

fn any_value(element: &Element<'_>) -> Value {
    match element.tag {
        tag::BOOLEAN => Value::Bool(element.body != [0]),
        tag::INTEGER => to_i64(element.body).map_or(Value::Null, Value::Int),
        tag::OCTET_STRING => bytes(element.body),
        tag::OID => Reader::new(element.raw).oid().map_or(Value::Null, |oid| oid_value(&oid)),
        tag => name::string(tag, element.body).map_or(Value::Null, Value::from),
    }
}
