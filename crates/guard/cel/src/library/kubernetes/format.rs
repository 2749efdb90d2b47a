//! `format.dns1123Label().validate('my-name')` and `format.named('uri')`: Kubernetes' named string formats.

use std::any::Any;

use palisade_gotext::go_url::Url;
use palisade_model::Value;
use palisade_schema::formats::kubernetes;

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// What is wrong with a text; empty where it is valid.
type Validate = fn(&str) -> Vec<String>;

struct Format {
    name: &'static str,
    /// The name of the function that returns it.
    function: &'static str,
    constant: fn(&mut Call<'_>, &[Val]) -> Result<Val, EvalError>,
    validate: Validate,
}

macro_rules! formats {
    ($($name:literal => $validate:expr),+ $(,)?) => {
        &[$(Format {
            name: $name,
            function: concat!("format.", $name),
            constant: |_, _| named($name).ok_or_else(|| EvalError::invalid("no such format")),
            validate: $validate,
        }),+]
    };
}

const FORMATS: &[Format] = formats! {
    "dns1123Label" => dns_label,
    "dns1123Subdomain" => dns_subdomain,
    "dns1035Label" => dns1035_label,
    "qualifiedName" => qualified_name,
    "dns1123LabelPrefix" => |text| dns_label(&mask_trailing_dash(text)),
    "dns1123SubdomainPrefix" => |text| dns_subdomain(&mask_trailing_dash(text)),
    "dns1035LabelPrefix" => |text| dns1035_label(&mask_trailing_dash(text)),
    "labelValue" => label_value,
    "uri" => |text| Url::parse_request(text).err().map(|error| vec![error]).unwrap_or_default(),
    "uuid" => |text| unless(kubernetes::is_uuid(text), "does not match the UUID format"),
    "byte" => |text| unless(kubernetes::is_base64(text), "invalid base64"),
    "date" => |text| unless(kubernetes::is_date(text), "invalid date"),
    "datetime" => |text| unless(kubernetes::is_datetime(text), "invalid datetime"),
};

#[derive(Debug)]
struct FormatVal {
    name: &'static str,
    validate: Validate,
}

fn format_type() -> Type {
    Type::opaque("kubernetes.NamedFormat")
}

impl Opaque for FormatVal {
    fn opaque_type(&self) -> Type {
        format_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self.name == other.name)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(EvalError::invalid(format_args!("the format `{}` has no JSON form", self.name)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn named(name: &str) -> Option<Val> {
    let format = FORMATS.iter().find(|format| format.name == name)?;
    Some(Val::opaque(FormatVal { name: format.name, validate: format.validate }))
}

pub(super) fn library() -> Library {
    let errors = Type::optional(Type::list(Type::String));
    let mut functions = vec![
        Function::global("format.named", [Type::String], Type::optional(format_type()), |_, args| {
            let [Val::String(name)] = args else { return Err(mismatch("format.named", args)) };
            Ok(named(name).map_or_else(Val::none, Val::some))
        }),
        Function::member("validate", [format_type(), Type::String], errors, validate).cost(Cost::Sizes),
    ];
    functions
        .extend(FORMATS.iter().map(|format| Function::global(format.function, [], format_type(), format.constant)));
    Library::of("kubernetes.format", functions)
}

fn validate(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [format, Val::String(text)] = args else { return Err(mismatch("validate", args)) };
    let format = format.downcast::<FormatVal>().ok_or_else(|| mismatch("validate", args))?;
    let errors: Vec<_> = (format.validate)(text).into_iter().map(Val::from).collect();
    Ok(if errors.is_empty() { Val::none() } else { Val::some(Val::list(errors)) })
}

fn unless(valid: bool, error: &str) -> Vec<String> {
    if valid { Vec::new() } else { vec![error.to_owned()] }
}

fn too_long(text: &str, most: usize) -> Vec<String> {
    unless(text.len() <= most, &format!("must be no more than {most} characters"))
}

/// Lower-case letters, digits and inner dashes.
fn is_label(text: &str) -> bool {
    let outer = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    outer(text.bytes().next()) && outer(text.bytes().next_back()) && text.bytes().all(inner)
}

/// Whether `text` is a DNS label as RFC 1123 has it.
pub(super) fn is_dns_label(text: &str) -> bool {
    dns_label(text).is_empty()
}

/// Whether `text` is a DNS subdomain as RFC 1123 has it.
pub(super) fn is_dns_subdomain(text: &str) -> bool {
    dns_subdomain(text).is_empty()
}

/// What Kubernetes says of a text that does not match: policies look for these words.
fn mismatched(wanted: &str, pattern: &str, examples: &[&str]) -> String {
    let examples = examples.iter().map(|example| format!("'{example}', ")).collect::<Vec<_>>().join(" or ");
    format!("{wanted} (e.g. {examples}regex used for validation is '{pattern}')")
}

fn dns_label(text: &str) -> Vec<String> {
    let mut errors = too_long(text, 63);
    if !is_label(text) {
        errors.push(if text.split('.').all(is_label) {
            "must not contain dots".to_owned()
        } else {
            let wanted = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                          start and end with an alphanumeric character";
            mismatched(wanted, "[a-z0-9]([-a-z0-9]*[a-z0-9])?", &["my-name", "123-abc"])
        });
    }
    errors
}

fn dns_subdomain(text: &str) -> Vec<String> {
    let mut errors = too_long(text, 253);
    if !text.split('.').all(is_label) {
        let wanted = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                      must start and end with an alphanumeric character";
        let pattern = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
        errors.push(mismatched(wanted, pattern, &["example.com"]));
    }
    errors
}

fn dns1035_label(text: &str) -> Vec<String> {
    let mut errors = too_long(text, 63);
    if !is_label(text) || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        let wanted = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                      alphabetic character, and end with an alphanumeric character";
        errors.push(mismatched(wanted, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    errors
}

/// Letters and digits, with dashes, underscores and dots inside.
fn is_name(text: &str) -> bool {
    let outer = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    outer(text.bytes().next()) && outer(text.bytes().next_back()) && text.bytes().all(inner)
}

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn no_name() -> String {
    let wanted = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                  character";
    mismatched(wanted, NAME, &["MyName", "my.name", "123-abc"])
}

fn qualified_name(text: &str) -> Vec<String> {
    let (prefix, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            let prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {} {prefixed}", no_name())];
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let mut errors = Vec::new();
    match prefix {
        Some("") => errors.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => errors.extend(dns_subdomain(prefix).into_iter().map(|error| format!("prefix part {error}"))),
        None => {}
    }
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    }
    errors.extend(too_long(name, 63).into_iter().map(|error| format!("name part {error}")));
    if !is_name(name) {
        errors.push(format!("name part {}", no_name()));
    }
    errors
}

fn label_value(text: &str) -> Vec<String> {
    let mut errors = too_long(text, 63);
    if !text.is_empty() && !is_name(text) {
        let wanted = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                      must start and end with an alphanumeric character";
        errors.push(mismatched(wanted, &format!("({NAME})?"), &["MyValue", "my_value", "12345"]));
    }
    errors
}

/// What may follow a prefix is unknown, so a trailing dash stands for something valid.
fn mask_trailing_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let kept: Vec<char> = rest.chars().collect();
            let kept = kept.get(..kept.len().saturating_sub(1)).unwrap_or_default();
            kept.iter().collect::<String>() + "a"
        }
        _ => text.to_owned(),
    }
}
