//! The extensions that Go's `crypto/x509` understands, as members of its `Certificate`.

use std::net::{IpAddr, Ipv6Addr};

use palisade_gotext::go_url::Url;
use palisade_model::{Map, Value};

use super::go_json::{bytes, list, object, oid_text, oid_value, text_list};
use crate::der::{Element, Reader, shortest_integer, tag, to_i64};

/// One extension, still encoded.
pub(crate) struct Extension<'a> {
    pub(crate) id: Vec<u64>,
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> Extension<'a> {
    pub(crate) fn read(mut reader: Reader<'a>) -> Result<Self, String> {
        let id = reader.oid().ok_or("x509: malformed extension OID field")?;
        let critical = if reader.next_is(tag::BOOLEAN) { reader.boolean() } else { Some(false) };
        let critical = critical.ok_or("x509: malformed extension critical field")?;
        let value = reader.expect(tag::OCTET_STRING).ok_or("x509: malformed extension value field")?;
        Ok(Self { id, critical, value: value.body })
    }

    pub(crate) fn to_value(&self) -> Value {
        object([("Id", oid_value(&self.id)), ("Critical", Value::Bool(self.critical)), ("Value", bytes(self.value))])
    }
}

/// Reads the extensions of a sequence, which may not repeat.
pub(crate) fn read_all(sequence: Reader<'_>) -> Result<Vec<Extension<'_>>, String> {
    let mut extensions: Vec<Extension<'_>> = Vec::new();
    for element in sequence.each() {
        let element = element.filter(|element| element.tag == tag::SEQUENCE).ok_or("x509: malformed extension")?;
        let extension = Extension::read(element.reader())?;
        if extensions.iter().any(|other| other.id == extension.id) {
            return Err("x509: certificate contains a duplicate extension".into());
        }
        extensions.push(extension);
    }
    Ok(extensions)
}

const AUTHORITY_INFO_ACCESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];

/// Sets the members that `extension` brings; false where nothing was understood.
pub(crate) fn apply(extension: &Extension<'_>, into: &mut Map) -> Result<bool, String> {
    let value = Reader::new(extension.value);
    match *extension.id.as_slice() {
        [2, 5, 29, 15] => key_usage(value, into),
        [2, 5, 29, 19] => basic_constraints(value, into),
        [2, 5, 29, 17] => return subject_alternative_names(value, into),
        [2, 5, 29, 30] => return name_constraints(extension, into),
        [2, 5, 29, 31] => distribution_points(value, into),
        [2, 5, 29, 35] => authority_key(extension, into),
        [2, 5, 29, 36] => policy_constraints(value, into),
        [2, 5, 29, 37] => extended_key_usage(value, into),
        [2, 5, 29, 14] => subject_key(extension, into),
        [2, 5, 29, 32] => policies(value, into),
        [2, 5, 29, 33] => policy_mappings(value, into),
        [2, 5, 29, 54] => inhibit_any_policy(value, into),
        ref id if *id == AUTHORITY_INFO_ACCESS => authority_info(extension, into),
        _ => return Ok(false),
    }
    .map(|()| true)
}

type Done = Result<(), String>;

fn wrong(what: &str) -> String {
    format!("x509: invalid {what}")
}

fn key_usage(mut value: Reader<'_>, into: &mut Map) -> Done {
    let (_, bits) = value.bits().ok_or_else(|| wrong("key usage"))?;
    let bit = |at: usize| bits.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    let usage = (0..9).filter(|at| bit(*at)).fold(0, |usage, at| usage | 1 << at);
    into.insert("KeyUsage", Value::Int(usage));
    Ok(())
}

fn basic_constraints(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("basic constraints");
    let mut value = value.enter(tag::SEQUENCE).ok_or_else(failed)?;
    let is_ca = if value.next_is(tag::BOOLEAN) { value.boolean().ok_or_else(failed)? } else { false };
    let limit = value.next_is(tag::INTEGER).then(|| value.small_integer().filter(|most| *most >= 0));
    let most = limit.unwrap_or(Some(-1)).ok_or_else(failed)?;
    into.insert("BasicConstraintsValid", true);
    into.insert("IsCA", is_ca);
    into.insert("MaxPathLen", Value::Int(most));
    into.insert("MaxPathLenZero", most == 0);
    Ok(())
}

/// Also used for certificate requests.
pub(crate) fn subject_alternative_names(mut value: Reader<'_>, into: &mut Map) -> Result<bool, String> {
    let names = value.enter(tag::SEQUENCE).ok_or_else(|| wrong("subject alternative names"))?;
    let (mut emails, mut domains, mut addresses, mut uris) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in names.each() {
        let name = name.ok_or_else(|| wrong("subject alternative name"))?;
        match name.tag ^ 0x80 {
            1 => emails.push(ia5(&name, "rfc822Name")?),
            2 => domains.push(ia5(&name, "dNSName")?),
            6 => {
                let text = ia5(&name, "uniformResourceIdentifier")?;
                let url = Url::parse(&text).map_err(|error| format!("x509: cannot parse URI {text:?}: {error}"))?;
                uris.push(url.to_fields());
            }
            7 => addresses.push(Value::from(address(name.body).ok_or("x509: cannot parse IP address")?)),
            _ => {}
        }
    }
    let understood = !(emails.is_empty() && domains.is_empty() && addresses.is_empty() && uris.is_empty());
    into.insert("DNSNames", text_list(&domains));
    into.insert("EmailAddresses", text_list(&emails));
    into.insert("IPAddresses", list(addresses));
    into.insert("URIs", list(uris));
    Ok(understood)
}

/// The URIs among the subject's alternative names, as Go prints them.
pub(crate) fn uris(extensions: &[Extension<'_>]) -> Vec<String> {
    let names = extensions.iter().filter(|extension| extension.id == [2, 5, 29, 17]);
    let names = names.filter_map(|extension| Reader::new(extension.value).enter(tag::SEQUENCE));
    let uris = names.flat_map(Reader::each).flatten().filter(|name| name.tag == tag::context(6));
    uris.filter_map(|uri| Url::parse(&String::from_utf8_lossy(uri.body)).ok().map(|url| url.to_string())).collect()
}

fn ia5(element: &Element<'_>, what: &str) -> Result<String, String> {
    match std::str::from_utf8(element.body) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(format!("x509: SAN {what} is malformed")),
    }
}

/// An address as Go's `net.IP` prints it, IPv4-mapped ones as IPv4.
fn address(bytes: &[u8]) -> Option<String> {
    let address = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
    };
    Some(address.to_string())
}

fn name_constraints(extension: &Extension<'_>, into: &mut Map) -> Result<bool, String> {
    let failed = || wrong("NameConstraints extension");
    let mut value = Reader::new(extension.value).enter(tag::SEQUENCE).ok_or_else(failed)?;
    let mut understood = true;
    for (number, prefix) in [(0, "Permitted"), (1, "Excluded")] {
        if !value.next_is(tag::constructed(number)) {
            continue;
        }
        let subtrees = value.enter(tag::constructed(number)).ok_or_else(failed)?;
        let mut lists: [Vec<Value>; 4] = Default::default();
        let [emails, domains, uris, ranges] = &mut lists;
        for subtree in subtrees.each() {
            let base = subtree.and_then(|subtree| subtree.reader().any()).ok_or_else(failed)?;
            let text = || ia5(&base, "name constraint").map(Value::from);
            match base.tag {
                0x81 => emails.push(text()?),
                0x82 => domains.push(text()?),
                0x86 => uris.push(text()?),
                0x87 => ranges.push(range(base.body).ok_or_else(failed)?),
                _ => understood = false,
            }
        }
        let names = ["EmailAddresses", "DNSDomains", "URIDomains", "IPRanges"];
        for (name, items) in names.into_iter().zip(lists) {
            into.insert(format!("{prefix}{name}"), list(items));
        }
    }
    into.insert("PermittedDNSDomainsCritical", extension.critical);
    Ok(understood)
}

fn range(body: &[u8]) -> Option<Value> {
    let half = match body.len() {
        8 | 32 => body.len() / 2,
        _ => return None,
    };
    let (base, mask) = body.split_at_checked(half)?;
    Some(object([("IP", Value::from(address(base)?)), ("Mask", bytes(mask))]))
}

fn distribution_points(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("CRL distribution point");
    let mut points = Vec::new();
    for point in value.enter(tag::SEQUENCE).ok_or_else(failed)?.each() {
        let mut point = point.filter(|point| point.tag == tag::SEQUENCE).ok_or_else(failed)?.reader();
        if !point.next_is(tag::constructed(0)) {
            continue;
        }
        let mut name = point.enter(tag::constructed(0)).ok_or_else(failed)?;
        let names = name.enter(tag::constructed(0)).ok_or_else(failed)?;
        for uri in names.each().map_while(|name| name.filter(|name| name.tag == tag::context(6))) {
            points.push(String::from_utf8_lossy(uri.body).into_owned());
        }
    }
    into.insert("CRLDistributionPoints", text_list(&points));
    Ok(())
}

fn authority_key(extension: &Extension<'_>, into: &mut Map) -> Done {
    if extension.critical {
        return Err("x509: authority key identifier incorrectly marked critical".into());
    }
    let failed = || wrong("authority key identifier");
    let mut value = Reader::new(extension.value).enter(tag::SEQUENCE).ok_or_else(failed)?;
    if value.next_is(tag::context(0)) {
        into.insert("AuthorityKeyId", bytes(value.any().ok_or_else(failed)?.body));
    }
    Ok(())
}

fn subject_key(extension: &Extension<'_>, into: &mut Map) -> Done {
    if extension.critical {
        return Err("x509: subject key identifier incorrectly marked critical".into());
    }
    let value = Reader::new(extension.value).expect(tag::OCTET_STRING);
    into.insert("SubjectKeyId", bytes(value.ok_or_else(|| wrong("subject key identifier"))?.body));
    Ok(())
}

fn policy_constraints(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("policy constraints extension");
    let mut value = value.enter(tag::SEQUENCE).ok_or_else(failed)?;
    for (at, name) in [(0, "RequireExplicitPolicy"), (1, "InhibitPolicyMapping")] {
        if value.next_is(tag::context(at)) {
            let skip = value.any().and_then(|element| to_i64(shortest_integer(element.body)?)).ok_or_else(failed)?;
            into.insert(name, Value::Int(skip));
            into.insert(format!("{name}Zero"), skip == 0);
        }
    }
    Ok(())
}

fn inhibit_any_policy(mut value: Reader<'_>, into: &mut Map) -> Done {
    let skip = value.small_integer().ok_or_else(|| wrong("inhibit any policy extension"))?;
    into.insert("InhibitAnyPolicy", Value::Int(skip));
    into.insert("InhibitAnyPolicyZero", skip == 0);
    Ok(())
}

/// Go's numbers for extended key usages, by position.
const USAGES: [&[u64]; 14] = [
    &[2, 5, 29, 37, 0],
    &[1, 3, 6, 1, 5, 5, 7, 3, 1],
    &[1, 3, 6, 1, 5, 5, 7, 3, 2],
    &[1, 3, 6, 1, 5, 5, 7, 3, 3],
    &[1, 3, 6, 1, 5, 5, 7, 3, 4],
    &[1, 3, 6, 1, 5, 5, 7, 3, 5],
    &[1, 3, 6, 1, 5, 5, 7, 3, 6],
    &[1, 3, 6, 1, 5, 5, 7, 3, 7],
    &[1, 3, 6, 1, 5, 5, 7, 3, 8],
    &[1, 3, 6, 1, 5, 5, 7, 3, 9],
    &[1, 3, 6, 1, 4, 1, 311, 10, 3, 3],
    &[2, 16, 840, 1, 113_730, 4, 1],
    &[1, 3, 6, 1, 4, 1, 311, 2, 1, 22],
    &[1, 3, 6, 1, 4, 1, 311, 61, 1, 1],
];

fn extended_key_usage(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("extended key usages");
    let mut value = value.enter(tag::SEQUENCE).ok_or_else(failed)?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    while !value.is_empty() {
        let usage = value.oid().ok_or_else(failed)?;
        match USAGES.iter().position(|known| *known == usage) {
            Some(at) => known.push(Value::Int(i64::try_from(at).unwrap_or_default())),
            None => unknown.push(oid_value(&usage)),
        }
    }
    into.insert("ExtKeyUsage", list(known));
    into.insert("UnknownExtKeyUsage", list(unknown));
    Ok(())
}

fn policies(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("certificate policies");
    let mut oids: Vec<Vec<u64>> = Vec::new();
    for policy in value.enter(tag::SEQUENCE).ok_or_else(failed)?.each() {
        let oid = policy.and_then(|policy| policy.reader().oid()).ok_or_else(failed)?;
        if oids.contains(&oid) {
            return Err(failed());
        }
        oids.push(oid);
    }
    into.insert("PolicyIdentifiers", Value::array(oids.iter().map(|oid| oid_value(oid)).collect::<Vec<_>>()));
    into.insert("Policies", list(oids.iter().map(|oid| oid_text(oid)).collect()));
    Ok(())
}

fn policy_mappings(mut value: Reader<'_>, into: &mut Map) -> Done {
    let failed = || wrong("policy mappings extension");
    let mut mappings = Vec::new();
    for mapping in value.enter(tag::SEQUENCE).ok_or_else(failed)?.each() {
        let mut mapping = mapping.ok_or_else(failed)?.reader();
        let (issuer, subject) = mapping.oid().zip(mapping.oid()).ok_or_else(failed)?;
        mappings.push(object([("IssuerDomainPolicy", oid_text(&issuer)), ("SubjectDomainPolicy", oid_text(&subject))]));
    }
    into.insert("PolicyMappings", list(mappings));
    Ok(())
}

fn authority_info(extension: &Extension<'_>, into: &mut Map) -> Done {
    if extension.critical {
        return Err("x509: authority info access incorrectly marked critical".into());
    }
    let failed = || wrong("authority info access");
    let (mut responders, mut issuers) = (Vec::new(), Vec::new());
    for access in Reader::new(extension.value).enter(tag::SEQUENCE).ok_or_else(failed)?.each() {
        let mut access = access.ok_or_else(failed)?.reader();
        let method = access.oid().ok_or_else(failed)?;
        if !access.next_is(tag::context(6)) {
            continue;
        }
        let uri = String::from_utf8_lossy(access.any().ok_or_else(failed)?.body).into_owned();
        match *method.as_slice() {
            [1, 3, 6, 1, 5, 5, 7, 48, 1] => responders.push(uri),
            [1, 3, 6, 1, 5, 5, 7, 48, 2] => issuers.push(uri),
            _ => {}
        }
    }
    into.insert("OCSPServer", text_list(&responders));
    into.insert("IssuingCertificateURL", text_list(&issuers));
    Ok(())
}
