//! Semantic versions as OPA reads them: a leading `v` may stand, identifiers may begin with zeros.
//!
//! Beside the model's `semantic_version`, which is as strict as the specification.

use std::cmp::Ordering;

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;
use crate::value::Value;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("semver.compare", &[Type::String, Type::String], Type::Number, compare),
    builtin("semver.is_valid", &[Type::Any], Type::Boolean, |_, operands| {
        answer(operands::any(operands, 1)?.as_str().is_some_and(|text| Version::read(text).is_some()))
    }),
];

#[derive(Debug)]
struct Version<'a> {
    numbers: [i64; 3],
    pre_release: &'a str,
}

impl<'a> Version<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
        let (text, pre_release) = text.split_once('-').unwrap_or((text, ""));
        let (major, rest) = text.split_once('.')?;
        let (minor, patch) = rest.split_once('.')?;
        let numbers = [major.parse().ok()?, minor.parse().ok()?, patch.parse().ok()?];
        (are_identifiers(metadata) && are_identifiers(pre_release)).then_some(Self { numbers, pre_release })
    }
}

fn are_identifiers(text: &str) -> bool {
    let is_identifier =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.is_empty() || text.split('.').all(is_identifier)
}

fn compare(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let version = |position: usize, text| {
        let invalid = || BuiltinError::Failed(format!("operand {position}: string {text} is not a valid SemVer"));
        Version::read(text).ok_or_else(invalid)
    };
    let (a, b) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    let (a, b) = (version(1, a)?, version(2, b)?);
    let order = a.numbers.cmp(&b.numbers).then_with(|| pre_releases(a.pre_release, b.pre_release));
    answer(order as i64)
}

/// None is greater than any; else part by part, numbers before words, fewer parts before more.
fn pre_releases(a: &str, b: &str) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.is_empty().cmp(&b.is_empty());
    }
    let key = |part: &'_ str| -> (bool, usize, String) {
        let number = part.bytes().all(|byte| byte.is_ascii_digit());
        let part = if number { part.trim_start_matches('0') } else { part };
        (!number, if number { part.len() } else { 0 }, part.to_owned())
    };
    a.split('.').map(key).cmp(b.split('.').map(key))
}
