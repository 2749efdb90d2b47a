//! Distinguished names and the string types they are written in.

use palisade_model::{Map, Value};

use super::go_json::{object, oid_value, text_list};
use crate::der::{Reader, tag};

/// A name in the shape of Go's `pkix.Name`.
pub(crate) fn decode(sequence: Reader<'_>) -> Result<Value, String> {
    const WRONG: &str = "x509: invalid RDNSequence";
    let mut names = Vec::new();
    let mut parts = Parts::default();
    for set in sequence.each() {
        let set = set.filter(|set| set.tag == tag::SET).ok_or(WRONG)?;
        for attribute in set.reader().each() {
            let attribute = attribute.filter(|attribute| attribute.tag == tag::SEQUENCE);
            let mut attribute = attribute.ok_or("x509: invalid RDNSequence: invalid attribute")?.reader();
            let kind = attribute.oid().ok_or("x509: invalid RDNSequence: invalid attribute type")?;
            let value = attribute.any().ok_or("x509: invalid RDNSequence: invalid attribute value")?;
            let text = string(value.tag, value.body)
                .map_err(|error| format!("x509: invalid RDNSequence: invalid attribute value: {error}"))?;
            names.push(object([("Type", oid_value(&kind)), ("Value", Value::from(text.as_str()))]));
            parts.add(&kind, text);
        }
    }
    Ok(parts.into_value(names))
}

#[derive(Default)]
struct Parts {
    lists: [Vec<String>; 7],
    serial_number: String,
    common_name: String,
}

/// The members that collect values, with the last number of their attribute's identifier under 2.5.4.
const LISTS: [(&str, u64); 7] = [
    ("Country", 6),
    ("Organization", 10),
    ("OrganizationalUnit", 11),
    ("Locality", 7),
    ("Province", 8),
    ("StreetAddress", 9),
    ("PostalCode", 17),
];

impl Parts {
    fn add(&mut self, kind: &[u64], text: String) {
        let [2, 5, 4, last] = kind else { return };
        match last {
            3 => self.common_name = text,
            5 => self.serial_number = text,
            _ => {
                let place = LISTS.iter().position(|(_, number)| number == last);
                if let Some(list) = place.and_then(|place| self.lists.get_mut(place)) {
                    list.push(text);
                }
            }
        }
    }

    fn into_value(self, names: Vec<Value>) -> Value {
        let mut map = Map::new();
        for ((name, _), list) in LISTS.iter().zip(&self.lists) {
            map.insert(*name, text_list(list));
        }
        map.insert("SerialNumber", self.serial_number);
        map.insert("CommonName", self.common_name);
        map.insert("Names", if names.is_empty() { Value::Null } else { Value::array(names) });
        map.insert("ExtraNames", Value::Null);
        Value::object(map)
    }
}

/// Text of any of the string types that names may have.
pub(crate) fn string(tag: u8, bytes: &[u8]) -> Result<String, String> {
    let checked = |valid: bool, name: &str| {
        if valid { Ok(String::from_utf8_lossy(bytes).into_owned()) } else { Err(format!("invalid {name}")) }
    };
    match tag {
        tag::T61_STRING => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        tag::PRINTABLE_STRING => checked(bytes.iter().all(|byte| is_printable(*byte)), "PrintableString"),
        tag::UTF8_STRING => checked(std::str::from_utf8(bytes).is_ok(), "UTF-8 string"),
        tag::IA5_STRING => checked(bytes.is_ascii(), "IA5String"),
        tag::NUMERIC_STRING => {
            checked(bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '), "NumericString")
        }
        tag::BMP_STRING => bmp_string(bytes).ok_or_else(|| "invalid BMPString".to_owned()),
        tag => Err(format!("unsupported string type: {tag}")),
    }
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&byte)
}

/// UCS-2, without surrogates and non-characters; a terminator is dropped.
fn bmp_string(bytes: &[u8]) -> Option<String> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let bytes = bytes.strip_suffix(&[0, 0]).unwrap_or(bytes);
    let units = bytes.chunks_exact(2).map(|pair| pair.iter().fold(0_u32, |unit, byte| unit << 8 | u32::from(*byte)));
    units
        .map(|unit| {
            let reserved = matches!(unit, 0xfffe | 0xffff | 0xfdd0..=0xfdef);
            char::from_u32(unit).filter(|_| !reserved)
        })
        .collect()
}
